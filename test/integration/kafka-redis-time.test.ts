import { randomUUID } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { openKafkaRedisBackend } from '../../src/app/kafka-redis-backend.ts'
import { createTopics } from '../../src/log/kafka/kafka-topics.ts'
import { tickRecord } from '../../src/log/signals-topic-records.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { topicsOfInstallation } from '../../src/log/topic-settings.ts'
import { describeIntegration } from '../support/servers/integration.ts'
import { runJumpingClock, runOneOldLine, type TimeRun } from '../support/time/time-runs.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 600_000 })

const LOG = { info: () => {}, warn: () => {}, error: () => {} }
const HOUR_MS = 3_600_000

describeIntegration('time on Kafka and Redis', ({ kafkaBrokers, redisUrl }) => {
  async function running(run: (options: TimeRun) => Promise<void>): Promise<void> {
    const namespace = randomUUID()
    const topics = topicNames(`${namespace}-`)
    const brokers = kafkaBrokers.split(',')
    await createTopics({ brokers, clientId: 'test', logger: LOG, topics: topicsOfInstallation(topics, 1, 1) })
    const backend = await openKafkaRedisBackend({
      kafka: {
        brokers,
        clientId: 'test',
        groupPrefix: `${namespace}-`,
        transactionalIdPrefix: namespace,
        logger: LOG,
      },
      redis: { url: redisUrl, namespace, logger: LOG },
    })
    try {
      await run({ backend, topics })
    } finally {
      await backend.close()
    }
  }

  test('one old line stops the time of no live account', () => running(runOneOldLine))

  test('a clock that jumps moves no account out of reach: each signal counts', () => running(runJumpingClock))

  test("Redis's clock is the reference", () =>
    running(async ({ backend }) => {
      expect(Math.abs((await backend.store.time())! - Date.now())).toBeLessThan(60_000)
    }))

  test('Kafka refuses a record that is far ahead of its clock, and the error says what to check', () =>
    running(async ({ backend, topics }) => {
      const tick = { slice: 0, of: 1, scope: 'due', clock: 'wall' } as const
      const at = (ahead: number) => [tickRecord(topics.signals, 0, Date.now() + ahead, tick)]
      await expect(backend.log.append(at(2 * HOUR_MS))).rejects.toThrow(
        /ahead of the broker's clock .*message.timestamp.after.max.ms.*check the clocks/,
      )
      expect(await backend.log.append(at(HOUR_MS / 2))).toHaveLength(1)
    }))
})
