import { EMPTY_MAP, withoutEntry } from '../../lib/small-maps.ts'
import type { Override } from '../../signals/override.ts'
import type { PropertyValue } from '../../signals/signal.ts'
import { dayOf, HELD_DAYS, HELD_HOURS, HOUR_MS, hourOf } from '../../signals/time.ts'
import { DIMENSIONS, type Dimension } from '../definition/feature-definition.ts'
import { firstFrom } from './buckets.ts'
import { HourTable } from './hour-table.ts'
import { ID_LIMITS } from './id-limits.ts'
import type { ManyIds } from './many-ids.ts'
import { RecentIds } from './recent-ids.ts'
import { SeriesTable } from './series-table.ts'
import { UserDayCounts } from './user-days.ts'

/**
 * The rolling state of one account: what it did, by name and day. It knows no model. Most accounts have no
 * properties, facts and overrides: they share one empty map, which the first entry replaces by a new one.
 */
export interface AccountActivity {
  /** The highest `observedAt` seen, ms. */
  clock: number
  /** The day of the account's first clock, or an earlier day of an applied signal. */
  firstDay: number
  /** Keyed by `seriesKey(kind, name)`. */
  readonly series: SeriesTable
  readonly hours: HourTable
  /** The days on which any series has a bucket, ascending. Derived from the series. */
  readonly activeDays: number[]
  readonly userDays: UserDayCounts
  /** How many users there have ever been. It decides how their records are cut into chunks. */
  userCount: number
  dimensions: Readonly<Record<Dimension, ReadonlyMap<string, SeenDays>>>
  /** Keyed by `kind.property`. */
  latest: ReadonlyMap<string, LatestValue>
  /** Keyed by the override's name: a model's id, or `*`. Ended overrides are removed. */
  overrides: ReadonlyMap<string, Override>
  /** Keyed by `modelKey`: how often the account has left that version of a model. */
  endedModels: ReadonlyMap<string, number>
  /**
   * Keyed by the id of a model that was removed: the name of the tier in which the account left it. If the
   * model comes back, its first tier change comes from this tier.
   */
  formerTiers: ReadonlyMap<string, string>
  /** The ids of the last 48 hours, each with the account's clock when it was applied, ms. */
  readonly recentIds: RecentIds
  /** The same ids while the account has too many for its core; `recentIds` is empty then. */
  manyIds: ManyIds | undefined
  dropped: DroppedCounts
}

export interface SeenDays {
  first: number
  last: number
}

export interface LatestValue {
  value: PropertyValue
  occurredAt: number
  /** For each day the number with the highest `occurredAt`, ascending. */
  readonly history: HistoryEntry[]
}

export interface HistoryEntry {
  readonly value: number
  readonly occurredAt: number
}

//   limit          what is counted
//   too-old        signals that occurred before the days that are held: dropped
//   names          signals that were counted in an overflow series
//   keys           properties whose key was not kept: dropped
//   values         values of a dimension that were not kept
//   overrides      overrides that were not kept: dropped
//   ended-models   ends of a model's version that were counted together with other versions
//   sums           signals after which the sum of their name and day was at the highest number: cut off there
//   ids            ids that were forgotten within 48 hours: a signal sent again counts again
//   former-tiers   removed models whose last tier is not remembered
/** The limits of an account. The order is the codec's: add further ones at the end. */
export const LIMIT_NAMES = [
  'too-old',
  'names',
  'keys',
  'values',
  'overrides',
  'ended-models',
  'sums',
  'ids',
  'former-tiers',
] as const
export type LimitName = (typeof LIMIT_NAMES)[number]

/** How often each limit was reached. */
export type DroppedCounts = Readonly<Record<LimitName, number>>

export const LIMITS = {
  /** A name that a model writes in full gets a series beyond this number too. */
  series: 256,
  /** A key that a model writes in full is kept beyond this number too. */
  keys: 256,
  /** Keys that match a pattern of a model are kept up to this number of keys in all. */
  matchedKeys: 512,
  valuesPerDimension: 64,
  overrides: 32,
  endedModels: 64,
  formerTiers: 64,
} as const
/** An id is remembered for less than this. */
export const DEDUP_MS = 48 * HOUR_MS

const NO_VALUES = { team: EMPTY_MAP, location: EMPTY_MAP, product: EMPTY_MAP, role: EMPTY_MAP }
export const NOTHING_DROPPED = Object.fromEntries(LIMIT_NAMES.map(name => [name, 0])) as DroppedCounts

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
    formerTiers: EMPTY_MAP,
    recentIds: new RecentIds(ID_LIMITS.inCore),
    manyIds: undefined,
    dropped: NOTHING_DROPPED,
  }
}

export function countDropped(activity: AccountActivity, what: LimitName): void {
  activity.dropped = { ...activity.dropped, [what]: activity.dropped[what] + 1 }
}

/** Moves the clock on and forgets what is too old. One step to a clock gives the same state as several. */
export function moveClock(activity: AccountActivity, clock: number): void {
  const before = activity.clock
  if (clock <= before) return
  activity.clock = clock
  activity.recentIds.forgetUntil(clock - DEDUP_MS)
  activity.manyIds?.forgetUntil(clock - DEDUP_MS)
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

/** Keeps the newest entry before `firstDay`: it is the value at the beginning of that day. */
export function trimHistory(history: HistoryEntry[], firstDay: number): void {
  while (history.length > 1 && dayOf(history[1]!.occurredAt) < firstDay) history.shift()
}
