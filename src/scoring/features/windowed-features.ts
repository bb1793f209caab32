import type { AccountActivity, Series } from '../activity.ts'
import { addCapped, countBetween, firstFrom, sumBetween } from '../buckets.ts'
import type { FeatureDefinition, Selection, Window } from '../model-definition.ts'
import { roundTo6 } from '../round.ts'
import { DAY_MS, dayOf, HELD_DAYS, HOUR_MS, hourOf } from '../time.ts'
import { READS_NOTHING, type RootFeature } from './root-feature.ts'
import { compileSelection } from './selection.ts'

/** Features of what happened in a window of buckets. Rules: docs/how-a-score-is-defined.md, "Features". */

type WindowedMeasure = 'count' | 'sum' | 'distinctNames' | 'activeDays'

export function compileWindowed(measure: WindowedMeasure, selection: Selection, window: Window): RootFeature {
  const selects = compileSelection(selection)
  const hourly = window.unit === 'hour'
  const now = (activity: AccountActivity) => (hourly ? hourOf(activity.clock) : dayOf(activity.clock))
  return {
    compute: activity => {
      const to = now(activity)
      return measureBetween(activity, selects, measure, hourly, to - window.length + 1, to)
    },
    nextChange: activity =>
      nextLeaving(
        hourly ? activity.activeHours : activity.activeDays,
        now(activity),
        window.length,
        hourly ? HOUR_MS : DAY_MS,
      ),
    reads: { ...READS_NOTHING, series: selects },
  }
}

export function measureBetween(
  activity: AccountActivity,
  selects: (key: string) => boolean,
  measure: WindowedMeasure,
  hourly: boolean,
  from: number,
  to: number,
): number {
  if (measure === 'activeDays') return activeBetween(activity, selects, hourly, from, to)
  let total = 0
  for (const series of activity.series.values()) {
    if (!selects(series.key)) continue
    const buckets = hourly ? series.hours : series.days
    if (measure === 'count') total += countBetween(buckets, from, to)
    else if (measure === 'sum') total = addCapped(total, sumBetween(buckets, from, to))
    else if (hasBetween(buckets.at, from, to)) total++
  }
  return measure === 'sum' ? total / 1000 : total
}

function hasBetween(at: readonly number[], from: number, to: number): boolean {
  const first = at[firstFrom(at, from)]
  return first !== undefined && first <= to
}

function activeBetween(
  activity: AccountActivity,
  selects: (key: string) => boolean,
  hourly: boolean,
  from: number,
  to: number,
): number {
  const selected: Series[] = []
  for (const series of activity.series.values()) if (selects(series.key)) selected.push(series)
  const all = hourly ? activity.activeHours : activity.activeDays
  if (selected.length === activity.series.size) return countIn(all, from, to)
  const active = new Set<number>()
  for (const series of selected) {
    const { at } = hourly ? series.hours : series.days
    for (let i = firstFrom(at, from); i < at.length && at[i]! <= to; i++) active.add(at[i]!)
  }
  return active.size
}

function countIn(at: readonly number[], from: number, to: number): number {
  return firstFrom(at, to + 1) - firstFrom(at, from)
}

/** When the oldest bucket of the window that ends now leaves it, ms. */
export function nextLeaving(at: readonly number[], now: number, length: number, unitMs: number): number {
  const oldest = at[firstFrom(at, now - length + 1)]
  return oldest === undefined ? Number.POSITIVE_INFINITY : (oldest + length) * unitMs
}

/** Amounts that count for half after each half-life. */
export function compileDecayed({
  measure,
  select,
  window,
  halfLife,
}: Extract<FeatureDefinition, { type: 'decayed' }>): RootFeature {
  const selects = compileSelection(select)
  const hourly = window.unit === 'hour'
  const unitMs = hourly ? HOUR_MS : DAY_MS
  const weights = Array.from({ length: window.length }, (_, age) => 2 ** (-age / halfLife))
  return {
    compute: activity => {
      const now = Math.floor(activity.clock / unitMs)
      // Whole numbers first, so that the order of the series does not matter; then the buckets from the oldest on.
      const amounts: number[] = new Array(window.length).fill(0)
      for (const series of activity.series.values()) {
        if (!selects(series.key)) continue
        const { at, counts, sums } = hourly ? series.hours : series.days
        const from = measure === 'count' ? counts : sums
        for (let i = firstFrom(at, now - window.length + 1); i < at.length && at[i]! <= now; i++)
          amounts[now - at[i]!] = addCapped(amounts[now - at[i]!]!, from[i]!)
      }
      let total = 0
      for (let age = window.length - 1; age >= 0; age--)
        total += (measure === 'count' ? amounts[age]! : amounts[age]! / 1000) * weights[age]!
      return roundTo6(total)
    },
    nextChange: activity => {
      const now = Math.floor(activity.clock / unitMs)
      for (const series of activity.series.values()) {
        if (!selects(series.key)) continue
        const { at } = hourly ? series.hours : series.days
        if (at[firstFrom(at, now - window.length + 1)] !== undefined) return (now + 1) * unitMs
      }
      return Number.POSITIVE_INFINITY
    },
    reads: { ...READS_NOTHING, series: selects },
  }
}

export function compileDaysSinceSignal(selection: Selection, max: number): RootFeature {
  const selects = compileSelection(selection)
  const lastDay = (activity: AccountActivity): number | undefined => {
    let last: number | undefined
    for (const series of activity.series.values()) {
      const newest = series.days.at.at(-1)
      if (newest !== undefined && selects(series.key) && (last === undefined || newest > last)) last = newest
    }
    return last
  }
  return {
    compute: activity => {
      const last = lastDay(activity)
      return last === undefined ? undefined : Math.min(max, dayOf(activity.clock) - last)
    },
    nextChange: activity => {
      const last = lastDay(activity)
      if (last === undefined) return Number.POSITIVE_INFINITY
      const today = dayOf(activity.clock)
      return (today - last < max ? today + 1 : last + HELD_DAYS) * DAY_MS
    },
    reads: { ...READS_NOTHING, series: selects },
  }
}

export function compileActivityGrowth(
  selection: Selection,
  measure: 'count' | 'sum',
  windowDays: number,
): RootFeature {
  const selects = compileSelection(selection)
  return {
    compute: activity => {
      const today = dayOf(activity.clock)
      const before = measureBetween(
        activity,
        selects,
        measure,
        false,
        today - 2 * windowDays + 1,
        today - windowDays,
      )
      if (before === 0) return undefined
      return (
        (measureBetween(activity, selects, measure, false, today - windowDays + 1, today) - before) / before
      )
    },
    nextChange: activity => {
      const today = dayOf(activity.clock)
      return Math.min(
        nextLeaving(activity.activeDays, today, windowDays, DAY_MS),
        // What is forgotten leaves too.
        nextLeaving(activity.activeDays, today, Math.min(2 * windowDays, HELD_DAYS), DAY_MS),
      )
    },
    reads: { ...READS_NOTHING, series: selects },
  }
}
