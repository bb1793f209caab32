import { createRequire } from 'node:module'
import fc from 'fast-check'
import produceRequests from 'kafkajs/src/protocol/requests/produce/index.js'
import { expect, test } from 'vitest'
import { crc32c } from '../../src/kafka-wire/crc32c.ts'
import {
  encodeProduce,
  encodeProduceFast,
  type ProducedMessage,
} from '../../src/kafka-wire/produce-request.ts'

const require = createRequire(import.meta.url)
/** Before it is replaced. */
const original = produceRequests.protocol
const slowCrc32c = require('kafkajs/src/protocol/recordBatch/crc32C/index.js') as (bytes: Buffer) => number

const text = fc.oneof(
  fc.string({ maxLength: 10 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  // Around the lengths at which a varint takes a byte more.
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
    // Of as many digits: kafkajs orders them as texts.
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

test('a produce request is encoded to the bytes that kafkajs makes', async () => {
  await fc.assert(
    fc.asyncProperty(request, fc.constantFrom(3, 5, 7), async (given, version) => {
      const expected = (await original({ version })(given).request.encode()).buffer
      expect(encodeProduce(given).equals(expected)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('one that is larger than the buffer at first is whole', async () => {
  const messages = Array.from({ length: 700 }, (_, i) => ({
    value: `${i}`.padEnd(1_500, 'ü'),
    timestamp: '1767600000000',
  }))
  const given = {
    acks: -1,
    timeout: 1,
    topicData: [{ topic: 't', partitions: [{ partition: 0, messages }] }],
  }
  const expected = (await original({ version: 7 })(given).request.encode()).buffer
  expect(encodeProduce(given).equals(expected)).toBe(true)
})

test('kafkajs encodes with it once it is told to, and is told once', async () => {
  encodeProduceFast()
  const { protocol } = produceRequests
  encodeProduceFast()
  expect(produceRequests.protocol).toBe(protocol)
  expect(protocol).not.toBe(original)
  const messages = [{ value: 'v', timestamp: '1767600000000' }]
  const given = {
    acks: -1,
    timeout: 1,
    topicData: [{ topic: 't', partitions: [{ partition: 0, messages }] }],
  }
  expect((await protocol({ version: 7 })(given).request.encode()).buffer).toEqual(encodeProduce(given))
})

test('CRC-32C is what kafkajs computes byte by byte', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(10), (array, from) => {
      const start = Math.min(from, array.length)
      expect(crc32c(array, start, array.length)).toBe(slowCrc32c(Buffer.from(array.subarray(start))) >>> 0)
    }),
  )
})
