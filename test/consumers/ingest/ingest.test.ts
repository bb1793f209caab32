import { describe, expect, test } from 'vitest'
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
async function ingest(
  topic: string,
  values: readonly string[],
  options: Partial<IngestOptions> = {},
  headers: Readonly<Record<string, string>> = {},
) {
  const committed: {
    readonly records: readonly OutgoingRecord[]
    readonly nextOffset: number
    readonly countsBefore: number
  }[] = []
  const counts: string[] = []
  const warnings: unknown[] = []
  let consumed: ConsumeOptions | undefined
  const log: Pick<Log, 'consume'> = {
    consume: async given => {
      consumed = given
      return { stop: async () => {}, problem: () => undefined, waitingMs: () => 0, assignments: () => [] }
    },
  }
  await startIngest({
    log: log as Log,
    topics: TOPICS,
    group: 'ingest',
    batchSize: 100,
    now: () => NOW,
    logger: { info: () => {}, warn: (...said) => warnings.push(said), error: () => {} },
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
      // Counts and warnings come after the commit: a batch that was not committed comes again.
      committed.push({ records, nextOffset, countsBefore: counts.length })
    },
    isOver: false,
    lose: () => {},
  }
  const records = values.map((value, i) => logRecord(0, 2 * i, { topic, key: 'a-key', value, headers }, 17))
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
  expect(warnings).toEqual([
    [
      'records of intent-signals went to dead-letter',
      { topic: 'intent-signals', partition: 0, rejected: 2, read: 3 },
    ],
  ])
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

describe('the time of a record in signals', () => {
  const timeOf = async (occurredAt: string) => {
    const { committed } = await ingest('product-usage', [JSON.stringify({ ...SIGNAL, occurredAt })])
    return committed[0]!.records.map(({ topic, timestamp }) => [topic, timestamp])
  }

  test('is the time of ingest, however old the signal and whatever the source says', async () => {
    expect(await timeOf('2026-01-05T09:00:00Z')).toEqual([['signals', NOW]])
    expect(await timeOf('1970-01-01T00:00:00Z')).toEqual([['signals', NOW]])
  })

  test('is never before the signal itself: the clock of its source may be ahead', async () => {
    expect(await timeOf('2026-01-05T10:09:00Z')).toEqual([['signals', NOW + 9 * 60_000]])
    expect(await timeOf('2026-01-05T10:11:00Z')).toMatchObject([['dead-letter', undefined]])
  })

  test('is read once for a batch', async () => {
    let asked = 0
    const now = () => NOW + asked++
    const values = [1, 2, 3].map(i => JSON.stringify({ ...SIGNAL, id: `s-${i}` }))
    const { committed } = await ingest('product-usage', values, { now })
    expect(committed[0]!.records.map(({ timestamp }) => timestamp)).toEqual([NOW, NOW, NOW])
  })
})

test('no header of a source reaches signals: there they say what Upswell itself wrote', async () => {
  const headers = { 'upswell-record': 'tick', 'upswell-clock': 'event', trace: 't-1' }
  const { committed } = await ingest('product-usage', [JSON.stringify(SIGNAL)], {}, headers)
  expect(committed[0]!.records.map(record => record.headers)).toEqual([{}])
})

test('a rejected record keeps its headers, also those with names that Upswell uses', async () => {
  const headers = { 'upswell-reason': 'from outside', trace: 't-1' }
  const { committed } = await ingest('product-usage', ['{'], {}, headers)
  expect(committed[0]!.records).toMatchObject([
    {
      carriedHeaders: [
        [Buffer.from('upswell-reason'), Buffer.from('from outside')],
        [Buffer.from('trace'), Buffer.from('t-1')],
      ],
      headers: { 'upswell-reason': 'not-json' },
    },
  ])
})

test('a signal goes to its account, whatever key the source gave it', async () => {
  const values = ['beta', 'acme'].map(accountId => JSON.stringify({ ...SIGNAL, accountId }))
  const { committed } = await ingest('product-usage', values)
  expect(committed[0]!.records.map(({ key, partition }) => [key, partition])).toEqual([
    ['beta', undefined],
    ['acme', undefined],
  ])
})

test('counts and warns after the commit', async () => {
  const { committed, counts } = await ingest('contracts', ['{'])
  expect([committed[0]!.countsBefore, counts]).toEqual([0, ['contracts accepted 0', 'contracts rejected 1']])
})

test.each([
  ['product-usage', 'usage'],
  ['intent-signals', 'intent'],
  ['account-traits', 'traits'],
  ['customer-health', 'health'],
  ['contracts', 'contract'],
  ['expansion-outcomes', 'outcome'],
])('a record of %s is of kind %s, unless it names another', async (topic, kind) => {
  const facts = { ...SIGNAL, properties: { seats: 5 } }
  const values = [facts, { ...facts, kind: null }, { ...facts, kind: 'health' }].map(each =>
    JSON.stringify(each),
  )
  const { committed } = await ingest(topic, values)
  expect(committed[0]!.records.map(({ value }) => JSON.parse(String(value)).kind)).toEqual([
    kind,
    kind,
    'health',
  ])
})

test('what is checked strictly at an edge goes to dead-letter with the nearest field', async () => {
  const { committed } = await ingest('product-usage', [
    JSON.stringify({ ...SIGNAL, quantty: 40, userID: 'u1' }),
  ])
  expect(committed[0]!.records).toMatchObject([
    {
      topic: 'dead-letter',
      headers: {
        'upswell-reason': 'unknown-field',
        'upswell-detail': expect.stringMatching(/did you mean "quantity"\?.*did you mean "userId"\?/),
      },
    },
  ])
})
