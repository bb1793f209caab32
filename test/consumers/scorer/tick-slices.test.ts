import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bucketsOfSlice, slicesFor, ticksFor } from '../../../src/consumers/scorer/tick-slices.ts'
import { DUE_BUCKETS, dueBucketOf, isInSlice, MOST_SLICES } from '../../../src/scoring/due-slices.ts'

const counts = fc.oneof(
  fc.integer({ min: 1, max: DUE_BUCKETS }),
  fc.integer({ min: 9, max: 12 }).map(bits => 2 ** bits),
)

describe('slices', () => {
  test('put each account into exactly one slice, whose buckets contain it', () => {
    fc.assert(
      fc.property(fc.string(), counts, (accountId, of) => {
        const slices = Array.from({ length: of }, (_, slice) => slice)
        const containing = slices.filter(slice => isInSlice(accountId, slice, of))
        expect(containing).toHaveLength(1)
        expect(bucketsOfSlice(containing[0]!, of)).toContain(dueBucketOf(accountId))
      }),
      { numRuns: 60 },
    )
  })

  test('are about equally large, even with more slices than buckets', () => {
    const of = 4 * DUE_BUCKETS
    const sizes = new Array<number>(of).fill(0)
    const accounts = Array.from({ length: 100 * of }, (_, i) => `account-${i}`)
    for (let slice = 0; slice < of; slice += 64)
      sizes[slice] = accounts.filter(id => isInSlice(id, slice, of)).length
    for (let slice = 0; slice < of; slice += 64) {
      expect(sizes[slice]).toBeGreaterThan(50)
      expect(sizes[slice]).toBeLessThan(150)
    }
  })

  test.each([
    [0, 1],
    [250, 1],
    [251, 2],
    [250_000, 1024],
    [10 ** 9, MOST_SLICES],
  ])('for %i due accounts: %i ticks', (accounts, ticks) => {
    expect(ticksFor(accounts)).toBe(ticks)
  })

  test('of whole buckets are never more than the buckets', () => {
    expect([slicesFor(1_000, 500), slicesFor(10 ** 9, 500)]).toEqual([2, DUE_BUCKETS])
  })
})
