import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { foldHistory } from '../support/fold-history.ts'
import { arbitrarySplit, endWithTick } from '../support/histories.ts'
import { type HistoryRecord, slowEvaluate, withoutIds } from '../support/slow/slow-evaluator.ts'
import { arbitraryLoads, type LoadRecord, loadedAccounts } from '../support/time/loads.ts'

const DAY_MS = 86_400_000
const RUNS = 80

vi.setConfig({ testTimeout: 120_000 })
fc.configureGlobal({ interruptAfterTimeLimit: 60_000 })

/** A last tick of the wall clock, which also reaches released accounts. */
function settled(log: readonly LoadRecord[]): LoadRecord[] {
  const timed = log.filter((record): record is HistoryRecord => !('live' in record))
  return [...log, endWithTick(timed, 2 * DAY_MS).at(-1)!]
}

test('histories beside live signals give the same events as the slow evaluator, whatever the batches', () => {
  let events = 0
  fc.assert(
    fc.property(
      arbitraryLoads({ accounts: 2, length: 40, isLate: false }).chain(log => arbitrarySplit(settled(log))),
      batches => {
        const folded = withoutIds(foldHistory(batches).events)
        expect(folded).toEqual(withoutIds(slowEvaluate(batches.flat()).events))
        events += folded.length
      },
    ),
    { numRuns: RUNS },
  )
  expect(events).toBeGreaterThan(RUNS)
})

test('a load of history changes no event and no byte of another account', () => {
  let compared = 0
  fc.assert(
    fc.property(arbitraryLoads({ accounts: 3, length: 50, isLate: true }), log => {
      const loaded = loadedAccounts(log)
      const isOfLoad = (record: LoadRecord): boolean =>
        'live' in record ||
        ('tick' in record && record.loaded === true) ||
        ('signal' in record && loaded.has(record.signal.accountId))
      const beside = foldHistory([settled(log)])
      const alone = foldHistory([settled(log)], record => !isOfLoad(record))
      expect(beside.events.filter(({ accountId }) => !loaded.has(accountId))).toEqual(alone.events)
      const others = [...beside.bytes].filter(([accountId]) => !loaded.has(accountId))
      expect(others).toEqual([...alone.bytes])
      compared += others.length
    }),
    { numRuns: RUNS },
  )
  expect(compared).toBeGreaterThan(RUNS)
})

test('histories beside live signals give the same bytes, whatever the batches', () => {
  fc.assert(
    fc.property(
      arbitraryLoads({ accounts: 3, length: 50, isLate: true }).chain(log => arbitrarySplit(log)),
      batches => {
        const one = foldHistory([batches.flat()])
        const many = foldHistory(batches)
        expect(many.events).toEqual(one.events)
        expect(many.bytes).toEqual(one.bytes)
      },
    ),
    { numRuns: RUNS },
  )
})
