import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BatchReader } from '../../src/kafka-wire/fetch/batch-reader.ts'
import { FetchedRecords } from '../../src/kafka-wire/fetch/fetched-records.ts'
import { encodeProduce } from '../../src/kafka-wire/produce/produce-request.ts'
import { decodeStoredRecord, encodeStoredRecord } from '../../src/log/lmdb/record-codec.ts'
import type { Header, LogRecord, OutgoingRecord } from '../../src/log/log.ts'
import { deadLetterRecord } from '../../src/log/output-records.ts'
import { topicNames } from '../../src/log/topic-names.ts'

const TOPICS = topicNames('')
const OWN = ['reason', 'detail', 'topic', 'partition', 'offset', 'timestamp'].map(name => `upswell-${name}`)

const bytes = fc.uint8Array({ maxLength: 70 }).map(array => Buffer.from(array))
const nullable = fc.option(bytes, { nil: null })
/** Names repeat, are Upswell's own, are empty, or are no text. */
const name = fc.oneof(
  fc.constantFrom('trace', 'trace', '', '__proto__', 'é', ...OWN).map(text => Buffer.from(text)),
  bytes,
)
const rejected = fc.record({
  key: nullable,
  value: nullable,
  carriedHeaders: fc.array(fc.tuple(name, nullable), { maxLength: 6 }),
})

/** Writes a record as the embedded log does, and reads it. */
function throughLmdb(record: OutgoingRecord): LogRecord {
  return decodeStoredRecord(encodeStoredRecord(record, 17), record.topic, 2, 5)
}

/** Writes a record as our producer does, and reads it as our consumer does. */
async function throughKafka(record: OutgoingRecord): Promise<LogRecord> {
  const messages = [{ ...record, timestamp: 17 }]
  const topicData = [{ topic: record.topic, partitions: [{ partition: 2, messages }] }]
  const request = encodeProduce({ acks: -1, timeout: 1, topicData })
  // transactional id, acks, timeout, topics, name, partitions, partition, size of the batch
  const head = 2 + 2 + 4 + 4 + (2 + record.topic.length) + 4 + 4 + 4
  const batches = { topic: record.topic, partition: 2, bytes: request.subarray(head), aborted: [] }
  const records = new FetchedRecords()
  await new BatchReader(batches, 0).read(records, 10)
  return records.at(0)!
}

const plain = ({ key, value, headerList }: LogRecord) => ({ key, value, headers: [...headerList] })

test.each([
  ['the embedded log', throughLmdb],
  ['Kafka', throughKafka],
])('a dead letter in %s has the bytes of its record in their order, then our headers', async (_, through) => {
  await fc.assert(
    fc.asyncProperty(rejected, async ({ key, value, carriedHeaders }) => {
      const record = await through({ topic: 'product-usage', key, value, carriedHeaders })
      expect(plain(record)).toEqual({ key, value, headers: carriedHeaders })
      const letter = await through(deadLetterRecord(TOPICS, record, { code: 'not-json', detail: 'no' }))
      const texts = [
        'not-json',
        'no',
        'product-usage',
        '2',
        String(record.offset),
        '1970-01-01T00:00:00.017Z',
      ]
      const ours = OWN.map((each, i): Header => [Buffer.from(each), Buffer.from(texts[i]!)])
      expect(plain(letter)).toEqual({ key, value, headers: [...carriedHeaders, ...ours] })
      // By name, the last one counts: ours.
      expect(OWN.map(each => String(letter.headers[each]))).toEqual(texts)
    }),
    { numRuns: 300 },
  )
})

test('a record without null headers is stored as it always was', () => {
  const record = { topic: 't', key: 'k', value: 'v', headers: { a: 'b' } }
  expect(encodeStoredRecord(record, 0).toString('hex')).toBe('030000000000000000016b010161016276')
})
