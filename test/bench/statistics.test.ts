import fc from 'fast-check'
import { expect, it } from 'vitest'
import { atRank, middle } from '../../bench/report/statistics.ts'

const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 12 })

it('as many values are below the median as above it', () => {
  fc.assert(
    fc.property(values, given => {
      const { median, least, most } = middle(given)
      expect(given.filter(value => value < median).length).toBeLessThanOrEqual(given.length / 2)
      expect(given.filter(value => value > median).length).toBeLessThanOrEqual(given.length / 2)
      expect(given).toContain(least)
      expect(given).toContain(most)
      expect(given.every(value => least <= value && value <= most)).toBe(true)
    }),
  )
  expect(middle([4, 1]).median).toBe(2.5)
})

it('a rank is the least value that this share of the values does not exceed', () => {
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 100 }), (given, percent) => {
      const sorted = [...given].sort((a, b) => a - b)
      const slow = sorted.find(
        value => sorted.filter(other => other <= value).length >= (percent / 100) * sorted.length,
      )
      expect(atRank(sorted, percent / 100)).toBe(slow)
    }),
  )
  expect(atRank([], 0.5)).toBeNaN()
})
