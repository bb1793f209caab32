import fc from 'fast-check'
import { expect, test } from 'vitest'
import { internal } from '../../../src/kafka-wire/hooks/internals.ts'
import type { ProduceDefinitions } from '../../../src/kafka-wire/hooks/produce-encoding.ts'
import { crc32c } from '../../../src/kafka-wire/produce/crc32c.ts'
import { encodeProduce, type ProducedMessage } from '../../../src/kafka-wire/produce/produce-request.ts'

/** kafkajs's own, since this file installs no hooks. */
const { protocol } = internal<ProduceDefinitions>('protocol/requests/produce/index.js')
const slowCrc32c = internal<(bytes: Buffer) => number>('protocol/recordBatch/crc32C/index.js')

const text = fc.oneof(
  fc.string({ maxLength: 10 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  // Around the lengths at which a varint takes one byte more.
  fc.integer({ min: 50, max: 70 }).map(length => 'x'.repeat(length)),
  fc.integer({ min: 8_000, max: 8_250 }).map(length => 'y'.repeat(length)),
)
const bytes = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 80 }).map(array => Buffer.from(array)),
)
const message: fc.Arbitrary<ProducedMessage> = fc.record(
  {
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.dictionary(text, bytes, { maxKeys: 4 }),
    // All with the same number of digits: kafkajs orders them as texts.
    timestamp: fc.integer({ min: 1_000_000_000_000, max: 9_999_999_999_999 }).map(String),
  },
  { requiredKeys: ['value', 'timestamp'] },
)
const request = fc.record({
  transactionalId: fc.option(fc.string({ maxLength: 20 }), { nil: null }),
  producerId: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 2 ** 50 })),
  producerEpoch: fc.integer({ min: 0, max: 30_000 }),
  acks: fc.constantFrom(-1, 0, 1),
  timeout: fc.nat(),
  topicData: fc.array(
    fc.record({
      topic: fc.string({ minLength: 1, maxLength: 30 }),
      partitions: fc.array(
        fc.record({
          partition: fc.nat(100),
          firstSequence: fc.nat(),
          messages: fc.array(message, { minLength: 1, maxLength: 12 }),
        }),
        { maxLength: 3 },
      ),
    }),
    { maxLength: 3 },
  ),
})

test('encodes a produce request to the same bytes as kafkajs', async () => {
  await fc.assert(
    fc.asyncProperty(request, fc.constantFrom(3, 5, 7), async (given, version) => {
      const expected = (await protocol({ version })(given).request.encode()).buffer
      expect(encodeProduce(given).equals(expected)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('encodes a request that is larger than its first buffer', async () => {
  const messages = Array.from({ length: 700 }, (_, i) => ({
    value: `${i}`.padEnd(1_500, 'ü'),
    timestamp: '1767600000000',
  }))
  const given = {
    acks: -1,
    timeout: 1,
    topicData: [{ topic: 't', partitions: [{ partition: 0, messages }] }],
  }
  const expected = (await protocol({ version: 7 })(given).request.encode()).buffer
  expect(encodeProduce(given).equals(expected)).toBe(true)
})

test('computes the same CRC-32C as kafkajs', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(10), (array, from) => {
      const start = Math.min(from, array.length)
      expect(crc32c(array, start, array.length)).toBe(slowCrc32c(Buffer.from(array.subarray(start))) >>> 0)
    }),
  )
})
