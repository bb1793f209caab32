import { expect, test } from 'vitest'
import { type IngestOptions, startIngest } from '../../../src/consumers/ingest/ingest.ts'
import type { ConsumeOptions, Log, OutgoingRecord, PartitionSession } from '../../../src/log/log.ts'
import { topicNames } from '../../../src/log/topic-names.ts'
import { logRecord } from '../../support/log-record.ts'

const TOPICS = topicNames('')
const NOW = Date.parse('2026-01-05T10:00:00Z')
const SIGNAL = {
  id: 's-1',
  name: 'report.exported',
  accountId: 'acme',
  occurredAt: '2026-01-05T09:00:00.000Z',
}

/** Ingests the values of one batch of a source topic. */
async function ingest(topic: string, values: readonly string[], options: Partial<IngestOptions> = {}) {
  const committed: { readonly records: readonly OutgoingRecord[]; readonly nextOffset: number }[] = []
  const counts: string[] = []
  const warnings: string[] = []
  let consumed: ConsumeOptions | undefined
  const log: Pick<Log, 'consume'> = {
    consume: async given => {
      consumed = given
      return { stop: async () => {}, problem: () => undefined, assignments: () => [] }
    },
  }
  await startIngest({
    log: log as Log,
    topics: TOPICS,
    group: 'ingest',
    batchSize: 100,
    now: () => NOW,
    logger: { info: () => {}, warn: text => warnings.push(text), error: () => {} },
    onIngested: (of, outcome, count) => counts.push(`${of} ${outcome} ${count}`),
    ...options,
  })
  const session: PartitionSession = {
    topic,
    partition: 0,
    committedOffset: 0,
    firstOffset: 0,
    endOffset: values.length,
    commit: async (records, nextOffset) => {
      committed.push({ records, nextOffset })
    },
    lose: () => {},
  }
  const records = values.map((value, i) => logRecord(0, 2 * i, { topic, key: 'a-key', value }, 17))
  await consumed!.handler.process(session, records)
  return { committed, counts, warnings, topics: consumed!.topics }
}

test('a signal goes to signals with the time that it was observed, keyed by its account', async () => {
  const { committed, counts, warnings } = await ingest('product-usage', [JSON.stringify(SIGNAL)])
  expect(committed).toHaveLength(1)
  const [record] = committed[0]!.records
  expect(record).toMatchObject({ topic: 'signals', key: 'acme', timestamp: NOW })
  expect(JSON.parse(String(record!.value))).toMatchObject({ ...SIGNAL, kind: 'usage' })
  expect(counts).toEqual(['product-usage accepted 1', 'product-usage rejected 0'])
  expect(warnings).toEqual([])
})

test('a record that is no signal goes to dead-letter as it is, with the reason, in the same commit', async () => {
  const values = [JSON.stringify(SIGNAL), '{"id":"s-2"', JSON.stringify({ ...SIGNAL, accountId: 7 })]
  const { committed, counts, warnings } = await ingest('intent-signals', values)
  expect(committed).toHaveLength(1)
  const [{ records, nextOffset }] = committed as [(typeof committed)[0]]
  // Every second offset holds a transaction marker; the next offset follows the last record.
  expect(nextOffset).toBe(5)
  expect(records.map(({ topic }) => topic)).toEqual(['signals', 'dead-letter', 'dead-letter'])
  expect(records[1]).toMatchObject({
    key: Buffer.from('a-key'),
    value: Buffer.from('{"id":"s-2"'),
    headers: {
      'upswell-reason': 'not-json',
      'upswell-topic': 'intent-signals',
      'upswell-partition': '0',
      'upswell-offset': '2',
    },
  })
  expect(counts).toEqual(['intent-signals accepted 1', 'intent-signals rejected 2'])
  expect(warnings).toEqual(['2 of 3 records of intent-signals went to dead-letter'])
})

test('signals go to the log of the serving lineage', async () => {
  const { committed } = await ingest('intent-signals', [JSON.stringify(SIGNAL)], {
    signalsTopic: () => 'v2.signals',
  })
  expect(committed[0]!.records.map(({ topic }) => topic)).toEqual(['v2.signals'])
})

test('every source topic is consumed', async () => {
  const { topics } = await ingest('product-usage', [JSON.stringify(SIGNAL)])
  expect(topics).toEqual([
    'product-usage',
    'intent-signals',
    'account-traits',
    'customer-health',
    'contracts',
    'expansion-outcomes',
  ])
})
