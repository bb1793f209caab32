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
    carriedHeaders: [[Buffer.from('trace'), Buffer.from('t-1')]],
    headers: {
      'upswell-reason': 'not-json',
      'upswell-detail': 'the value is not JSON',
      'upswell-topic': 'product-usage',
      'upswell-partition': '3',
      'upswell-offset': '42',
      'upswell-timestamp': '1970-01-01T00:00:00.017Z',
    },
  })
})

test('the detail of a dead letter has no control characters, which would act on a terminal or cut a text', () => {
  const record = logRecord(0, 0, { topic: 'product-usage', key: null, value: '{' })
  const detail = 'found "\u0000\u001b[31m\u009b\n\u2028\u202e"; é🜁 is accepted'
  const { headers } = deadLetterRecord(topicNames(''), record, { code: 'not-json', detail })
  expect(headers!['upswell-detail']).toBe(
    'found "\\u0000\\u001b[31m\\u009b\\u000a\\u2028\\u202e"; é🜁 is accepted',
  )
})

test('a timestamp in a unit that no date can have is written as a number', () => {
  const outgoing = { topic: 'product-usage', key: null, value: '{', timestamp: 1.7e18 }
  const { headers } = deadLetterRecord(topicNames(''), logRecord(0, 0, outgoing), REJECTION)
  expect(headers!['upswell-timestamp']).toBe('1700000000000000000')
})
