import type { AccountActivity, Series } from './activity.ts'
import { countBetween, firstFrom, sumBetween } from './buckets.ts'
import type { FeatureDefinition, Selection, Value, Window } from './model-definition.ts'
import {
  DAY_MS,
  dayOf,
  dayOfDate,
  HELD_DAYS,
  HOUR_MS,
  hourOf,
  lastAnniversary,
  nextAnniversary,
} from './time.ts'

/**
 * A feature that reads the activity. `compute` looks at the buckets each time, so it gives the same value whatever way the account got there.
 * `nextChange` is the first moment after the clock at which time alone may change the value (ms, Infinity: never);
 * it may be too early, never too late.
 */
export interface RootFeature {
  readonly compute: (activity: AccountActivity) => Value
  readonly nextChange: (activity: AccountActivity) => number
  readonly reads: FeatureReads
}

/** What must be touched for the value to change without time passing. */
export interface FeatureReads {
  /** By `kind:name`. */
  readonly series: ((key: string) => boolean) | undefined
  readonly users: boolean
  readonly dimension: string | undefined
  readonly key: string | undefined
}

export type RootFeatureDefinition = Exclude<FeatureDefinition, { type: 'ratio' | 'largest' | 'smallest' }>

export function isRoot(definition: FeatureDefinition): definition is RootFeatureDefinition {
  return definition.type !== 'ratio' && definition.type !== 'largest' && definition.type !== 'smallest'
}

const READS_NOTHING: FeatureReads = { series: undefined, users: false, dimension: undefined, key: undefined }

/** Rules: docs/how-a-score-is-defined.md, "Features". */
export function compileRootFeature(definition: RootFeatureDefinition): RootFeature {
  switch (definition.type) {
    case 'count':
    case 'sum':
    case 'distinctNames':
    case 'activeDays':
      return compileWindowed(definition.type, definition.select, definition.window)
    case 'distinctUsers': {
      const { windowDays } = definition
      return {
        compute: activity =>
          countBetween(activity.userDays, dayOf(activity.clock) - windowDays + 1, dayOf(activity.clock)),
        nextChange: activity => nextLeaving(activity.userDays.at, dayOf(activity.clock), windowDays, DAY_MS),
        reads: { ...READS_NOTHING, users: true },
      }
    }
    case 'distinctValues':
    case 'newValues': {
      const { dimension, windowDays } = definition
      const edge = definition.type === 'newValues' ? 'first' : 'last'
      return {
        compute: activity => {
          const from = dayOf(activity.clock) - windowDays + 1
          let count = 0
          for (const days of activity.dimensions[dimension].values()) if (days[edge] >= from) count++
          return count
        },
        nextChange: activity => {
          const from = dayOf(activity.clock) - windowDays + 1
          let earliest = Number.POSITIVE_INFINITY
          for (const days of activity.dimensions[dimension].values()) {
            if (days[edge] >= from) earliest = Math.min(earliest, days[edge])
          }
          return (earliest + windowDays) * DAY_MS
        },
        reads: { ...READS_NOTHING, dimension },
      }
    }
    case 'latest':
      return compileLatest(definition.key, definition.valueType, definition.maxAgeDays)
    case 'daysUntil':
    case 'daysSince':
      return compileDate(definition)
    case 'daysSinceSignal':
      return compileDaysSinceSignal(definition.select, definition.max)
    case 'growth':
      return 'key' in definition.of
        ? compileValueGrowth(definition.of.key, definition.windowDays)
        : compileActivityGrowth(definition.of.select, definition.of.measure, definition.windowDays)
    default:
      return definition satisfies never
  }
}

/** Whether a series (by its key `kind:name`) is selected. */
export function compileSelection(selection: Selection): (key: string) => boolean {
  const kinds = new Set<string>(selection.kinds)
  const exact = new Set(selection.names?.filter(name => !name.endsWith('*')))
  const prefixes = selection.names?.filter(name => name.endsWith('*')).map(name => name.slice(0, -1)) ?? []
  const answers = new Map<string, boolean>()
  return key => {
    const known = answers.get(key)
    if (known !== undefined) return known
    const colon = key.indexOf(':')
    const name = key.slice(colon + 1)
    const answer =
      kinds.has(key.slice(0, colon)) &&
      (selection.names === undefined || exact.has(name) || prefixes.some(prefix => name.startsWith(prefix)))
    // Names come from the outside: the memory for answers is bounded.
    if (answers.size < 10_000) answers.set(key, answer)
    return answer
  }
}

type WindowedMeasure = 'count' | 'sum' | 'distinctNames' | 'activeDays'

function compileWindowed(measure: WindowedMeasure, selection: Selection, window: Window): RootFeature {
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

function measureBetween(
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
    else if (measure === 'sum') total += sumBetween(buckets, from, to)
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
function nextLeaving(at: readonly number[], now: number, length: number, unitMs: number): number {
  const oldest = at[firstFrom(at, now - length + 1)]
  return oldest === undefined ? Number.POSITIVE_INFINITY : (oldest + length) * unitMs
}

function compileLatest(
  key: string,
  valueType: 'number' | 'string' | 'boolean',
  maxAgeDays: number | undefined,
): RootFeature {
  return {
    compute: activity => {
      const latest = activity.latest.get(key)
      if (latest === undefined || latest.value === null || typeof latest.value !== valueType) return undefined
      if (maxAgeDays !== undefined && dayOf(latest.occurredAt) < dayOf(activity.clock) - maxAgeDays)
        return undefined
      return latest.value
    },
    nextChange: activity => {
      const latest = activity.latest.get(key)
      if (latest === undefined || maxAgeDays === undefined) return Number.POSITIVE_INFINITY
      return after(activity, dayOf(latest.occurredAt) + maxAgeDays + 1)
    },
    reads: { ...READS_NOTHING, key },
  }
}

/** The start of a day, or Infinity if that is not after the clock. */
function after(activity: AccountActivity, day: number): number {
  return day * DAY_MS > activity.clock ? day * DAY_MS : Number.POSITIVE_INFINITY
}

function compileDate(
  definition: Extract<FeatureDefinition, { type: 'daysUntil' | 'daysSince' }>,
): RootFeature {
  const { type, key, everyYear, min, max } = definition
  const dateOf = (activity: AccountActivity): number | undefined => {
    const date = dayOfDate(activity.latest.get(key)?.value)
    if (date === undefined || !everyYear) return date
    const today = dayOf(activity.clock)
    return type === 'daysUntil' ? nextAnniversary(date, today) : lastAnniversary(date, today)
  }
  return {
    compute: activity => {
      const date = dateOf(activity)
      if (date === undefined) return undefined
      const today = dayOf(activity.clock)
      return Math.min(max, Math.max(min, type === 'daysUntil' ? date - today : today - date))
    },
    nextChange: activity => {
      const date = dateOf(activity)
      if (date === undefined) return Number.POSITIVE_INFINITY
      const today = dayOf(activity.clock)
      if (type === 'daysUntil') {
        if (date - today > max) return (date - max + 1) * DAY_MS
        return everyYear || date - today > min ? (today + 1) * DAY_MS : Number.POSITIVE_INFINITY
      }
      if (today - date < min) return (date + min + 1) * DAY_MS
      if (today - date < max) return (today + 1) * DAY_MS
      return everyYear ? nextAnniversary(date, today + 1) * DAY_MS : Number.POSITIVE_INFINITY
    },
    reads: { ...READS_NOTHING, key },
  }
}

function compileDaysSinceSignal(selection: Selection, max: number): RootFeature {
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

function compileValueGrowth(key: string, windowDays: number): RootFeature {
  return {
    compute: activity => {
      const latest = activity.latest.get(key)
      if (latest === undefined || typeof latest.value !== 'number') return undefined
      const until = dayOf(activity.clock) - windowDays
      let then: number | undefined
      for (const entry of latest.history) {
        if (dayOf(entry.occurredAt) > until) break
        then = entry.value
      }
      return then === undefined || then === 0 ? undefined : (latest.value - then) / Math.abs(then)
    },
    nextChange: activity => {
      const until = dayOf(activity.clock) - windowDays
      const next = activity.latest.get(key)?.history.find(entry => dayOf(entry.occurredAt) > until)
      return next === undefined ? Number.POSITIVE_INFINITY : (dayOf(next.occurredAt) + windowDays) * DAY_MS
    },
    reads: { ...READS_NOTHING, key },
  }
}

function compileActivityGrowth(
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
