import fc from 'fast-check'
import { expect, test } from 'vitest'
import { roundScore } from '../../src/lib/round.ts'

test.each([
  [24.499999999999996, 0, 25],
  [24.4999, 0, 24],
  [1.005, 2, 1.01],
  [8.165, 2, 8.17],
  [0.575, 2, 0.58],
  [0.123456749, 6, 0.123457],
  [-2.5, 0, -2],
  [-2.51, 0, -3],
  [100, 0, 100],
])('%d rounded to %d digits is %d', (value, decimals, expected) => {
  expect(roundScore(value, decimals)).toBe(expected)
})

test('keeps a number that has no more digits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      fc.integer({ min: 0, max: 6 }),
      (digits, decimals) => {
        const value = Number(`${digits}e-${decimals}`)
        expect(roundScore(value, decimals)).toBe(value)
      },
    ),
  )
})
