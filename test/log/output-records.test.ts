import { expect, test } from 'vitest'
import { deadLetterRecord } from '../../src/log/output-records.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { logRecord } from '../support/log-record.ts'

const REJECTION = { code: 'not-json', detail: 'the value is not JSON' } as const

test('a dead letter keeps key, value and headers, and says why and where from', () => {
  const outgoing = { topic: 'product-usage', key: 'k', value: '{', headers: { trace: 't-1' }, timestamp: 17 }
  const record = logRecord(3, 42, outgoing)
  expect(deadLetterRecord(topicNames(''), record, REJECTION)).toEqual({
    topic: 'dead-letter',
    key: Buffer.from('k'),
    value: Buffer.from('{'),
    headers: {
      trace: Buffer.from('t-1'),
      'upswell-reason': 'not-json',
      'upswell-detail': 'the value is not JSON',
      'upswell-topic': 'product-usage',
      'upswell-partition': '3',
      'upswell-offset': '42',
      'upswell-timestamp': '1970-01-01T00:00:00.017Z',
    },
  })
})

test("Upswell's headers win over those that a record brings, such as a dead letter that is sent again", () => {
  const own = ['reason', 'detail', 'topic', 'partition', 'offset', 'timestamp'].map(name => `upswell-${name}`)
  const headers = Object.fromEntries(own.map(name => [name, 'from outside']))
  const record = logRecord(3, 42, { topic: 'product-usage', key: null, value: '{', headers })
  const letter = deadLetterRecord(topicNames(''), record, REJECTION)
  expect(Object.keys(letter.headers!).sort()).toEqual(own.sort())
  expect(Object.values(letter.headers!)).not.toContainEqual(Buffer.from('from outside'))
  expect(letter.headers!['upswell-reason']).toBe('not-json')
})

test('a timestamp in a unit that no date can have is written as a number', () => {
  const outgoing = { topic: 'product-usage', key: null, value: '{', timestamp: 1.7e18 }
  const { headers } = deadLetterRecord(topicNames(''), logRecord(0, 0, outgoing), REJECTION)
  expect(headers!['upswell-timestamp']).toBe('1700000000000000000')
})
