import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { openKafkaRedisBackend } from '../../src/app/kafka-redis-backend.ts'
import type { Backend } from '../../src/consumers/backend.ts'
import { decodeRecords } from '../../src/log/decode-signals-topic.ts'
import { createTopics } from '../../src/log/kafka/kafka-topics.ts'
import type { LogRecord } from '../../src/log/log.ts'
import { modelsRecord, signalRecord } from '../../src/log/signals-topic-records.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { readModels } from '../../src/models/model-files.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import type { Account } from '../../src/scoring/account.ts'
import { encodeAccount } from '../../src/scoring/codec/codec.ts'
import { foldBatch } from '../../src/scoring/fold.ts'
import { createPartitionMemory } from '../../src/scoring/partition-memory.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { buildCli } from '../commands/cli.ts'
import { silent } from '../support/log-handlers.ts'
import { untilStored } from '../support/run-pipeline.ts'
import { describeIntegration } from '../support/servers/integration.ts'
import { startRole } from '../support/servers/role-process.ts'

vi.setConfig({ testTimeout: 600_000, hookTimeout: 180_000 })

const PARTITIONS = 4
const ACCOUNTS = 200_000
const SIGNALS = 220_000
/** The accounts of the five shipped models would take ten times as much. */
const HEAP_MIB = 160
const AT_ONCE = 5_000
const SHORTAGES = /^upswell_memory_shortages_total\{part="accounts"\} (\d+)/m

function signalOf(i: number, occurredAt: number): Signal {
  return {
    id: `signal-${i}`,
    accountId: `account-${i % ACCOUNTS}`,
    kind: 'usage',
    name: ['user.invited', 'feature.used', 'api.called', 'report.exported'][i % 4]!,
    userId: `user-${i % 7}`,
    quantityThousandths: 1000,
    properties: {},
    occurredAt,
  }
}

describeIntegration('a scorer with a small heap', ({ kafkaBrokers, redisUrl }) => {
  /** Returns the offset of each partition's last signal. */
  async function fillLog(backend: Backend, topic: string, time: number): Promise<Map<number, number>> {
    const ends = new Map<number, number>()
    const models = (await readModels([`${PACKAGE_ROOT}/models`])).map(({ file, text }) => ({ file, text }))
    expect(models).toHaveLength(5)
    for (let partition = 0; partition < PARTITIONS; partition++)
      await backend.log.append([modelsRecord(topic, partition, time, models)])
    for (let from = 0; from < SIGNALS; from += AT_ONCE) {
      const signals = Array.from({ length: Math.min(AT_ONCE, SIGNALS - from) }, (_, i) => from + i)
      const records = signals.map(i => signalRecord(topic, signalOf(i, time + i), time + i))
      for (const { partition, offset } of await backend.log.append(records)) ends.set(partition, offset)
    }
    return ends
  }

  /** Account id → its bytes after all records, folded with as much memory as it takes. */
  function* undisturbed(records: readonly LogRecord[]): Generator<[accountId: string, bytes: Uint8Array]> {
    const byAccount = new Map<string, LogRecord[]>()
    for (const record of records.slice(1)) {
      const accountId = String(record.key)
      const own = byAccount.get(accountId)
      if (own === undefined) byAccount.set(accountId, [record])
      else own.push(record)
    }
    const library = new ModelLibrary()
    const decode = (some: readonly LogRecord[]) =>
      decodeRecords(some, 0, some.length, { library, partitions: PARTITIONS }).entries
    const memory = createPartitionMemory()
    foldBatch(decode(records.slice(0, 1)), memory, new Map())
    for (const [accountId, own] of byAccount) {
      const accounts = new Map<string, Account>()
      foldBatch(decode(own), memory, accounts)
      yield [accountId, encodeAccount(accounts.get(accountId)!)]
    }
  }

  test('works off a backlog of many accounts, answers meanwhile, and stores what another would', async () => {
    const main = await buildCli()
    const name = `small-heap-${randomUUID().slice(0, 8)}`
    const topics = topicNames(`${name}.`)
    const kafka = { brokers: kafkaBrokers.split(','), clientId: 'test', logger: silent }
    await createTopics({
      ...kafka,
      topics: Object.values(topics).map(topic => ({ name: topic, partitions: PARTITIONS })),
    })
    const backend = await openKafkaRedisBackend({
      kafka: { ...kafka, transactionalIdPrefix: `${name}-test` },
      redis: { url: redisUrl, namespace: name, logger: silent },
    })
    onTestFinished(() => backend.close())
    const ends = await fillLog(backend, topics.signals, Date.now() - 3_600_000)

    const { upswell, url } = await startRole(main, 'score', {
      KAFKA_BROKERS: kafkaBrokers,
      REDIS_URL: redisUrl,
      UPSWELL_NAMESPACE: name,
      UPSWELL_TOPIC_PREFIX: `${name}.`,
      UPSWELL_GROUP: name,
      UPSWELL_PORT: '0',
      // No tick comes between.
      UPSWELL_TICK_INTERVAL_MS: '3600000',
      UPSWELL_PARITY_INTERVAL_MS: '0',
      NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}`,
    })
    upswell.endWithTest()
    const stored = untilStored(backend, ends)
    let isStored = false
    void stored.catch(() => {}).then(() => (isStored = true))
    while (!isStored) {
      expect((await fetch(`${url}/livez`, { signal: AbortSignal.timeout(60_000) })).status).toBe(200)
      await sleep(200)
    }
    await stored
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(Number(SHORTAGES.exec(metrics)?.[1])).toBeGreaterThan(0)
    expect(await upswell.kill('SIGTERM')).toMatchObject({ code: 0, stderr: '' })

    for (let partition = 0; partition < PARTITIONS; partition++) {
      const end = ends.get(partition)! + 1
      const records: LogRecord[] = []
      for await (const record of backend.log.read(topics.signals, [{ partition, from: 0, to: end }]))
        records.push(record)
      const expected = [...undisturbed(records)]
      for (let from = 0; from < expected.length; from += AT_ONCE) {
        const some = expected.slice(from, from + AT_ONCE)
        const found = await backend.store.load(
          partition,
          some.map(([id]) => id),
        )
        const different = some.filter(
          ([, bytes], i) => !Buffer.from(bytes).equals(found[i] ?? Buffer.alloc(0)),
        )
        expect(different.map(([id]) => id)).toEqual([])
      }
    }
  })
})
