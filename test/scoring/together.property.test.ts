import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { ManyIds } from '../../src/scoring/activity/many-ids.ts'
import { arbitraryModelChanges } from '../support/arbitrary/arbitrary-model-changes.ts'
import { foldHistory } from '../support/fold-history.ts'
import { arbitrarySplit, endWithTick } from '../support/histories.ts'
import { type HistoryRecord, slowEvaluate, withoutIds } from '../support/slow/slow-evaluator.ts'
import { SLOW_SMALL_LIMITS } from '../support/small-limits.ts'
import { arbitraryLoads, type LoadRecord, loadedAccounts } from '../support/time/loads.ts'

// All at once: histories beside live signals, models that rename tiers, go and come back, accounts with many
// ids, and every limit.
vi.mock('../../src/scoring/activity/id-limits.ts', () => import('../support/small-id-limits.ts'))
vi.mock('../support/slow/slow-id-limits.ts', () => import('../support/small-id-limits.ts'))
vi.mock(import('../../src/scoring/activity/activity.ts'), async importOriginal => {
  const original = await importOriginal()
  const { SMALL_LIMITS } = await import('../support/small-limits.ts')
  const small = { ...original.LIMITS, ...SMALL_LIMITS }
  return { ...original, LIMITS: small as unknown as typeof original.LIMITS }
})
vi.setConfig({ testTimeout: 180_000 })
fc.configureGlobal({ interruptAfterTimeLimit: 90_000 })

const DAY_MS = 86_400_000
const RUNS = 40

const arbitraryLog = (isLate: boolean): fc.Arbitrary<LoadRecord[]> => {
  const options = { accounts: 2, length: 50 }
  return arbitraryLoads({ ...options, isLate, live: arbitraryModelChanges(options) })
}

test('an account has the same events, core and chunks, whatever the batches, and no event id comes twice', () => {
  const moved = vi.spyOn(ManyIds.prototype, 'takeAll')
  let removed = 0
  let loaded = 0
  fc.assert(
    fc.property(arbitraryLog(true).chain(arbitrarySplit), batches => {
      const one = foldHistory([batches.flat()])
      for (const cut of [batches, batches.flat().map(record => [record])]) {
        const { events, bytes, chunks } = foldHistory(cut)
        expect(events).toEqual(one.events)
        expect(bytes).toEqual(one.bytes)
        expect(chunks).toEqual(one.chunks)
      }
      const ids = one.events.map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
      loaded += loadedAccounts(batches.flat()).size
      for (const { activity } of one.accounts.values()) removed += activity.formerTiers.size
    }),
    { numRuns: RUNS },
  )
  // Without these the test would prove nothing.
  expect(moved.mock.calls.length).toBeGreaterThan(RUNS)
  expect(loaded).toBeGreaterThan(RUNS / 2)
  expect(removed).toBeGreaterThan(0)
})

test('an account has the events and reaches the limits that the slow evaluator finds', () => {
  const reached = new Set<string>()
  fc.assert(
    fc.property(arbitraryLog(false).chain(arbitrarySplit), batches => {
      const timed = batches.flat().filter((record): record is HistoryRecord => !('live' in record))
      const end = endWithTick(timed, 2 * DAY_MS).at(-1)!
      const folded = foldHistory([...batches, [end]])
      const slow = slowEvaluate([...batches.flat(), end], { limits: SLOW_SMALL_LIMITS })
      expect(withoutIds(folded.events)).toEqual(withoutIds(slow.events))
      for (const [id, { activity }] of folded.accounts) {
        expect(activity.dropped).toEqual(slow.accounts.get(id)!.dropped)
        for (const [name, count] of Object.entries(activity.dropped)) if (count > 0) reached.add(name)
      }
    }),
    { numRuns: RUNS },
  )
  expect([...reached]).toEqual(expect.arrayContaining(['ids', 'names', 'keys', 'ended-models']))
})
