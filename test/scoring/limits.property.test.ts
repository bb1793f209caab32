import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { compileRates, rateShares } from '../../src/scoring/population/rate-cells.ts'
import { slowStandingsOf, standingsOf } from '../support/final-standings.ts'
import { foldHistory } from '../support/fold-history.ts'
import { arbitraryBatches, type HistoryOptions } from '../support/histories.ts'
import { momentOf } from '../support/slow/slow-account.ts'
import { slowEvaluate, withoutIds } from '../support/slow/slow-evaluator.ts'
import { isSelected } from '../support/slow/slow-features.ts'
import { SLOW_SMALL_LIMITS } from '../support/small-limits.ts'

/** The rules beyond the limits, with limits so small that nearly every history reaches them. */

vi.mock(import('../../src/scoring/activity/activity.ts'), async importOriginal => {
  const original = await importOriginal()
  const { SMALL_LIMITS } = await import('../support/small-limits.ts')
  const small = { ...original.LIMITS, ...SMALL_LIMITS }
  return { ...original, LIMITS: small as unknown as typeof original.LIMITS }
})
vi.setConfig({ testTimeout: 120_000 })
fc.configureGlobal({ interruptAfterTimeLimit: 60_000 })

const RUNS = 100
const HISTORY: HistoryOptions = { accounts: 2, length: 60 }

test('folds as the slow evaluator does beyond the limits, whatever the batches', () => {
  const reached = new Set<string>()
  fc.assert(
    fc.property(arbitraryBatches(HISTORY), batches => {
      const folded = foldHistory(batches)
      const slow = slowEvaluate(batches.flat(), { limits: SLOW_SMALL_LIMITS })
      expect(withoutIds(folded.events)).toEqual(withoutIds(slow.events))
      for (const { dropped } of slow.accounts.values())
        for (const [name, count] of Object.entries(dropped)) if (count > 0) reached.add(name)
    }),
    { numRuns: RUNS },
  )
  // No random quantities add up to the highest sum.
  expect([...reached].sort()).toEqual([
    'ended-models',
    'former-tiers',
    'keys',
    'names',
    'overrides',
    'too-old',
    'values',
  ])
})

test('ends in the same standings and counts as the slow evaluator', () => {
  fc.assert(
    fc.property(arbitraryBatches({ ...HISTORY, modelChanges: 0 }), batches => {
      const slow = slowEvaluate(batches.flat(), { limits: SLOW_SMALL_LIMITS })
      expect(standingsOf(foldHistory(batches))).toEqual(slowStandingsOf(slow))
    }),
    { numRuns: RUNS },
  )
})

test('gives the same bytes and event ids whatever the batches, and no event id twice', () => {
  fc.assert(
    fc.property(arbitraryBatches({ ...HISTORY, modelChanges: 6 }), batches => {
      const one = foldHistory([batches.flat()])
      const many = foldHistory(batches)
      expect(many.events).toEqual(one.events)
      expect(many.bytes).toEqual(one.bytes)
      const ids = one.events.map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
    }),
    { numRuns: RUNS },
  )
})

test('leaves to rates what the slow evaluator finds', () => {
  fc.assert(
    fc.property(arbitraryBatches(HISTORY), batches => {
      const slow = slowEvaluate(batches.flat(), { limits: SLOW_SMALL_LIMITS })
      for (const account of foldHistory(batches).accounts.values()) {
        const slowAccount = slow.accounts.get(account.id)!
        for (const { rate, days } of rateShares(account, compileRates)) {
          const selected = momentOf({ ...slowAccount, clock: account.activity.clock })
            .held.filter(each => isSelected(each, rate.definition.select))
            .map(({ day }) => day)
          expect(days).toEqual([...new Set(selected)].sort((a, b) => a - b))
        }
      }
    }),
    { numRuns: RUNS },
  )
})
