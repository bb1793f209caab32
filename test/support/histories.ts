import fc from 'fast-check'
import type { Signal } from '../../src/signals/signal.ts'
import { arbitraryModel } from './arbitrary/arbitrary-models.ts'
import { arbitraryStep, toSignal } from './arbitrary/arbitrary-signals.ts'
import { DAY_MS, EPOCH, HOUR_MS, MINUTE_MS, MODEL_IDS } from './arbitrary/vocabulary.ts'
import type { HistoryRecord } from './slow/slow-evaluator.ts'

/**
 * Random logs for property tests. Words come from a small vocabulary, so that names, keys, users, days and
 * ids collide. Times are close to the edges of the rules: midnights, full hours, 48 hours, 400 days.
 */

export interface HistoryOptions {
  readonly accounts: number
  /** The most records after the first `models` record. The average is half of it. */
  readonly length: number
  /** The most further `models` records. */
  readonly modelChanges?: number
}

/**
 * A log that begins with one or two models. Its timestamps do not go back. They span hours, weeks, or up to
 * about 500 days. A log is drawn as relative steps, so that a failing log shrinks to another valid log.
 */
export function arbitraryHistory(options: HistoryOptions): fc.Arbitrary<HistoryRecord[]> {
  const { accounts, length, modelChanges = 2 } = options
  const versions = (version: number) => fc.tuple(...MODEL_IDS.map(id => arbitraryModel({ id, version })))
  return fc
    .record({
      start: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3 * DAY_MS })),
      pace: fc.constantFrom('hours' as const, 'weeks' as const, 'months' as const),
      first: versions(1),
      second: fc.option(versions(2), { nil: undefined }),
      actives: fc.array(fc.tuple(fc.nat(), arbitraryActive), { maxLength: modelChanges }),
      active: arbitraryActive,
      steps: fc.array(fc.record({ gap: arbitraryGap, what: arbitraryStep(accounts) }), {
        maxLength: length,
        size: 'max',
      }),
    })
    .map(({ start, pace, first, second, actives, active, steps }) => {
      const choose = (of: Active) =>
        MODEL_IDS.flatMap((_, index) => {
          const version = of[index]!
          return version === 'none' ? [] : [version === 'second' ? (second ?? first)[index]! : first[index]!]
        })
      const records: HistoryRecord[] = [{ timestamp: EPOCH + start, models: choose(active) }]
      const positions = actives.map(
        ([at, models]) => [steps.length === 0 ? 0 : at % steps.length, models] as const,
      )
      const sent: Signal[] = []
      let time = EPOCH + start
      for (const [index, { gap, what }] of steps.entries()) {
        time = Math.min(advance(time, gap, pace), Math.max(time, EPOCH + 520 * DAY_MS))
        for (const [position, models] of positions)
          if (position === index) records.push({ timestamp: time, models: choose(models) })
        if (what.type === 'tick') {
          records.push({ timestamp: time, tick: true })
          continue
        }
        const signal = toSignal(what, sent, time)
        sent.push(signal)
        records.push({ timestamp: time, signal })
      }
      return records
    })
}

type Active = readonly ('first' | 'second' | 'none')[]

const arbitraryActive: fc.Arbitrary<Active> = fc
  .tuple(fc.constantFrom('first', 'second', 'none'), fc.constantFrom('none', 'first', 'second'))
  // Shrinks to the first model alone.
  .map(([one, other]) => [one, other] as Active)

type Gap =
  | { readonly type: 'none' | 'midnight' | 'full hour' }
  | { readonly type: 'short' | 'long'; readonly part: number }

const arbitraryGap: fc.Arbitrary<Gap> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('none' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('short' as const), part: fc.integer({ min: 0, max: 1000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('long' as const), part: fc.integer({ min: 0, max: 1000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('midnight' as const, 'full hour' as const) }) },
)

type Pace = 'hours' | 'weeks' | 'months'

const LONGEST_GAPS_MS: Readonly<Record<Pace, { readonly short: number; readonly long: number }>> = {
  hours: { short: 20 * MINUTE_MS, long: 6 * HOUR_MS },
  weeks: { short: 5 * HOUR_MS, long: 4 * DAY_MS },
  months: { short: 2 * DAY_MS, long: 150 * DAY_MS },
}

function advance(time: number, gap: Gap, pace: Pace): number {
  switch (gap.type) {
    case 'none':
      return time
    case 'midnight':
      return (Math.floor(time / DAY_MS) + 1) * DAY_MS
    case 'full hour':
      return (Math.floor(time / HOUR_MS) + 1) * HOUR_MS
    case 'short':
    case 'long':
      return time + Math.round((LONGEST_GAPS_MS[pace][gap.type] * gap.part) / 1000)
  }
}

// ---- Batches ----

/** Cuts a list into batches, in order. Some may be empty. */
export function arbitrarySplit<T>(items: readonly T[]): fc.Arbitrary<T[][]> {
  return fc.array(fc.nat({ max: items.length }), { maxLength: 8 }).map(positions =>
    splitAt(
      items,
      positions.sort((a, b) => a - b),
    ),
  )
}

/** A history that is cut into batches. */
export function arbitraryBatches(options: HistoryOptions): fc.Arbitrary<HistoryRecord[][]> {
  return arbitraryHistory(options).chain(arbitrarySplit)
}

export function splitAt<T>(items: readonly T[], positions: readonly number[]): T[][] {
  return [...positions, items.length].map((end, index) => items.slice(positions[index - 1] ?? 0, end))
}

/**
 * Ends a history with a tick, `afterMs` after its last moment. No effect of a record comes after such a tick.
 */
export function endWithTick(history: readonly HistoryRecord[], afterMs: number): HistoryRecord[] {
  const last = Math.max(
    0,
    ...history.map(record =>
      'signal' in record ? Math.max(record.timestamp, record.signal.occurredAt) : record.timestamp,
    ),
  )
  return [...history, { timestamp: last + afterMs, tick: true }]
}
