import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { openKafkaRedisBackend } from '../../src/app/kafka-redis-backend.ts'
import type { Backend } from '../../src/consumers/backend.ts'
import { findCheckpoint } from '../../src/consumers/checkpoints/read-checkpoint.ts'
import { decodeRecord } from '../../src/log/decode-signals-topic.ts'
import type { LogRecord } from '../../src/log/log.ts'
import { eventRecord } from '../../src/log/output-records.ts'
import { signalRecord, tickRecord } from '../../src/log/signals-topic-records.ts'
import { CHECKPOINTS, OUTPUT_TOPICS, topicNames } from '../../src/log/topic-names.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { type FoldedEvent, foldBatch } from '../../src/scoring/fold.ts'
import type { LogEntry } from '../../src/scoring/log-entry.ts'
import { createPartitionMemory } from '../../src/scoring/partition-memory.ts'
import type { PartitionWrite } from '../../src/store/store.ts'
import { buildCli, CliProcess, runCli, untilJson } from '../commands/cli.ts'
import { all, silent, until } from '../support/log-handlers.ts'
import { MODELS, pipelineSignals } from '../support/pipeline-input.ts'
import { plainWrite } from '../support/plain-write.ts'
import { describeIntegration } from '../support/servers/integration.ts'

const SETUP_TIMEOUT_MS = 180_000
const PARTITIONS = 3
const PART = 100
const PAUSE_MS = 50

describeIntegration('upswell rebuild, and scorers whose store is emptied', ({ kafkaBrokers, redisUrl }) => {
  const name = `rebuild-${randomUUID().slice(0, 8)}`
  const topics = topicNames(`${name}.`)
  const env = {
    KAFKA_BROKERS: kafkaBrokers,
    REDIS_URL: redisUrl,
    UPSWELL_MODELS: MODELS.map(({ file }) => join(PACKAGE_ROOT, file)).join(','),
    UPSWELL_NAMESPACE: name,
    UPSWELL_TOPIC_PREFIX: `${name}.`,
    UPSWELL_GROUP: name,
    UPSWELL_PARTITIONS: String(PARTITIONS),
    UPSWELL_SESSION_TIMEOUT_MS: '6000',
    UPSWELL_CHECKPOINT_INTERVAL_MS: '1000',
    UPSWELL_PARITY_INTERVAL_MS: '0',
    UPSWELL_TICK_INTERVAL_MS: '200',
    UPSWELL_PORT: '0',
  }
  const signals = pipelineSignals(40, 60)
  let main: string
  let backend: Backend
  let redis: Redis
  const scorers: CliProcess[] = []

  beforeAll(async () => {
    main = await buildCli()
    const { code, stderr } = await runCli(main, ['topics', 'create'], { env })
    expect([code, stderr]).toEqual([0, ''])
    redis = new Redis(redisUrl)
    backend = await openBackendOf(name)
  }, SETUP_TIMEOUT_MS)

  afterAll(async () => {
    for (const scorer of scorers) await scorer.kill('SIGKILL')
    await backend.log.deleteTopics(Object.values(topics))
    for (const namespace of [name, `${name}-plain`]) await emptyAtOnce(namespace)
    await backend.close()
    redis.disconnect()
  })

  test('restores an emptied store from checkpoints under load, each time it is emptied, and publishes nothing twice', async () => {
    for (let i = 0; i < 2; i++) scorers.push(new CliProcess(main, ['score'], { env }))
    for (const scorer of scorers) {
      const [, url] = await scorer.says(/ (http:\/\/127\.0\.0\.1:\d+) answers/)
      await untilJson(`${url}/readyz`, ({ status }) => status === 200)
    }
    const loading = new Loading(backend)
    await until(async () => (await checkpointCuts()).every(cut => cut > 50))

    await emptyAtOnce(name)
    await until(() => restored().length >= PARTITIONS)
    await until(async () => (await committed()).every(offset => offset > 100))
    const before = restored().length
    await emptyAtOnce(name)
    await until(() => restored().length >= before + PARTITIONS)

    const again = restored().length
    const rebuilt = await runCli(main, ['rebuild'], { env })
    const said = new RegExp(`^Emptying ${PARTITIONS} partitions of ${name} \\(\\d+ accounts\\), .*\n$`)
    expect(rebuilt).toMatchObject({ code: 0, stderr: expect.stringMatching(said) })
    expect(rebuilt.stdout).toMatch(
      new RegExp(
        `^Rebuilt \\d+ accounts in ${PARTITIONS} partitions of ${name}, in [\\d.]+ s \\(by the scorers that run\\)\\.\n$`,
      ),
    )
    expect(restored().length).toBeGreaterThanOrEqual(again + PARTITIONS)
    const refused = await runCli(main, ['rebuild', '--from-log'], { env })
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/INVALID_SETTINGS: scorers are running, and they use checkpoints; stop them/),
    ])
    await loading.finished
    await until(async () => (await committed()).every((offset, i) => offset >= loading.ends[i]!))
    for (const scorer of scorers) expect((await scorer.kill('SIGTERM')).code).toBe(0)
    const records = await committedRecords()
    await expectAsFolded(records)
    await expectPublishedOnce(records)
  }, 120_000)

  test.each([
    { args: [], partitions: PARTITIONS, usesCheckpoints: true },
    { args: ['--from-log'], partitions: PARTITIONS, usesCheckpoints: false },
    { args: ['--partition', '1'], partitions: 1, usesCheckpoints: true },
  ])(
    'rebuild $args restores the same bytes without scorers',
    async ({ args, partitions, usesCheckpoints }) => {
      // The other partitions stay as they are.
      if (partitions === PARTITIONS) await emptyAtOnce(name)
      const { code, stdout, stderr } = await runCli(main, ['rebuild', ...args], { env })
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(
          new RegExp(`^Rebuilt \\d+ accounts in ${partitions} partitions of ${name}, in [\\d.]+ s\\.\n$`),
        ),
      ])
      expect(stderr.match(/are in the store again/g)?.length ?? 0).toBe(usesCheckpoints ? partitions : 0)
      const records = await committedRecords()
      await expectAsFolded(records)
      await expectPublishedOnce(records)
    },
  )

  test('does not wait for an offset that was moved past the last transaction marker', async () => {
    const nobody = tickRecord(topics.signals, 1, 0, { slice: 0, of: 1, scope: 'due', clock: 'event' })
    const positions = await backend.log.append([nobody, nobody])
    let end = 0
    // The broker writes the mark a moment after it has answered.
    await until(async () => {
      end = (await backend.log.ranges(topics.signals)).get(1)!.end
      return end > positions.at(-1)!.offset + 1
    })
    const admin = new Kafka({ brokers: kafkaBrokers.split(','), logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const partitions = [{ partition: 1, offset: String(end) }]
    await admin.setOffsets({ groupId: `${name}-score`, topic: topics.signals, partitions })
    await admin.disconnect()
    // It is not known which scores are published: a scorer fills the partition, and publishes them.
    const { code, stderr } = await runCli(main, ['rebuild', '--partition', '1'], { env })
    expect([code, stderr]).toEqual([0, expect.stringContaining('the partition is left empty')])
    const scorer = new CliProcess(main, ['score'], { env })
    scorers.push(scorer)
    await until(async () => (await backend.store.readStoredOffset(1)) >= end)
    expect((await scorer.kill('SIGTERM')).code).toBe(0)
    await expectAsFolded(await committedRecords())
  })

  test('empties nothing that cannot be restored when the beginning of signals was deleted', async () => {
    const records = await committedRecords()
    const cuts = await checkpointCuts()
    const kafka = new Kafka({ brokers: kafkaBrokers.split(','), logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    await admin.fetchTopicMetadata({ topics: [topics.signals] })
    await admin.deleteTopicRecords({
      topic: topics.signals,
      partitions: [{ partition: 0, offset: String(cuts[0]) }],
    })
    const refused = await runCli(main, ['rebuild', '--from-log'], { env })
    expect([refused.code, refused.stdout]).toEqual([2, ''])
    expect(refused.stderr).toContain(
      `${topics.signals} partition 0 begins at offset ${cuts[0]}: retention has deleted the records before it, and checkpoints are not used.`,
    )
    await expectAsFolded(records)
    await emptyAtOnce(name)
    expect(await runCli(main, ['rebuild'], { env })).toMatchObject({ code: 0 })
    await expectAsFolded(records)
    await admin.disconnect()
  })

  async function openBackendOf(namespace: string): Promise<Backend> {
    return await openKafkaRedisBackend({
      kafka: {
        brokers: kafkaBrokers.split(','),
        clientId: 'test',
        transactionalIdPrefix: `${namespace}-test`,
        logger: silent,
      },
      redis: { url: redisUrl, namespace, logger: silent },
    })
  }

  /** Like FLUSHALL, but for one namespace. */
  async function emptyAtOnce(namespace: string): Promise<void> {
    await redis.eval(
      "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end",
      0,
      `upswell:${namespace}:*`,
    )
  }

  function restored(): string[] {
    return scorers.flatMap(({ stdout }) =>
      stdout.split('\n').filter(line => line.includes('are in the store again')),
    )
  }

  async function checkpointCuts(): Promise<number[]> {
    const cuts: number[] = []
    for (let partition = 0; partition < PARTITIONS; partition++)
      cuts.push((await findCheckpoint(backend.log, topics[CHECKPOINTS], partition))?.cut ?? 0)
    return cuts
  }

  async function committed(): Promise<number[]> {
    const { committed } = await backend.log.group(`${name}-score`, topics.signals)
    return Array.from({ length: PARTITIONS }, (_, partition) => committed.get(partition) ?? 0)
  }

  /** The scored records of each partition. */
  async function committedRecords(): Promise<LogRecord[][]> {
    const records = await all(backend.log, topics.signals)
    return (await committed()).map((end, partition) =>
      records.filter(record => record.partition === partition && record.offset < end),
    )
  }

  /** Compares with a Redis to which the plain fold of the log was written in one write. */
  async function expectAsFolded(records: readonly (readonly LogRecord[])[]): Promise<void> {
    const plain = await openBackendOf(`${name}-plain`)
    try {
      for (const [partition, of] of records.entries()) {
        await plain.store.fence(partition, 'plain')
        await plain.store.clear(partition, 'plain')
        await plain.store.save(partition, foldPlainly(of).write)
      }
    } finally {
      await plain.close()
    }
    expect(await dump(name)).toEqual(await dump(`${name}-plain`))
  }

  async function expectPublishedOnce(records: readonly (readonly LogRecord[])[]): Promise<void> {
    const expected = records.flatMap((of, partition) =>
      foldPlainly(of).events.map(({ offset, event }) => {
        const { topic, value } = eventRecord(topics, event, `${partition}:${offset}`)
        return `${topic} ${value}`
      }),
    )
    const published: string[] = []
    for (const role of OUTPUT_TOPICS) {
      if (role === 'account-scores') continue
      for (const { topic, value } of await all(backend.log, topics[role])) published.push(`${topic} ${value}`)
    }
    expect(expected.length).toBeGreaterThan(100)
    expect(published.sort()).toEqual(expected.sort())
  }

  /** Everything that Redis holds in a namespace, except what `fence` wrote. */
  async function dump(namespace: string): Promise<Map<string, unknown>> {
    const found = new Map<string, unknown>()
    for (const key of (await redis.keys(`upswell:${namespace}:{*`)).sort()) {
      const shown = key.slice(`upswell:${namespace}:`.length)
      const type = await redis.type(key)
      if (type === 'string') found.set(shown, (await redis.getBuffer(key))!.toString('hex'))
      else if (type === 'zset') found.set(shown, await redis.zrange(key, 0, -1, 'WITHSCORES'))
      else if (type === 'set') found.set(shown, (await redis.smembers(key)).sort())
      else {
        const { owner: _, whole: __, ...fields } = await redis.hgetall(key)
        found.set(shown, Object.fromEntries(Object.entries(fields).sort()))
      }
    }
    return found
  }

  /** Sends the signals as history, part by part. */
  class Loading {
    /** The offset after the last signal of each partition. */
    readonly ends = new Array<number>(PARTITIONS).fill(0)
    readonly finished: Promise<void>

    constructor({ log }: Backend) {
      this.finished = this.#run(log)
    }

    async #run(log: Backend['log']): Promise<void> {
      for (let from = 0; from < signals.length; from += PART) {
        const part = signals.slice(from, from + PART)
        const positions = await log.append(
          part.map(signal => signalRecord(topics.signals, signal, signal.occurredAt, 'event')),
        )
        for (const { partition, offset } of positions) this.ends[partition] = offset + 1
        await sleep(PAUSE_MS)
      }
    }
  }
})

/** The result of a partition folded in one call. */
function foldPlainly(records: readonly LogRecord[]): {
  readonly write: PartitionWrite
  readonly events: readonly FoldedEvent[]
} {
  const library = new ModelLibrary()
  const entries = records.map((record): LogEntry => {
    const decoded = decodeRecord(record, { library, partitions: PARTITIONS })
    if ('rejection' in decoded) throw new Error(decoded.rejection.detail)
    return decoded.entry
  })
  const memory = createPartitionMemory()
  const { events, touched, counts } = foldBatch(entries, memory, new Map())
  const context = {
    fencingToken: 'plain',
    expectedStoredOffset: 0,
    storedOffset: records.at(-1)!.offset + 1,
    memory,
    library,
  }
  return {
    write: plainWrite(touched, counts, context),
    events,
  }
}
