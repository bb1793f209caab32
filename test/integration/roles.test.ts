import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Admin, CompressionTypes, type IHeaders, Kafka, logLevel, Partitioners } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { partitionOf } from '../../src/log/partition-of.ts'
import { CHECKPOINTS, TOPIC_ROLES, topicNames } from '../../src/log/topic-names.ts'
import { GROWTH } from '../api/world.ts'
import { buildCli, type Environment, getJson, runCli, untilJson } from '../commands/cli.ts'
import { compileMessage } from '../schemas/published-schemas.ts'
import { until } from '../support/log-handlers.ts'
import { describeIntegration } from '../support/servers/integration.ts'
import { startBroker } from '../support/servers/java-broker.ts'
import { missingForMaven } from '../support/servers/maven-artifacts.ts'
import { startRedis } from '../support/servers/redis-server.ts'
import { logged, startRole, stopInTime, untilReady } from '../support/servers/role-process.ts'

const SETUP_TIMEOUT_MS = 180_000
const PARTITIONS = 3
const LARGE_BYTES = 2 * 1024 * 1024

let main: string
let folder: string
beforeAll(async () => {
  main = await buildCli()
  folder = await mkdtemp(join(tmpdir(), 'upswell-roles-'))
  await writeFile(join(folder, 'growth.yaml'), GROWTH)
}, SETUP_TIMEOUT_MS)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The settings of a separate installation. */
function installation(
  kafkaBrokers: string,
  redisUrl: string,
): Environment & { readonly UPSWELL_GROUP: string } {
  const name = `roles-${randomUUID().slice(0, 8)}`
  return {
    KAFKA_BROKERS: kafkaBrokers,
    REDIS_URL: redisUrl,
    UPSWELL_MODELS: join(folder, 'growth.yaml'),
    UPSWELL_NAMESPACE: name,
    UPSWELL_TOPIC_PREFIX: `${name}.`,
    UPSWELL_GROUP: name,
    UPSWELL_PARTITIONS: String(PARTITIONS),
    UPSWELL_SESSION_TIMEOUT_MS: '6000',
    UPSWELL_PORT: '0',
  }
}

describeIntegration('ingest, score and api as processes', ({ kafkaBrokers, redisUrl }) => {
  const kafka = new Kafka({ brokers: kafkaBrokers.split(','), logLevel: logLevel.ERROR })
  let env: ReturnType<typeof installation>
  let topics: ReturnType<typeof topicNames>
  let admin: Admin
  let ingest: Awaited<ReturnType<typeof startRole>>
  let score: Awaited<ReturnType<typeof startRole>>
  let api: Awaited<ReturnType<typeof startRole>>

  beforeAll(async () => {
    env = installation(kafkaBrokers, redisUrl)
    topics = topicNames(env['UPSWELL_TOPIC_PREFIX']!)
    admin = kafka.admin()
    await admin.connect()
    // An operator made this topic, with a higher limit than the brokers' default of 1 MB.
    const configEntries = [{ name: 'max.message.bytes', value: String(4 * LARGE_BYTES) }]
    const topic = { topic: topics['product-usage'], numPartitions: PARTITIONS, configEntries }
    await admin.createTopics({ topics: [topic], waitForLeaders: true })
  }, SETUP_TIMEOUT_MS)

  afterAll(async () => {
    for (const role of [ingest, score, api]) await role?.upswell.kill('SIGKILL')
    await admin.deleteTopics({ topics: Object.values(topics) })
    await admin.disconnect()
  })

  test('creates topics once and leaves existing ones unchanged', async () => {
    const others = TOPIC_ROLES.filter(role => role !== 'product-usage').map(role => topics[role])
    const first = await runCli(main, ['topics', 'create'], { env })
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toBe(
      `created with ${PARTITIONS} partitions: ${others.join(', ')}\nalready there: ${topics['product-usage']}\n`,
    )
    const all = TOPIC_ROLES.map(role => topics[role]).join(', ')
    expect(await runCli(main, ['topics', 'create'], { env })).toMatchObject({
      code: 0,
      stdout: `already there: ${all}\n`,
      stderr: '',
    })
    const more = await runCli(main, ['topics', 'create'], { env: { ...env, UPSWELL_PARTITIONS: '5' } })
    expect(more.code).toBe(1)
    // Checkpoints belong to their log: they are compared with what signals has.
    for (const role of TOPIC_ROLES.filter(each => each !== CHECKPOINTS))
      expect(more.stdout).toContain(`: ${topics[role]}: partitions is 3; 5 is accepted.`)
    expect(await admin.fetchTopicMetadata({ topics: [topics.signals] })).toMatchObject({
      topics: [{ partitions: { length: PARTITIONS } }],
    })
  })

  test('a role without its topics ends and says what to do', async () => {
    const missing = { ...env, UPSWELL_TOPIC_PREFIX: `${env['UPSWELL_TOPIC_PREFIX']}missing.` }
    for (const [role, threads] of [
      ['ingest', '1'],
      ['score', '1'],
      ['score', '2'],
    ] as const) {
      const ended = await runCli(main, [role], { env: { ...missing, UPSWELL_SCORE_THREADS: threads } })
      expect([ended.code, ended.stderr]).toEqual([1, ''])
      expect(logged(ended).at(-1)).toMatchObject({ level: 'fatal', code: 'TOPIC_MISSING' })
      expect(logged(ended).at(-1)!.msg).toMatch(
        /^upswell: TOPIC_MISSING: Kafka has no topic [^;]*\.missing\.[^;]*; create the missing ones with `upswell topics create`$/,
      )
    }
    const { upswell, url } = await startRole(main, 'api', missing)
    upswell.endWithTest()
    const { detail } = await untilJson<{ detail: string }>(`${url}/readyz`, ({ status }) => status === 503)
    expect(detail).toMatch(
      /^log: TOPIC_MISSING: Kafka has no topic .*\.missing\.signals; create the missing ones/,
    )
    await stopInTime(upswell)
  })

  test('become ready, each on its own port', async () => {
    ;[ingest, score, api] = await Promise.all([
      startRole(main, 'ingest', env),
      startRole(main, 'score', env),
      startRole(main, 'api', env),
    ])
    await Promise.all([ingest, score, api].map(({ url }) => untilReady(url)))
    expect(new Set([ingest.url, score.url, api.url]).size).toBe(3)
    for (const { upswell } of [ingest, score, api]) expect(logged(upswell)[0]!.level).toBe('info')
  })

  test('score good records, show them in the API, and publish the events with CloudEvents headers', async () => {
    const awkward = 'Ünïcode/acme ?&%#'
    await produce(topics['product-usage'], [
      ...[1, 2, 3].map(i => ({ value: usage(`a-${i}`, 'acme') })),
      ...[1, 2, 3].map(i => ({ key: 'their own key', value: usage(`b-${i}`, awkward, { kind: undefined }) })),
      // The same signal twice: it counts once.
      { value: usage('a-1', 'acme') },
    ])
    await produce(topics['customer-health'], [
      { value: JSON.stringify({ id: 'h-1', accountId: 'acme', properties: { nps: 60 }, occurredAt: now() }) },
    ])
    const account = await untilJson<AccountDocument>(
      `${api.url}/v1/accounts/acme`,
      ({ status, body }) => status === 200 && body.standings[0]?.score === 100,
    )
    expect(account.standings[0]).toMatchObject({ modelId: 'growth', tier: 'hot' })
    expect(account.standings[0]!.pqls.map(({ trigger }) => trigger)).toEqual(['inviting'])
    await untilJson<AccountDocument>(
      `${api.url}/v1/accounts/${encodeURIComponent(awkward)}`,
      ({ status, body }) => status === 200 && body.standings[0]?.pqls.length === 1,
    )

    const tierChanges = await collect(topics['tier-changes'], 4)
    const pqlEvents = await collect(topics['pql-events'], 2)
    for (const account of ['acme', awkward]) {
      const ofAccount = tierChanges.filter(({ key }) => String(key) === account)
      const tiers = ofAccount.map(({ value }) => JSON.parse(String(value)).to)
      expect(tiers).toEqual(['warm', 'hot'])
    }
    for (const [message, records] of [
      ['tierChange', tierChanges],
      ['pqlEvent', pqlEvents],
    ] as const) {
      const [validHeaders, validValue] = [
        compileMessage(message, 'headers'),
        compileMessage(message, 'payload'),
      ]
      for (const { key, value, headers } of records) {
        validHeaders(headers)
        expect(validHeaders.errors ?? []).toEqual([])
        const event = JSON.parse(String(value))
        validValue(event)
        expect(validValue.errors ?? []).toEqual([])
        expect(headers).toMatchObject({ ce_id: event.id, ce_subject: String(key), ce_time: event.at })
        expect(headers['ce_sequence']).toMatch(new RegExp(`^${partitionOf(String(key), PARTITIONS)}:\\d+$`))
      }
    }
    // A consumer of an event can wait until the API shows it.
    const { headers } = pqlEvents.find(({ key }) => String(key) === 'acme')!
    const answer = await getJson(`${api.url}/v1/accounts/acme?after=${headers['ce_sequence']}`)
    expect(answer.status).toBe(200)
  })

  test('send bad records unchanged to dead-letter, with their position and the reason', async () => {
    const bad: readonly [reason: string, value: string | Buffer | null][] = [
      ['not-json', 'no JSON'],
      ['not-json', null],
      ['not-json', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
      ['not-json', usage('nan', 'acme').replace('"quantity":1', '"quantity":NaN')],
      ['not-an-object', '[1]'],
      ['missing-field', usage('x', 'acme', { accountId: undefined })],
      ['unknown-kind', usage('x', 'acme', { kind: 'gossip' })],
      ['in-the-future', usage('x', 'acme', { occurredAt: new Date(Date.now() + 3_600_000).toISOString() })],
      ['invalid-time', usage('x', 'acme', { occurredAt: 'yesterday' })],
      ['invalid-field', usage('x', 'acme', { quantity: -1 })],
      ['too-long', usage('i'.repeat(10_000), 'acme')],
      ['too-deep', usage('x', 'acme', { properties: JSON.parse(`${'{"a":'.repeat(50)}1${'}'.repeat(50)}`) })],
      ['forbidden-key', usage('x', 'acme').replace('{', '{"__proto__":{"kind":"usage"},')],
      ['too-large', usage('x', 'acme', { properties: { blob: 'x'.repeat(LARGE_BYTES) } })],
    ]
    const messages = bad.map(([reason, value], i) => ({
      key: i % 2 === 0 ? Buffer.from([0, 255, i]) : null,
      value,
      partition: i % PARTITIONS,
      headers: {
        number: String(i),
        wanted: reason,
        raw: Buffer.from([0xff, 0x00]),
        twice: ['1', '2'],
        'upswell-reason': 'theirs',
      },
    }))
    const positions = await produce(topics['product-usage'], messages)
    const dead = await collect(topics['dead-letter'], bad.length)
    const validHeaders = compileMessage('deadLetter', 'headers')
    const byNumber = new Map(dead.map(record => [Number(record.headers['number']), record]))
    expect(byNumber.size).toBe(bad.length)
    for (const [i, { key, value, partition, headers }] of messages.entries()) {
      const record = byNumber.get(i)!
      expect(sameBytes(record.value, value), `value ${i}`).toBe(true)
      expect(sameBytes(record.key, key), `key ${i}`).toBe(true)
      expect(record.headers).toMatchObject({
        wanted: headers.wanted,
        'upswell-reason': headers.wanted,
        'upswell-topic': topics['product-usage'],
        'upswell-partition': String(partition),
      })
      expect(record.rawHeaders['raw']).toEqual(Buffer.from([0xff, 0x00]))
      expect(record.rawHeaders['twice']).toEqual([Buffer.from('1'), Buffer.from('2')])
      expect(record.rawHeaders['upswell-reason']).toEqual([
        Buffer.from('theirs'),
        Buffer.from(headers.wanted),
      ])
      validHeaders(record.headers)
      expect(validHeaders.errors ?? []).toEqual([])
    }
    for (const partition of new Set(messages.map(message => message.partition))) {
      const offsets = [...byNumber.values()]
        .filter(({ headers }) => headers['upswell-partition'] === String(partition))
        .map(({ headers }) => Number(headers['upswell-offset']))
        .sort((a, b) => a - b)
      const first = positions.get(partition)!
      expect(offsets).toEqual(offsets.map((_, i) => first + i))
    }
    expect(byNumber.get(9)!.headers['upswell-detail']).toBe(
      'quantity is -1; a number from 0 to 1000000000000 is accepted',
    )
    const metrics = await (await fetch(`${ingest.url}/metrics`)).text()
    expect(metrics).toContain(
      `upswell_ingested_records_total{topic="${topics['product-usage']}",outcome="rejected"} ${bad.length}`,
    )
  })

  test('send a record of the log with a wrong key to dead-letter, and score the others', async () => {
    await produce(topics.signals, [
      { key: 'beta', value: usage('k-1', 'acme') },
      { key: null, value: usage('k-2', 'acme') },
      { key: 'gamma', value: usage('k-3', 'gamma') },
    ])
    await untilJson(`${api.url}/v1/accounts/gamma`, ({ status }) => status === 200)
    const dead = await collect(
      topics['dead-letter'],
      2,
      ({ headers }) => headers['upswell-reason'] === 'key-mismatch',
    )
    expect(dead.map(({ headers }) => headers['upswell-detail']).sort()).toEqual([
      'the record has no key, its accountId is "acme"; both must be the same',
      'the record has the key "beta", its accountId is "acme"; both must be the same',
    ])
    expect((await getJson(`${api.url}/v1/accounts/beta`)).status).toBe(404)
  })

  test('a posted signal can be read at once with its sequence', async () => {
    const response = await fetch(`${api.url}/v1/signals`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `[${usage('p-1', 'posted')},${usage('p-2', 'posted')},${usage('p-3', 'posted')}]`,
    })
    expect(response.status).toBe(202)
    const { positions } = (await response.json()) as { positions: { sequence: string }[] }
    const { status, body } = await getJson(`${api.url}/v1/accounts/posted?after=${positions[2]!.sequence}`)
    expect([status, body]).toEqual([200, expect.objectContaining({ sequence: positions[2]!.sequence })])
    const list = await getJson(`${api.url}/v1/accounts?tier=hot`)
    expect(list.body).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ accountId: 'posted' })]),
    })
  })

  test('a scorer with an edited model ends before it writes anything, and says what to do', async () => {
    const edited = join(folder, 'edited.yaml')
    await writeFile(edited, GROWTH.replace('name: Growth', 'name: Other'))
    for (const threads of ['1', '2']) {
      const ended = await runCli(main, ['score'], {
        env: { ...env, UPSWELL_MODELS: edited, UPSWELL_SCORE_THREADS: threads },
      })
      expect([ended.code, ended.stderr]).toEqual([2, ''])
      expect(logged(ended).at(-1)!.msg).toMatch(
        /edited\.yaml:3:10: found version 3 of growth with other content .*; write "version: 4" for/,
      )
    }
    await untilReady(score.url)
  })

  test('end with 0 within seconds of a SIGTERM, and leave their groups', async () => {
    await Promise.all([ingest, score, api].map(({ upswell }) => stopInTime(upswell)))
    const { groups } = await admin.describeGroups([
      `${env.UPSWELL_GROUP}-ingest`,
      `${env.UPSWELL_GROUP}-score`,
    ])
    expect(groups.map(({ state, members }) => [state, members.length])).toEqual([
      ['Empty', 0],
      ['Empty', 0],
    ])
    for (const { upswell } of [ingest, score, api]) {
      const lines = logged(upswell)
      expect(lines.at(-1)!.msg).toBe('stopped')
      expect(lines.filter(({ level }) => level === 'error')).toEqual([])
    }
    const warnings = logged(score.upswell).filter(({ level }) => level === 'warn')
    expect(warnings).toEqual([])
  })

  interface Message {
    readonly key?: string | Buffer | null
    readonly value: string | Buffer | null
    readonly partition?: number
    readonly headers?: IHeaders
  }

  /** Returns the first offset written in each partition. */
  async function produce(topic: string, messages: readonly Message[]): Promise<Map<number, number>> {
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    try {
      const written = await producer.send({
        topic,
        messages: [...messages],
        compression: CompressionTypes.GZIP,
      })
      return new Map(written.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]))
    } finally {
      await producer.disconnect()
    }
  }

  interface Received {
    readonly key: Buffer | null
    readonly value: Buffer | null
    readonly headers: Readonly<Record<string, string>>
    readonly rawHeaders: IHeaders
  }

  /** Reads a topic from its beginning until it has this many records. */
  async function collect(
    topic: string,
    count: number,
    isWanted: (record: Received) => boolean = () => true,
  ): Promise<Received[]> {
    const consumer = kafka.consumer({ groupId: `reader-${randomUUID()}`, maxWaitTimeInMs: 100 })
    const records: Received[] = []
    await consumer.connect()
    try {
      await consumer.subscribe({ topic, fromBeginning: true })
      await consumer.run({
        eachMessage: async ({ message: { key, value, headers = {} } }) => {
          // kafkajs gives a list for a repeated header; the last one counts.
          const texts = Object.entries(headers).map(([name, header]) => [
            name,
            String(Array.isArray(header) ? header.at(-1) : header),
          ])
          const record = { key, value, headers: Object.fromEntries(texts), rawHeaders: headers }
          if (isWanted(record)) records.push(record)
        },
      })
      await until(() => records.length >= count)
      return records
    } finally {
      await consumer.disconnect()
    }
  }
})

describe.skipIf((await missingForMaven()) !== undefined)('a role whose services are unavailable', () => {
  const TIMEOUT = { timeout: 180_000 }

  async function startServer<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const server = await starting
    onTestFinished(() => server.stop())
    return server
  }

  test('api reports it, and serves again by itself when Redis is back', TIMEOUT, async () => {
    const [broker, redis] = await Promise.all([startServer(startBroker()), startServer(startRedis())])
    const env = installation(`127.0.0.1:${broker.port}`, `redis://127.0.0.1:${redis.port}`)
    await runCli(main, ['topics', 'create'], { env })
    const { upswell, url } = await startRole(main, 'api', env)
    upswell.endWithTest()
    await untilReady(url)

    await redis.kill('SIGKILL')
    const away = /^store: STORE_UNAVAILABLE: Redis at 127\.0\.0\.1:\d+: it is away: /
    await untilJson<{ code: string; detail: string }>(
      `${url}/readyz`,
      ({ status, body }) => status === 503 && body.code === 'NOT_READY' && away.test(body.detail),
    )
    expect((await getJson(`${url}/livez`)).status).toBe(200)
    expect(await getJson(`${url}/v1/accounts/acme`)).toMatchObject({
      status: 503,
      body: { code: 'STORE_UNAVAILABLE' },
    })

    const back = await startServer(startRedis({ port: redis.port }))
    await untilReady(url)
    expect((await getJson(`${url}/v1/accounts/acme`)).status).toBe(404)
    expect(logged(upswell).map(({ msg }) => msg)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^the store: the trouble is over after \S+ s/)]),
    )
    await back.kill('SIGKILL')
    await untilJson(`${url}/readyz`, ({ status }) => status === 503)
    await stopInTime(upswell)
  })

  test(
    'score waits for a Kafka that has not started, and begins by itself once it has',
    TIMEOUT,
    async () => {
      const redis = await startServer(startRedis())
      const dataDir = await mkdtemp(join(folder, 'kafka-'))
      const earlier = await startBroker({ dataDir })
      const { port } = earlier
      const env = installation(`127.0.0.1:${port}`, `redis://127.0.0.1:${redis.port}`)
      expect((await runCli(main, ['topics', 'create'], { env })).code).toBe(0)
      await earlier.stop()

      const { upswell, url } = await startRole(main, 'score', env)
      upswell.endWithTest()
      await upswell.says(
        /"level":"warn".*"score cannot start yet: LOG_UNAVAILABLE: .*ECONNREFUSED 127\.0\.0\.1:\d+; trying again"/,
      )
      expect(await getJson(`${url}/readyz`)).toMatchObject({
        status: 503,
        body: { code: 'NOT_READY', detail: expect.stringMatching(/^score: waiting for the log; log: /) },
      })
      expect((await getJson(`${url}/livez`)).status).toBe(200)
      for (const threads of ['1', '2']) {
        const impatient = await startRole(main, 'score', { ...env, UPSWELL_SCORE_THREADS: threads })
        await stopInTime(impatient.upswell)
      }
      const unsent = await runCli(main, ['send', '-'], { env, input: usage('s-1', 'acme') })
      expect([unsent.code, unsent.stdout]).toEqual([1, ''])
      // It could not find the lineage that serves, so nothing was sent.
      expect(unsent.stderr).toMatch(/^upswell: LOG_UNAVAILABLE: .*ECONNREFUSED.*\n$/)

      await startServer(startBroker({ port, dataDir }))
      await untilReady(url)
      expect(await runCli(main, ['send', '-'], { env, input: usage('s-1', 'acme') })).toMatchObject({
        code: 0,
        stdout: `Sent 1 signal to ${env['UPSWELL_TOPIC_PREFIX']}signals.\n`,
      })
      await untilJson(`${url}/v1/accounts/acme`, ({ status }) => status === 200)
      await stopInTime(upswell)
    },
  )
})

interface AccountDocument {
  readonly standings: readonly {
    readonly modelId: string
    readonly score: number
    readonly tier: string
    readonly pqls: readonly { readonly trigger: string }[]
  }[]
}

function now(): string {
  return new Date().toISOString()
}

function usage(id: string, accountId: string, parts: object = {}): string {
  const signal = { id, kind: 'usage', name: 'seat.invited', accountId, quantity: 1, occurredAt: now() }
  return JSON.stringify({ ...signal, ...parts })
}

function sameBytes(received: Buffer | null, sent: string | Buffer | null): boolean {
  if (received === null || sent === null) return received === sent
  return received.equals(Buffer.from(sent as string))
}
