import { DAY_MS, dayOf, HOUR_MS, hourOf } from '../../signals/time.ts'
import type { AccountActivity } from '../activity/activity.ts'
import type { TouchedSeries } from '../activity/apply-signal.ts'
import { addCapped, firstFrom } from '../activity/buckets.ts'
import type { Series } from '../activity/series.ts'
import type { Value } from '../definition/expression.ts'
import type { Selection, Window } from '../definition/feature-definition.ts'
import { READS_NOTHING, type RootFeature } from './root-feature.ts'
import { compileSelection } from './selection.ts'

/** Features of a window of buckets that ends now. Rules: docs/how-a-score-is-defined.md, "Features". */

export type WindowedMeasure = 'count' | 'sum' | 'distinctNames' | 'activeDays'

export function compileWindowed(measure: WindowedMeasure, selection: Selection, window: Window): RootFeature {
  return window.unit === 'hour'
    ? compileHourly(measure, selection, window.length)
    : compileDaily(measure, selection, window.length)
}

function compileDaily(measure: WindowedMeasure, selection: Selection, length: number): RootFeature {
  const selects = compileSelection(selection)
  return {
    compute: activity => {
      const today = dayOf(activity.clock)
      return measureDays(activity, selects, measure, today - length + 1, today)
    },
    afterSignal: (activity, value, touched) => {
      const today = dayOf(activity.clock)
      const { series, day } = touched
      const from = today - length + 1
      // The value was right a moment ago, and only this signal came since.
      if (day < from) return value
      switch (measure) {
        case 'count':
          return (value as number) + 1
        case 'sum':
          return addToSum(value as number, touched) ?? measureDays(activity, selects, measure, from, today)
        case 'distinctNames': {
          const isFirst = touched.isNewBucket && series.days.countBetween(from, today) === 1
          return (value as number) + (isFirst ? 1 : 0)
        }
        case 'activeDays': {
          const isFirst =
            touched.isNewDay || (touched.isNewBucket && !hasOther(activity, selects, series, day))
          return (value as number) + (isFirst ? 1 : 0)
        }
        default:
          return measure satisfies never
      }
    },
    nextChange: ({ activeDays, clock }) => {
      const oldest = activeDays[firstFrom(activeDays, dayOf(clock) - length + 1)]
      return oldest === undefined ? Number.POSITIVE_INFINITY : (oldest + length) * DAY_MS
    },
    nextChangeFollows: 'active-days',
    reads: { ...READS_NOTHING, series: selects },
  }
}

/**
 * Below this many thousandths, a sum in units gives its thousandths back exactly: multiply by 1000 and round.
 */
const EXACT_THOUSANDTHS = 2 ** 50

/** A sum plus the signal's quantity; undefined if the sum is too large to give its thousandths back. */
function addToSum(sum: number, { thousandths }: TouchedSeries): number | undefined {
  const total = Math.round(sum * 1000) + thousandths
  return total < EXACT_THOUSANDTHS ? total / 1000 : undefined
}

/**
 * Whether another selected series has a signal on the day. The hour table is searched first: it nearly always
 * has one, and its entries are next to each other in memory.
 */
function hasOther(
  { series, hours }: AccountActivity,
  selects: (key: string) => boolean,
  touched: Series,
  day: number,
): boolean {
  for (let i = hours.indexFrom(day * 24); i < hours.length && hours.hour(i) < (day + 1) * 24; i++) {
    const other = hours.series(i)
    if (other !== touched && selects(other.key)) return true
  }
  for (const other of series.list)
    if (other !== touched && other.days.has(day) && selects(other.key)) return true
  return false
}

/** Measures the days `from … to`, both included. */
export function measureDays(
  activity: AccountActivity,
  selects: (key: string) => boolean,
  measure: WindowedMeasure,
  from: number,
  to: number,
): number {
  if (measure === 'activeDays') return activeBetween(activity, selects, from, to)
  let total = 0
  for (const { key, days } of activity.series.list) {
    if (!selects(key)) continue
    if (measure === 'count') total += days.countBetween(from, to)
    else if (measure === 'sum') total = addCapped(total, days.sumBetween(from, to))
    else if (days.hasBetween(from, to)) total++
  }
  return measure === 'sum' ? total / 1000 : total
}

function activeBetween(
  { series, activeDays }: AccountActivity,
  selects: (key: string) => boolean,
  from: number,
  to: number,
): number {
  if (selectsAll(series.list, selects)) return firstFrom(activeDays, to + 1) - firstFrom(activeDays, from)
  const active = new Set<number>()
  for (const { key, days } of series.list) {
    if (!selects(key)) continue
    for (let i = days.indexFrom(from); i < days.length && days.at(i) <= to; i++) active.add(days.at(i))
  }
  return active.size
}

function selectsAll(series: readonly Series[], selects: (key: string) => boolean): boolean {
  for (let i = 0; i < series.length; i++) if (!selects(series[i]!.key)) return false
  return true
}

function compileHourly(measure: WindowedMeasure, selection: Selection, length: number): RootFeature {
  const selects = compileSelection(selection)
  const compute = (activity: AccountActivity): number =>
    measureHours(activity, selects, measure, hourOf(activity.clock) - length + 1)
  return {
    compute,
    afterSignal: (activity, value, touched): Value => {
      const { hour } = touched
      if (hour === undefined || hour <= hourOf(activity.clock) - length) return value
      if (measure === 'count') return (value as number) + 1
      if (measure === 'sum') return addToSum(value as number, touched) ?? compute(activity)
      return touched.isNewHourBucket ? compute(activity) : value
    },
    nextChange: ({ hours, clock }) => {
      const oldest = hours.indexFrom(hourOf(clock) - length + 1)
      return oldest === hours.length ? Number.POSITIVE_INFINITY : (hours.hour(oldest) + length) * HOUR_MS
    },
    nextChangeFollows: 'active-hours',
    reads: { ...READS_NOTHING, series: selects },
  }
}

/** Measures the hours from `from` until now. */
function measureHours(
  { hours }: AccountActivity,
  selects: (key: string) => boolean,
  measure: WindowedMeasure,
  from: number,
): number {
  const different = new Set<unknown>()
  let total = 0
  for (let i = hours.indexFrom(from); i < hours.length; i++) {
    if (!selects(hours.series(i).key)) continue
    if (measure === 'count') total += hours.count(i)
    else if (measure === 'sum') total = addCapped(total, hours.sum(i))
    else different.add(measure === 'distinctNames' ? hours.series(i) : hours.hour(i))
  }
  if (measure === 'count') return total
  return measure === 'sum' ? total / 1000 : different.size
}
