import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { ManyIds } from '../../src/scoring/activity/many-ids.ts'
import { foldHistory } from '../support/fold-history.ts'
import { arbitraryHistory, arbitrarySplit, endWithTick, splitAt } from '../support/histories.ts'
import { type HistoryRecord, slowEvaluate, withoutIds } from '../support/slow/slow-evaluator.ts'

// Chunks of ids come after three signals, and are full after four.
vi.mock('../../src/scoring/activity/id-limits.ts', () => import('../support/small-id-limits.ts'))
vi.mock('../support/slow/slow-id-limits.ts', () => import('../support/small-id-limits.ts'))

vi.setConfig({ testTimeout: 120_000 })
fc.configureGlobal({ interruptAfterTimeLimit: 60_000 })

const DAY_MS = 86_400_000
const RUNS = 80
const moved = vi.spyOn(ManyIds.prototype, 'takeAll')

/** Histories in which many signals are sent again, soon or days later. */
const arbitraryRetries: fc.Arbitrary<HistoryRecord[]> = fc
  .tuple(
    arbitraryHistory({ accounts: 2, length: 50 }),
    fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 10, maxLength: 40 }),
  )
  .map(([history, retries]) => {
    const records = [...history]
    for (const [where, which] of retries) {
      const place = 1 + (where % records.length)
      const sent = records.slice(0, place).flatMap(record => ('signal' in record ? [record] : []))
      if (sent.length === 0) continue
      const { signal } = sent[which % sent.length]!
      records.splice(place, 0, { timestamp: records[place - 1]!.timestamp, signal })
    }
    return records
  })

test('accounts with many ids give the same events and drop as many ids as in the slow evaluator', () => {
  let dropped = 0
  let duplicates = 0
  fc.assert(
    fc.property(arbitraryRetries.chain(arbitrarySplit), batches => {
      const history = batches.flat()
      const folded = foldHistory(batches)
      const slow = slowEvaluate(history)
      expect(withoutIds(folded.events)).toEqual(withoutIds(slow.events))
      for (const [id, { activity }] of folded.accounts) {
        expect(activity.dropped).toEqual(slow.accounts.get(id)!.dropped)
        dropped += activity.dropped.ids
        duplicates += slow.accounts.get(id)!.duplicates
      }
    }),
    { numRuns: RUNS },
  )
  // Without these the test would prove nothing.
  expect(moved.mock.calls.length).toBeGreaterThan(RUNS)
  expect(dropped).toBeGreaterThan(RUNS)
  expect(duplicates).toBeGreaterThan(RUNS)
})

test('accounts with many ids have the same core and chunks, whatever the batches and restarts', () => {
  let chunks = 0
  let without = 0
  fc.assert(
    fc.property(arbitraryRetries.chain(arbitrarySplit), batches => {
      const one = foldHistory([batches.flat()])
      const many = foldHistory(batches)
      const each = foldHistory(batches.flat().map(record => [record]))
      expect(many.bytes).toEqual(one.bytes)
      expect(many.chunks).toEqual(one.chunks)
      expect(each.bytes).toEqual(one.bytes)
      expect(each.chunks).toEqual(one.chunks)
      for (const [id, stored] of one.chunks) {
        const ofIds = [...stored.keys()].filter(name => name.startsWith('i.')).length
        chunks += ofIds
        if (one.accounts.get(id)!.activity.manyIds === undefined) {
          expect(ofIds).toBe(0)
          without++
        }
      }
    }),
    { numRuns: RUNS },
  )
  expect(chunks).toBeGreaterThan(RUNS / 2)
  expect(without).toBeGreaterThan(RUNS / 4)
})

test('accounts with many ids do not depend on when ticks come', () => {
  fc.assert(
    fc.property(
      arbitraryHistory({ accounts: 2, length: 80, modelChanges: 0 }),
      fc.array(fc.nat({ max: 100 }), { maxLength: 20 }),
      (history, places) => {
        const quiet = history.filter(record => !('tick' in record))
        const cuts = places.map(place => place % (quiet.length + 1)).sort((a, b) => a - b)
        const parts = splitAt(quiet, cuts)
        const ticking = parts.flatMap((part, i) => {
          const time = parts
            .slice(0, i + 1)
            .flat()
            .at(-1)?.timestamp
          return time === undefined ? part : [...part, { timestamp: time, tick: true as const }]
        })
        const end = 3 * DAY_MS
        expect(withoutIds(foldHistory([endWithTick(ticking, end)]).events)).toEqual(
          withoutIds(foldHistory([endWithTick(quiet, end)]).events),
        )
      },
    ),
    { numRuns: RUNS },
  )
})
