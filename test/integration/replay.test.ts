import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openKafkaRedisBackend } from '../../src/app/kafka-redis-backend.ts'
import type { Backend } from '../../src/consumers/backend.ts'
import { isThrough } from '../../src/consumers/lineage/replay-progress.ts'
import type { LogRecord } from '../../src/log/log.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { decodePartitionMemory } from '../../src/models/partition-memory-codec.ts'
import { GROWTH } from '../api/world.ts'
import { buildCli, CliProcess, type Environment, getJson, runCli, untilJson } from '../commands/cli.ts'
import { expectPublished } from '../consumers/lineage/expect-promoted.ts'
import { MemoryBroker } from '../consumers/lineage/memory-broker.ts'
import { describeIntegration } from '../support/servers/integration.ts'

const SETUP_TIMEOUT_MS = 180_000
const PARTITIONS = 2
const ACCOUNTS = 40
/** It has other tiers and triggers, so that its promotion announces much. */
const OTHER = GROWTH.replace('version: 3', 'version: 4')
  .replace('from: 30', 'from: 45')
  .replace('invites >= 3', 'invites >= 2')

describeIntegration('a replay that is promoted under load', ({ kafkaBrokers, redisUrl }) => {
  const name = `replay-${randomUUID().slice(0, 8)}`
  const prefix = `${name}.`
  const namespace = `${name}/v2`
  const running: CliProcess[] = []
  let main: string
  let folder: string
  let env: Environment
  let backend: Backend

  beforeAll(async () => {
    main = await buildCli()
    folder = await mkdtemp(join(tmpdir(), 'upswell-replay-'))
    await writeFile(join(folder, 'growth.yaml'), GROWTH)
    await writeFile(join(folder, 'other.yaml'), OTHER)
    env = {
      KAFKA_BROKERS: kafkaBrokers,
      REDIS_URL: redisUrl,
      UPSWELL_MODELS: join(folder, 'growth.yaml'),
      UPSWELL_NAMESPACE: name,
      UPSWELL_TOPIC_PREFIX: prefix,
      UPSWELL_GROUP: name,
      UPSWELL_PARTITIONS: String(PARTITIONS),
      UPSWELL_SESSION_TIMEOUT_MS: '6000',
      UPSWELL_PORT: '0',
    }
    const logger = { info: () => {}, warn: () => {}, error: console.error }
    backend = await openKafkaRedisBackend({
      kafka: {
        brokers: kafkaBrokers.split(','),
        clientId: 'test',
        transactionalIdPrefix: `test-${name}`,
        logger,
      },
      redis: { url: redisUrl, namespace: name, logger },
    })
    expect(await runCli(main, ['topics', 'create'], { env })).toMatchObject({ code: 0 })
  }, SETUP_TIMEOUT_MS)

  afterAll(async () => {
    for (const process of running) await process.kill('SIGKILL')
    const topics = (await backend.log.topics()).filter(topic => topic.startsWith(prefix))
    await backend.log.deleteTopics(topics)
    await backend.close()
    await rm(folder, { recursive: true, force: true })
  })

  function start(...args: string[]): CliProcess {
    const process = new CliProcess(main, args, { env })
    running.push(process)
    return process
  }

  async function startRole(role: string): Promise<{ upswell: CliProcess; url: string }> {
    const upswell = start(role)
    const [, url] = await upswell.says(/ (http:\/\/127\.0\.0\.1:\d+) answers /)
    return { upswell, url: url! }
  }

  test('sends subscribers each event once and in order, and the API answers all the time', async () => {
    const [first, , api] = await Promise.all([startRole('score'), startRole('score'), startRole('api')])
    await untilJson(`${api.url}/readyz`, ({ status }) => status === 200)
    await untilJson(`${first.url}/readyz`, ({ status }) => status === 200)
    const load = new Load(api.url)
    const reads = new Reads(api.url)
    try {
      await load.untilSent(2 * ACCOUNTS)
      reads.begin()
      const replay = start(
        ...['replay', '--into', 'v2', '--partitions', String(2 * PARTITIONS)],
        ...['--model', join(folder, 'other.yaml')],
      )
      await replay.says(/Caught up/)

      const promoting = start('replay', 'promote', 'v2', '--yes')
      await promoting.says(/is written into the log/)
      await sleep(150)
      await first.upswell.kill('SIGKILL')
      await startRole('score')
      expect(await promoting.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('v2 serves') })
      expect((await replay.ended).code).toBe(0)
      await untilJson<AccountDocument>(
        `${api.url}/v1/accounts/account-0`,
        ({ status, body }) => status === 200 && body.standings[0]?.modelVersion === 4,
      )
      await load.untilSent(load.sent + 2 * ACCOUNTS)
      // A reader can wait for a signal posted now, in the log of the lineage that serves now.
      const sequence = await load.send('account-1')
      const { status, body } = await getJson(`${api.url}/v1/accounts/account-1?after=${sequence}`)
      // More signals may have arrived meanwhile.
      expect([status, offsetIn((body as { sequence: string }).sequence) >= offsetIn(sequence)]).toEqual([
        200,
        true,
      ])
    } finally {
      await load.end()
      await reads.end()
    }
    expect(load.refused).toEqual([])
    expect(reads.wrong).toEqual([])
    expect(reads.versions).toEqual([3, 4])

    const again = await runCli(main, ['replay', 'promote', 'v2'], { env })
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('it serves already')])
    const dropped = await runCli(main, ['replay', 'drop', 'v2'], { env })
    expect([dropped.code, dropped.stderr]).toEqual([2, expect.stringContaining('v2 is not dropped')])

    await untilAtRest()
    expectPublished(await readAll(), 'v2', { namespace, areModelsOther: true })
  }, 120_000)

  async function untilAtRest(): Promise<void> {
    const topics = topicNames(`${prefix}v2.`)
    const { log } = backend
    const { store } = await backend.inNamespace(namespace)
    const replay = {
      log,
      store,
      originTopic: `${prefix}signals`,
      topic: topics.signals,
      copyGroup: `${name}-v2-copy`,
    }
    const isComplete = async (partition: number): Promise<boolean> => {
      const { state } = await store.readPartition(partition)
      return decodePartitionMemory(state, new ModelLibrary()).promotion?.isComplete === true
    }
    for (;;) {
      const ends = await log.ranges(replay.originTopic)
      const partitions = Array.from({ length: 2 * PARTITIONS }, (_, partition) => partition)
      const complete = (await Promise.all(partitions.map(isComplete))).every(is => is)
      if (complete && (await isThrough(replay, ends))) return
      await sleep(100)
    }
  }

  /** All topics, under their names without a prefix. */
  async function readAll() {
    const broker = new MemoryBroker(Date.now)
    for (const topic of await backend.log.topics()) {
      if (!topic.startsWith(prefix)) continue
      const partitions = Array.from(await backend.log.ranges(topic), (): (LogRecord | undefined)[] => [])
      for await (const record of backend.log.readAll(topic)) {
        const records = partitions[record.partition]!
        while (records.length < record.offset) records.push(undefined)
        records.push(record)
      }
      broker.topics.set(topic.slice(prefix.length), partitions)
    }
    return { broker, library: new ModelLibrary() }
  }
})

interface AccountDocument {
  readonly standings: readonly { readonly modelVersion: number }[]
}

/** Posts signals, one account after another, until it is stopped. */
class Load {
  sent = 0
  readonly refused: string[] = []
  readonly #url: string
  readonly #running: Promise<void>
  #isEnded = false

  constructor(url: string) {
    this.#url = url
    this.#running = this.#run()
  }

  async untilSent(count: number): Promise<void> {
    while (this.sent < count) await sleep(20)
  }

  /** Returns the sequence. */
  async send(accountId: string): Promise<string> {
    const occurredAt = new Date().toISOString()
    const common = { accountId, occurredAt }
    const users = Array.from({ length: 3 }, (_, i) => `user-${(this.sent * 7 + i * 3) % 11}`)
    const signals = [
      ...users.map(userId => ({ ...common, userId, id: randomUUID(), kind: 'usage', name: 'seat.invited' })),
      { ...common, id: randomUUID(), kind: 'contract', name: 'updated', properties: { seats: 8 } },
    ]
    const response = await fetch(`${this.#url}/v1/signals`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(signals.slice(this.sent % 4)),
    })
    this.sent++
    const text = await response.text()
    if (response.status !== 202) {
      this.refused.push(`${response.status} ${text}`)
      return ''
    }
    const { positions } = JSON.parse(text) as { positions: { sequence: string }[] }
    return positions.at(-1)!.sequence
  }

  async end(): Promise<void> {
    this.#isEnded = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#isEnded) {
      await this.send(`account-${this.sent % ACCOUNTS}`)
      await sleep(10)
    }
  }
}

/** Requests known accounts all the time. */
class Reads {
  readonly wrong: string[] = []
  /** The model versions in the answers, in order. */
  readonly versions: number[] = []
  readonly #url: string
  #running: Promise<void> | undefined
  #isEnded = false

  constructor(url: string) {
    this.#url = url
  }

  begin(): void {
    this.#running = this.#run()
  }

  async end(): Promise<void> {
    this.#isEnded = true
    await this.#running
  }

  async #run(): Promise<void> {
    for (let i = 0; !this.#isEnded; i++) {
      const { status, body } = await getJson(`${this.#url}/v1/accounts/account-${i % ACCOUNTS}`)
      if (status === 200) {
        const version = (body as AccountDocument).standings[0]?.modelVersion
        if (version !== undefined && version !== this.versions.at(-1)) this.versions.push(version)
      } else if (status !== 503) {
        this.wrong.push(`${status} ${JSON.stringify(body)}`)
      }
      await sleep(10)
    }
  }
}

/** The offset in `partition:offset`. */
function offsetIn(sequence: string): number {
  return Number(sequence.slice(sequence.indexOf(':') + 1))
}
