import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { evaluate } from '../../src/scoring/evaluate.ts'
import { nextDue } from '../../src/scoring/next-due.ts'
import { slowStandingsOf, standingsOf } from '../support/final-standings.ts'
import { foldHistory } from '../support/fold-history.ts'
import { arbitraryBatches, arbitraryHistory, endWithTick } from '../support/histories.ts'
import { type HistoryRecord, slowEvaluate, withoutIds } from '../support/slow/slow-evaluator.ts'

const DAY_MS = 86_400_000
const RUNS = 100

vi.setConfig({ testTimeout: 120_000 })

/**
 * Shrinking a counterexample takes far longer than finding it. After this time the smallest one so far is
 * shown.
 */
fc.configureGlobal({ interruptAfterTimeLimit: 60_000 })

/**
 * An account meets a new model only when it is touched. A models record touches none, so a last tick touches
 * those due.
 */
function settled(history: readonly HistoryRecord[]): HistoryRecord[] {
  return endWithTick(history, 2 * DAY_MS)
}

describe('folding incrementally', () => {
  test('gives the same events as the slow evaluator, whatever the batches', () => {
    fc.assert(
      fc.property(arbitraryBatches({ accounts: 3, length: 60 }), batches => {
        const history = batches.flat()
        const folded = foldHistory(batches)
        const slow = slowEvaluate(history)
        expect(withoutIds(folded.events)).toEqual(withoutIds(slow.events))
      }),
      { numRuns: RUNS },
    )
  })

  test('gives the same events as the slow evaluator when that visits every boundary', () => {
    fc.assert(
      fc.property(arbitraryHistory({ accounts: 2, length: 40 }), history => {
        const whole = settled(history)
        expect(withoutIds(foldHistory([whole]).events)).toEqual(
          withoutIds(slowEvaluate(whole, { everyBoundary: true }).events),
        )
      }),
      { numRuns: 60 },
    )
  })

  test('ends in the same standings as the slow evaluator', () => {
    fc.assert(
      fc.property(arbitraryHistory({ accounts: 3, length: 60, modelChanges: 0 }), history => {
        expect(standingsOf(foldHistory([history]))).toEqual(slowStandingsOf(slowEvaluate(history)))
      }),
      { numRuns: RUNS },
    )
  })

  test('gives the same bytes and the same event ids, whatever the batches', () => {
    fc.assert(
      fc.property(arbitraryBatches({ accounts: 3, length: 60 }), batches => {
        const one = foldHistory([batches.flat()])
        const many = foldHistory(batches)
        expect(many.events).toEqual(one.events)
        expect(many.bytes).toEqual(one.bytes)
      }),
      { numRuns: RUNS },
    )
  })

  test('remembers the same next change as a computation from scratch gives', () => {
    fc.assert(
      fc.property(arbitraryHistory({ accounts: 3, length: 60 }), history => {
        // These accounts were decoded from bytes, so they remember nothing yet.
        for (const account of foldHistory([history]).accounts.values())
          expect(nextDue(account)).toBe(account.dueAt)
      }),
      { numRuns: RUNS },
    )
  })

  test('does not depend on when ticks come', () => {
    fc.assert(
      fc.property(
        arbitraryHistory({ accounts: 3, length: 60 }),
        fc.array(fc.nat({ max: 100 }), { maxLength: 20 }),
        (history, places) => {
          const quiet = history.filter(record => !('tick' in record))
          const ticking = places.reduce(
            (records, place) => withTickAt(records, place % (records.length + 1)),
            quiet,
          )
          const end = 3 * DAY_MS
          expect(withoutIds(foldHistory([endWithTick(ticking, end)]).events)).toEqual(
            withoutIds(foldHistory([endWithTick(quiet, end)]).events),
          )
        },
      ),
      { numRuns: RUNS },
    )
  })

  test('never gives two events the same id', () => {
    fc.assert(
      fc.property(arbitraryHistory({ accounts: 3, length: 80 }), history => {
        const ids = foldHistory([history]).events.map(({ id }) => id)
        expect(new Set(ids).size).toBe(ids.length)
      }),
      { numRuns: RUNS },
    )
  })

  test('leaves no change for a full evaluation to find', () => {
    fc.assert(
      fc.property(arbitraryHistory({ accounts: 2, length: 60, modelChanges: 0 }), history => {
        for (const account of foldHistory([history]).accounts.values()) {
          for (const standing of account.standings) {
            const { values, points, known, groupPoints, score, coverage, tier, triggers } = standing
            const before = structuredClone({
              values,
              points,
              known,
              groupPoints,
              score,
              coverage,
              tier,
              triggers,
            })
            expect(
              evaluate(standing, account.activity, account.id, 'everything', { type: 'window' }),
            ).toEqual([])
            expect({
              values,
              points,
              known,
              groupPoints,
              score: standing.score,
              coverage: standing.coverage,
              tier: standing.tier,
              triggers,
            }).toEqual(before)
          }
        }
      }),
      { numRuns: RUNS },
    )
  })
})

/** Inserts a tick with the time of the record before it, since time never goes back. */
function withTickAt(records: readonly HistoryRecord[], place: number): HistoryRecord[] {
  const before = records[place - 1]
  if (before === undefined) return [...records]
  return [...records.slice(0, place), { timestamp: before.timestamp, tick: true }, ...records.slice(place)]
}
