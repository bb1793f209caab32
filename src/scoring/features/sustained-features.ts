import { finite } from '../../lib/round.ts'
import { DAY_MS, dayOf } from '../../signals/time.ts'
import type { AccountActivity, HistoryEntry } from '../activity/activity.ts'
import type { FeatureDefinition } from '../definition/feature-definition.ts'
import { entryOn, valueOn } from './fact-features.ts'
import { isBeyond, type RootFeature, readsKeys } from './root-feature.ts'
import { compileSelection } from './selection.ts'
import { measureDays } from './windowed-features.ts'

/**
 * Features for how long a value has been beyond a level. Rules: docs/how-a-score-is-defined.md, "Features".
 */

export function compileDaysSustained({
  key,
  per,
  level,
  max,
}: Extract<FeatureDefinition, { type: 'daysSustained' }>): RootFeature {
  const count = (activity: AccountActivity): number | undefined => {
    const history = numbersOf(activity, key)
    const divisors = per === undefined ? undefined : numbersOf(activity, per)
    if (history === undefined || (per !== undefined && divisors === undefined)) return undefined
    const today = dayOf(activity.clock)
    let days = 0
    // Between two entries the value stays the same, so the loop skips the whole stretch.
    while (days < max) {
      const day = today - days
      const value = dividedBy(valueOn(history, day), divisors, day)
      if (value === undefined || !isBeyond(value, level)) return days
      const since = Math.max(lastChange(history, day), divisors === undefined ? 0 : lastChange(divisors, day))
      days = today - since + 1
    }
    return max
  }
  return {
    compute: count,
    nextChange: activity => {
      const days = count(activity)
      return days === undefined || days === 0 || days === max
        ? Number.POSITIVE_INFINITY
        : (dayOf(activity.clock) + 1) * DAY_MS
    },
    nextChangeFollows: 'reads',
    reads: readsKeys(key, per),
  }
}

export function compilePeriodsSustained({
  measure,
  select,
  per,
  periodDays,
  level,
  max,
}: Extract<FeatureDefinition, { type: 'periodsSustained' }>): RootFeature {
  const selects = compileSelection(select)
  return {
    compute: activity => {
      const divisors = per === undefined ? undefined : numbersOf(activity, per)
      if (per !== undefined && divisors === undefined) return undefined
      let last = dayOf(activity.clock)
      for (let periods = 0; periods < max; periods++, last -= periodDays) {
        const amount = measureDays(activity, selects, measure, last - periodDays + 1, last)
        const value = dividedBy(amount, divisors, last)
        if (value === undefined || !isBeyond(value, level)) return periods
      }
      return max
    },
    nextChange: activity => {
      const today = dayOf(activity.clock)
      // The day on which an active day crosses into the next period, or out of the last one.
      const crossing = (day: number): number =>
        day + (Math.floor((today - day) / periodDays) + 1) * periodDays
      let next = Number.POSITIVE_INFINITY
      for (const { key, days } of activity.series.list) {
        if (!selects(key)) continue
        for (let i = days.indexFrom(today - max * periodDays + 1); i < days.length; i++)
          next = Math.min(next, crossing(days.at(i)))
      }
      // Without activity every period is empty, whatever its divisor is.
      if (next === Number.POSITIVE_INFINITY || per === undefined) return next * DAY_MS
      for (const { occurredAt } of activity.latest.get(per)?.history ?? []) {
        const day = dayOf(occurredAt)
        if (day > today - max * periodDays) next = Math.min(next, crossing(day))
      }
      return next * DAY_MS
    },
    nextChangeFollows: 'reads',
    reads: { ...readsKeys(per ?? ''), series: selects },
  }
}

/** The history of a key; undefined unless its present value is a number. */
function numbersOf(activity: AccountActivity, key: string): readonly HistoryEntry[] | undefined {
  const latest = activity.latest.get(key)
  return typeof latest?.value === 'number' ? latest.history : undefined
}

function dividedBy(
  value: number | undefined,
  divisors: readonly HistoryEntry[] | undefined,
  day: number,
): number | undefined {
  if (value === undefined || divisors === undefined) return value
  const divisor = valueOn(divisors, day)
  return divisor === undefined || divisor === 0 ? undefined : finite(value / divisor)
}

/** The latest day up to `day` with an entry. */
function lastChange(history: readonly HistoryEntry[], day: number): number {
  const entry = history[entryOn(history, day)]
  return entry === undefined ? 0 : dayOf(entry.occurredAt)
}
