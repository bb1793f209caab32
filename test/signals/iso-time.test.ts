import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isoTime } from '../../src/signals/iso-time.ts'

const LARGEST_MS = 8_640_000_000_000_000

test('writes a time as Date does', () => {
  const ms = fc.oneof(
    fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2030, 0) }),
    fc.integer({ min: -LARGEST_MS, max: LARGEST_MS }),
    fc.constantFrom(0, -1, 999, Date.UTC(1000, 0), Date.UTC(1000, 0) - 1, Date.UTC(9999, 11, 31) - 1, 0.5),
  )
  fc.assert(
    fc.property(fc.array(ms, { maxLength: 5 }), times => {
      expect(times.map(isoTime)).toEqual(times.map(time => new Date(time).toISOString()))
    }),
    { numRuns: 2_000 },
  )
})

test('throws for a number that is not a time, as Date does', () => {
  for (const ms of [Number.NaN, LARGEST_MS + 1, Number.NEGATIVE_INFINITY])
    expect(() => isoTime(ms)).toThrow(RangeError)
})
