import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readVarint, varintSize } from '../../../src/kafka-wire/fetch/varint.ts'
import { encodeVarint } from './record-batches.ts'

it('reads every encoded integer at any position', () => {
  const edges = [7, 14, 21, 28, 31, 32, 35, 42, 49].flatMap(bits => [2 ** bits, 2 ** (bits - 1)])
  const arbitraryInteger = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc
      .tuple(fc.constantFrom(...edges), fc.integer({ min: -2, max: 2 }), fc.constantFrom(1, -1))
      .map(([edge, off, sign]) => sign * (edge + off)),
  )
  fc.assert(
    fc.property(arbitraryInteger, fc.nat(20), (value, at) => {
      const encoded = encodeVarint(value)
      const bytes = Buffer.concat([Buffer.alloc(at, 255), encoded, Buffer.alloc(3, 255)])
      expect(readVarint(bytes, at)).toBe(value)
      expect(varintSize(bytes, at)).toBe(encoded.length)
    }),
    { numRuns: 2_000 },
  )
})

it('reads the largest integers of the protocol, as exactly as a number can', () => {
  const lowest = Buffer.from([255, 255, 255, 255, 255, 255, 255, 255, 255, 1])
  expect(readVarint(lowest, 0)).toBe(-(2 ** 63))
})

it('refuses an integer without an end, and reads zeros after the bytes', () => {
  expect(() => readVarint(Buffer.alloc(20, 128), 0)).toThrow(RangeError)
  expect(readVarint(Buffer.alloc(0), 0)).toBe(0)
  expect(readVarint(Buffer.from([128]), 0)).toBe(0)
})
