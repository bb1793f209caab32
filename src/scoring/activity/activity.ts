import { EMPTY_MAP, withoutEntry } from '../../lib/small-maps.ts'
import type { Override } from '../../signals/override.ts'
import type { PropertyValue } from '../../signals/signal.ts'
import { dayOf, HELD_DAYS, HELD_HOURS, HOUR_MS, hourOf } from '../../signals/time.ts'
import { DIMENSIONS, type Dimension } from '../definition/feature-definition.ts'
import { firstFrom } from './buckets.ts'
import { HourTable } from './hour-table.ts'
import { RecentIds } from './recent-ids.ts'
import { SeriesTable } from './series-table.ts'
import { UserDayCounts } from './user-days.ts'

/**
 * The rolling state of one account: what it did, by name and day. It knows no model. Most accounts have no properties, facts and overrides at all: what is
 * empty is one thing that all of them share, and another takes its place with the first entry.
 */
export interface AccountActivity {
  /** The highest `observedAt` seen, ms. */
  clock: number
  /** The day of the clock that the account began with, or of the earliest signal that was applied. */
  firstDay: number
  /** By `seriesKey(kind, name)`. */
  readonly series: SeriesTable
  readonly hours: HourTable
  /** Days in which any series has a bucket, ascending; derived from the series. */
  readonly activeDays: number[]
  readonly userDays: UserDayCounts
  /** How many users there have been; decides how their records are cut into chunks. */
  userCount: number
  dimensions: Readonly<Record<Dimension, ReadonlyMap<string, SeenDays>>>
  /** By `kind.property`. */
  latest: ReadonlyMap<string, LatestValue>
  /** By the name of the override: a model's id, or `*`. Only those that have not ended. */
  overrides: ReadonlyMap<string, Override>
  /** By `modelKey`: how often the account has stopped to stand under that version of a model. */
  endedModels: ReadonlyMap<string, number>
  /** When each of the last ids was applied, by the account's clock, ms. */
  readonly recentIds: RecentIds
  dropped: DroppedCounts
}

export interface SeenDays {
  first: number
  last: number
}

export interface LatestValue {
  value: PropertyValue
  occurredAt: number
  /** Of each day the number with the highest `occurredAt`, ascending by day. */
  readonly history: HistoryEntry[]
}

export interface HistoryEntry {
  readonly value: number
  readonly occurredAt: number
}

/** What was not kept, and why. */
export interface DroppedCounts {
  readonly tooOld: number
  readonly names: number
  readonly keys: number
  readonly values: number
}

export const LIMITS = {
  series: 256,
  keys: 256,
  valuesPerDimension: 64,
  overrides: 32,
  endedModels: 64,
  recentIds: 1024,
} as const
export const DEDUP_MS = 48 * HOUR_MS

const NO_VALUES = { team: EMPTY_MAP, location: EMPTY_MAP, product: EMPTY_MAP, role: EMPTY_MAP }
const NOTHING_DROPPED: DroppedCounts = { tooOld: 0, names: 0, keys: 0, values: 0 }

export function seriesKey(kind: string, name: string): string {
  return `${kind}:${name}`
}

export function createActivity(clock: number): AccountActivity {
  return {
    clock,
    firstDay: dayOf(clock),
    series: new SeriesTable(),
    hours: new HourTable(),
    activeDays: [],
    userDays: new UserDayCounts(),
    userCount: 0,
    dimensions: NO_VALUES,
    latest: EMPTY_MAP,
    overrides: EMPTY_MAP,
    endedModels: EMPTY_MAP,
    recentIds: new RecentIds(LIMITS.recentIds),
    dropped: NOTHING_DROPPED,
  }
}

export function countDropped(activity: AccountActivity, what: keyof DroppedCounts): void {
  activity.dropped = { ...activity.dropped, [what]: activity.dropped[what] + 1 }
}

/** Moves the clock on and forgets what leaves. Its result depends on the clock alone, not on the steps in which it got there. */
export function moveClock(activity: AccountActivity, clock: number): void {
  const before = activity.clock
  if (clock <= before) return
  activity.clock = clock
  activity.recentIds.forgetUntil(clock - DEDUP_MS)
  if (activity.overrides.size > 0) endOverrides(activity)
  const hour = hourOf(clock)
  if (hour === hourOf(before)) return
  activity.hours.forgetBefore(hour - HELD_HOURS + 1)
  const day = dayOf(clock)
  if (day !== dayOf(before)) forgetDays(activity, day - HELD_DAYS + 1)
}

function endOverrides(activity: AccountActivity): void {
  for (const [name, { expiresAt }] of activity.overrides)
    if (expiresAt <= activity.clock) activity.overrides = withoutEntry(activity.overrides, name)
}

function forgetDays(activity: AccountActivity, firstDay: number): void {
  if (activity.dimensions !== NO_VALUES) forgetValues(activity, firstDay)
  if (activity.latest.size > 0) {
    for (const { history } of activity.latest.values()) trimHistory(history, firstDay)
  }
  activity.userDays.forget(firstDay + HELD_DAYS - 1)
  const { activeDays } = activity
  if (activeDays.length === 0 || activeDays[0]! >= firstDay) return
  activeDays.splice(0, firstFrom(activeDays, firstDay))
  activity.series.forgetBefore(firstDay)
}

function forgetValues(activity: AccountActivity, firstDay: number): void {
  for (const dimension of DIMENSIONS) {
    for (const [value, { last }] of activity.dimensions[dimension]) {
      if (last < firstDay) setValues(activity, dimension, withoutEntry(activity.dimensions[dimension], value))
    }
  }
}

export function setValues(
  activity: AccountActivity,
  dimension: Dimension,
  values: ReadonlyMap<string, SeenDays>,
): void {
  if (activity.dimensions[dimension] !== values)
    activity.dimensions = { ...activity.dimensions, [dimension]: values }
}

/** The newest entry before the first day stays: it is the value that the first day began with. */
export function trimHistory(history: HistoryEntry[], firstDay: number): void {
  while (history.length > 1 && dayOf(history[1]!.occurredAt) < firstDay) history.shift()
}
