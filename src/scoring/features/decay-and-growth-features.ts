import { roundTo6 } from '../../lib/round.ts'
import { DAY_MS, dayOf, HELD_DAYS, HOUR_MS, hourOf } from '../../signals/time.ts'
import type { AccountActivity } from '../activity/activity.ts'
import { addCapped, firstFrom } from '../activity/buckets.ts'
import type { FeatureDefinition, Selection } from '../definition/feature-definition.ts'
import { READS_NOTHING, type RootFeature } from './root-feature.ts'
import { compileSelection } from './selection.ts'
import { measureDays } from './windowed-features.ts'

/** Features that weigh or compare activity. Rules: docs/how-a-score-is-defined.md, "Features". */

type DecayedDefinition = Extract<FeatureDefinition, { type: 'decayed' }>

/** Each amount counts for half after each half-life. */
export function compileDecayed(definition: DecayedDefinition): RootFeature {
  const { measure, select, window, halfLife } = definition
  const selects = compileSelection(select)
  const isHourly = window.unit === 'hour'
  const unitMs = isHourly ? HOUR_MS : DAY_MS
  const weights = Array.from({ length: window.length }, (_, age) => 2 ** (-age / halfLife))
  const amountsAt = isHourly ? amountsByHour : amountsByDay
  return {
    compute: activity => {
      // Adds up whole numbers first, so that the order of the series does not matter, then the buckets from
      // the oldest.
      const amounts = amountsAt(activity, selects, measure, window.length)
      let total = 0
      for (let age = window.length - 1; age >= 0; age--)
        total += (measure === 'count' ? amounts[age]! : amounts[age]! / 1000) * weights[age]!
      return roundTo6(total)
    },
    nextChange: activity => {
      const now = Math.floor(activity.clock / unitMs)
      const some = isHourly ? hasHour : hasDay
      return some(activity, selects, now - window.length + 1) ? (now + 1) * unitMs : Number.POSITIVE_INFINITY
    },
    nextChangeFollows: 'reads',
    reads: { ...READS_NOTHING, series: selects },
  }
}

/** The amounts of the last `length` days; the index is the age in days. */
function amountsByDay(
  { series, clock }: AccountActivity,
  selects: (key: string) => boolean,
  measure: 'count' | 'sum',
  length: number,
): Float64Array {
  const today = dayOf(clock)
  const amounts = new Float64Array(length)
  for (const { key, days } of series.list) {
    if (!selects(key)) continue
    for (let i = days.indexFrom(today - length + 1); i < days.length && days.at(i) <= today; i++) {
      const age = today - days.at(i)
      amounts[age] = addCapped(amounts[age]!, measure === 'count' ? days.count(i) : days.sum(i))
    }
  }
  return amounts
}

/** The amounts of the last `length` hours; the index is the age in hours. */
function amountsByHour(
  { hours, clock }: AccountActivity,
  selects: (key: string) => boolean,
  measure: 'count' | 'sum',
  length: number,
): Float64Array {
  const now = hourOf(clock)
  const amounts = new Float64Array(length)
  for (let i = hours.indexFrom(now - length + 1); i < hours.length; i++) {
    if (!selects(hours.series(i).key)) continue
    const age = now - hours.hour(i)
    amounts[age] = addCapped(amounts[age]!, measure === 'count' ? hours.count(i) : hours.sum(i))
  }
  return amounts
}

function hasDay({ series }: AccountActivity, selects: (key: string) => boolean, from: number): boolean {
  for (const { key, days } of series.list) if (days.indexFrom(from) < days.length && selects(key)) return true
  return false
}

function hasHour({ hours }: AccountActivity, selects: (key: string) => boolean, from: number): boolean {
  for (let i = hours.indexFrom(from); i < hours.length; i++) if (selects(hours.series(i).key)) return true
  return false
}

export function compileDaysSinceSignal(selection: Selection, max: number): RootFeature {
  const selects = compileSelection(selection)
  const lastDay = (activity: AccountActivity): number | undefined => {
    let last: number | undefined
    for (const { key, days } of activity.series.list) {
      if (days.length === 0) continue
      const newest = days.at(days.length - 1)
      if ((last === undefined || newest > last) && selects(key)) last = newest
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
    nextChangeFollows: 'reads',
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
      const present = today - windowDays + 1
      const before = measureDays(activity, selects, measure, present - windowDays, present - 1)
      if (before === 0) return undefined
      return (measureDays(activity, selects, measure, present, today) - before) / before
    },
    nextChange: ({ activeDays, clock }) => {
      const today = dayOf(clock)
      const leaves = (length: number): number => {
        const oldest = activeDays[firstFrom(activeDays, today - length + 1)]
        return oldest === undefined ? Number.POSITIVE_INFINITY : (oldest + length) * DAY_MS
      }
      // A forgotten day leaves the window too.
      return Math.min(leaves(windowDays), leaves(Math.min(2 * windowDays, HELD_DAYS)))
    },
    nextChangeFollows: 'active-days',
    reads: { ...READS_NOTHING, series: selects },
  }
}
