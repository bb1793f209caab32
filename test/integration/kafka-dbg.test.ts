import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { openKafkaRedisBackend } from '../../src/consumers/kafka-redis-backend.ts'
import { createTopics } from '../../src/consumers/kafka-topics.ts'
import { topicNames } from '../../src/consumers/topics.ts'
import { describeIntegration } from '../support/integration.ts'
import { countValues, expectedOutputs, MODELS, pipelineSignals } from '../support/pipeline-input.ts'
import { type Outputs, runPipeline } from '../support/run-pipeline.ts'

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

  describe('put out the very bytes, read with read_committed', () => {
    test.each([
      
      { batchSize: 500, partitions: 3, ticks: true, restart: true },
      
      
    ])(
      'batches of $batchSize, $partitions partitions, ticks $ticks, restart $restart',
      async ({ partitions, ...rest }) => {
        const namespace = randomUUID()
        const topics = topicNames(`${namespace}-`)
        const brokers = kafkaBrokers.split(',')
        await createTopics({
          brokers,
          clientId: 'test',
          log: LOG,
          topics: Object.values(topics).map(name => ({ name, partitions })),
        })
        const open = () =>
          openKafkaRedisBackend({
            kafka: {
              brokers,
              clientId: 'test',
              groupPrefix: `${namespace}-`,
              transactionalIdPrefix: namespace,
              log: LOG,
            },
            redis: { url: redisUrl, namespace, log: LOG },
          })
        // Of what a batch of one record costs, a part of the signals shows as much as all of them.
        const some = rest.batchSize === 1 ? signals.slice(0, 1500) : signals
        const wanted =
          rest.batchSize === 1 ? expectedOutputs(some, (fold, slow) => expect(fold).toEqual(slow)) : expected
        const outputs = await runPipeline({ open, topics, models: MODELS, signals: some, ...rest })
        const same = JSON.stringify([...outputs.tierChanges]) === JSON.stringify([...wanted.tierChanges])
        if (!same) {
          const b = await open()
          const seen: Record<number, string[]> = {}
          for await (const r of b.log.readAll(topics.signals)) { const l = (seen[r.partition] ??= []); if (l.length < 4) l.push(r.offset + ' ' + r.key + ' ' + String(r.value).slice(0, 60)) }
          console.log('SIGNALS', JSON.stringify(seen, null, 1))
          const got = new Map<string, string>()
          const lost = [...wanted.tierChanges].flatMap(([, v]) => v).map(v => JSON.parse(v).id).filter(id => ![...outputs.tierChanges].flatMap(([, v]) => v).some(v => v.includes(id)))
          const { Kafka } = await import('kafkajs')
          const k = new Kafka({ brokers, logLevel: 1 }); const c = k.consumer({ groupId: namespace + 'raw', readUncommitted: true }); await c.connect(); await c.subscribe({ topic: topics['tier-changes'], fromBeginning: true })
          await c.run({ eachBatch: async ({ batch }) => { for (const m of (batch as any).rawMessages) { const t = m.isControlRecord ? 'CONTROL ' + m.key.toString('hex') : JSON.parse(String(m.value)).id; got.set(batch.partition + '/' + m.offset, t + ' pid ' + m.batchContext.producerId + ' ep ' + m.batchContext.producerEpoch + ' tx ' + m.batchContext.inTransaction) } } })
          await new Promise(r => setTimeout(r, 6000)); await c.disconnect()
          console.log('LOST', lost.length, lost.map(id => id + ' => ' + [...got].filter(([, t]) => t.startsWith(id)).map(([p, t]) => p + ' ' + t).join(' & ')).join('\n'))
          console.log('RAW', [...got].sort(([a], [b]) => { const [p, o] = a.split('/').map(Number), [q, u] = b.split('/').map(Number); return p! - q! || o! - u! }).slice(0, 80).map(e => e.join(' ')).join('\n'))
          await b.close()
        }
        expect(same).toBe(true)
        expect(outputs.pqlEvents).toEqual(wanted.pqlEvents)
      },
    )
  })
})
