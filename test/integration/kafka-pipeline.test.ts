import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { openKafkaRedisBackend } from '../../src/app/kafka-redis-backend.ts'
import type { Backend } from '../../src/consumers/backend.ts'
import { createTopics } from '../../src/log/kafka/kafka-topics.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { expectMisplacedRejected } from '../contract/misplaced-signals.ts'
import { CROWDED_MODELS, CROWDED_MOVES, CROWDED_SIGNALS, movesOf } from '../support/crowded-input.ts'
import { countValues, expectedOutputs, MODELS, pipelineSignals } from '../support/pipeline-input.ts'
import { type Outputs, runPipeline } from '../support/run-pipeline.ts'
import { describeIntegration } from '../support/servers/integration.ts'

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

const LOG = { info: () => {}, warn: console.warn, error: console.error }

describeIntegration('Kafka and Redis', ({ kafkaBrokers, redisUrl }) => {
  const signals = pipelineSignals(30, 90)
  let expected: Outputs

  beforeAll(() => {
    expected = expectedOutputs(signals, (fold, slow) => expect(fold).toEqual(slow))
    console.log(
      `${signals.length} signals: ${countValues(expected.tierChanges)} tier changes, ${countValues(expected.pqlEvents)} PQL events`,
    )
  })

  async function newInstallation(partitions: number) {
    const namespace = randomUUID()
    const topics = topicNames(`${namespace}-`)
    const brokers = kafkaBrokers.split(',')
    await createTopics({
      brokers,
      clientId: 'test',
      logger: LOG,
      // History has times of its own. With the default retention of seven days it would be deleted at
      // once.
      topics: Object.values(topics).map(name => ({ name, partitions, config: { 'retention.ms': '-1' } })),
    })
    const open = (): Promise<Backend> =>
      openKafkaRedisBackend({
        kafka: {
          brokers,
          clientId: 'test',
          groupPrefix: `${namespace}-`,
          transactionalIdPrefix: namespace,
          logger: LOG,
        },
        redis: { url: redisUrl, namespace, logger: LOG },
      })
    return { topics, open }
  }

  describe('publish exactly the expected bytes to a read_committed reader', () => {
    test.each([
      { batchSize: 500, partitions: 1, ticks: false, restart: false },
      { batchSize: 500, partitions: 3, ticks: true, restart: true },
      { batchSize: 7, partitions: 12, ticks: true, restart: false },
      { batchSize: 1, partitions: 3, ticks: false, restart: true },
    ])(
      'batches of $batchSize, $partitions partitions, ticks $ticks, restart $restart',
      async ({ partitions, ...rest }) => {
        const { topics, open } = await newInstallation(partitions)
        // With batches of one record, some of the signals show as much as all of them.
        const some = rest.batchSize === 1 ? signals.slice(0, 1500) : signals
        const wanted =
          rest.batchSize === 1 ? expectedOutputs(some, (fold, slow) => expect(fold).toEqual(slow)) : expected
        const outputs = await runPipeline({ open, topics, models: MODELS, signals: some, ...rest })
        expect(outputs.tierChanges).toEqual(wanted.tierChanges)
        expect(outputs.pqlEvents).toEqual(wanted.pqlEvents)
      },
    )
  })

  test('reject signals in the partitions of another partitioner, and give each account one state', async () => {
    const { topics, open } = await newInstallation(4)
    const backend = await open()
    try {
      await expectMisplacedRejected(backend, topics)
    } finally {
      await backend.close()
    }
  })

  test('score what models read, and count all signals, of an account beyond its limits', async () => {
    const outputs = await runPipeline({
      ...(await newInstallation(1)),
      models: CROWDED_MODELS,
      signals: CROWDED_SIGNALS,
      batchSize: 100,
      ticks: false,
      restart: true,
    })
    expect(movesOf(outputs)).toEqual(CROWDED_MOVES)
  })
})
