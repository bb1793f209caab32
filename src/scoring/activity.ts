import { addToBucket, type Buckets, createBuckets, firstFrom, forgetBefore, insertSorted } from './buckets.ts'
import { type Hash64, hash64 } from './hash.ts'
import { DIMENSIONS, type Dimension } from './model-definition.ts'
import { type Override, readOverride } from './overrides.ts'
import { isActivityKind, type PropertyValue, type Signal } from './signal.ts'
import { dayOf, HELD_DAYS, HELD_HOURS, HOUR_MS, hourOf } from './time.ts'
import { recentDays, seeUser, USER_DAYS_HELD, type UserBook, type UserDays } from './users.ts'

/** The rolling state of one account: what it did, by name and day. It knows no model. */
export interface AccountActivity {
  /** The highest `observedAt` seen, ms. */
  clock: number
  /** The day of the clock that the account began with, or of the earliest signal that was applied. */
  firstDay: number
  /** By `seriesKey(kind, name)`. */
  readonly series: Map<string, Series>
  /** Days (hours) in which any series has a bucket; derived from the series. */
  readonly activeDays: number[]
  readonly activeHours: number[]
  /**
   * At index n: how many users there are by the day of their (n + 1)-th latest active day; at 0, by the day they were last seen.
   * As long as the most days that a user was active on.
   */
  readonly userDays: Buckets[]
  /** How many users there have been; decides how their records are cut into chunks. */
  userCount: number
  readonly dimensions: Readonly<Record<Dimension, Map<string, SeenDays>>>
  /** By `kind.property`. */
  readonly latest: Map<string, LatestValue>
  /** By the name of the override: a model's id, or `*`. Only those that have not ended. */
  readonly overrides: Map<string, Override>
  /** By `modelKey`: how often the account has stopped to stand under that version of a model. */
  readonly endedModels: Map<string, number>
  /** When each of the last ids was applied, by the account's clock, ms; oldest first. */
  readonly recentIds: Map<Hash64, number>
  readonly dropped: DroppedCounts
}

export interface Series {
  readonly key: string
  readonly days: Buckets
  readonly hours: Buckets
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
  value: number
  occurredAt: number
}

/** What was not kept, and why. */
export interface DroppedCounts {
  tooOld: number
  names: number
  keys: number
  values: number
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

export function seriesKey(kind: string, name: string): string {
  return `${kind}:${name}`
}

export function createActivity(clock: number): AccountActivity {
  return {
    clock,
    firstDay: dayOf(clock),
    series: new Map(),
    activeDays: [],
    activeHours: [],
    userDays: [],
    userCount: 0,
    dimensions: { team: new Map(), location: new Map(), product: new Map(), role: new Map() },
    latest: new Map(),
    overrides: new Map(),
    endedModels: new Map(),
    recentIds: new Map(),
    dropped: { tooOld: 0, names: 0, keys: 0, values: 0 },
  }
}

/** Moves the clock on and forgets what leaves. Its result depends on the clock alone, not on the steps in which it got there. */
export function moveClock(activity: AccountActivity, clock: number): void {
  if (clock <= activity.clock) return
  const dayBefore = dayOf(activity.clock)
  const hourBefore = hourOf(activity.clock)
  activity.clock = clock
  for (const [id, appliedAt] of activity.recentIds) {
    if (clock - appliedAt < DEDUP_MS) break
    activity.recentIds.delete(id)
  }
  for (const [name, override] of activity.overrides)
    if (override.expiresAt <= clock) activity.overrides.delete(name)
  if (hourOf(clock) > hourBefore) forgetHours(activity, hourOf(clock) - HELD_HOURS + 1)
  if (dayOf(clock) > dayBefore) forgetDays(activity, dayOf(clock) - HELD_DAYS + 1)
}

function forgetHours(activity: AccountActivity, firstHour: number): void {
  const gone = firstFrom(activity.activeHours, firstHour)
  if (gone === 0) return
  activity.activeHours.splice(0, gone)
  for (const series of activity.series.values()) forgetBefore(series.hours, firstHour)
}

function forgetDays(activity: AccountActivity, firstDay: number): void {
  for (const seen of Object.values(activity.dimensions)) {
    for (const [value, days] of seen) if (days.last < firstDay) seen.delete(value)
  }
  for (const { history } of activity.latest.values()) {
    // The newest entry before the first day stays: it is the value that the first day began with.
    while (history.length > 1 && dayOf(history[1]!.occurredAt) < firstDay) history.shift()
  }
  for (const [n, days] of activity.userDays.entries())
    forgetBefore(days, n === 0 ? firstDay : firstDay + HELD_DAYS - USER_DAYS_HELD)
  const gone = firstFrom(activity.activeDays, firstDay)
  if (gone === 0) return
  activity.activeDays.splice(0, gone)
  for (const [key, series] of activity.series) {
    forgetBefore(series.days, firstDay)
    if (series.days.at.length === 0) activity.series.delete(key)
  }
}

/** What a signal did to an activity: nothing, and why; or what it touched. */
export type Applied =
  | { readonly outcome: 'duplicate' | 'too-old' }
  | { readonly outcome: 'applied'; readonly late: boolean; readonly touched: Touched }

/** What a signal may have changed: a series, users, properties with their days, or latest values. */
export interface Touched {
  readonly series: string | undefined
  readonly users: boolean
  readonly dimensions: readonly Dimension[]
  readonly keys: readonly string[]
}

const TOUCHED_NOTHING: Touched = { series: undefined, users: false, dimensions: [], keys: [] }

/**
 * Applies a signal; the clock was moved to its `observedAt` before. Rules: docs/how-a-score-is-defined.md, "A signal", 3 to 5.
 */
export function applySignal(activity: AccountActivity, users: UserBook, signal: Signal): Applied {
  const id = hash64(signal.id)
  if (activity.recentIds.has(id)) return { outcome: 'duplicate' }
  const today = dayOf(activity.clock)
  const day = dayOf(signal.occurredAt)
  if (day <= today - HELD_DAYS) {
    activity.dropped.tooOld++
    return { outcome: 'too-old' }
  }
  rememberId(activity, id)
  activity.firstDay = Math.min(activity.firstDay, day)
  const late = day < today
  if (signal.kind === 'override') {
    applyOverride(activity, signal)
    return { outcome: 'applied', late, touched: TOUCHED_NOTHING }
  }
  if (!isActivityKind(signal.kind)) return { outcome: 'applied', late, touched: applyFacts(activity, signal) }

  const series = countSignal(activity, signal, day)
  if (signal.kind === 'outcome') return { outcome: 'applied', late, touched: { ...TOUCHED_NOTHING, series } }
  if (signal.userId !== undefined) applyUser(activity, users, signal.userId, day, today)
  const dimensions = DIMENSIONS.filter(dimension =>
    seeValue(activity, dimension, signal.properties[dimension], day),
  )
  return {
    outcome: 'applied',
    late,
    touched: { series, users: signal.userId !== undefined, dimensions, keys: [] },
  }
}

function rememberId(activity: AccountActivity, id: Hash64): void {
  if (activity.recentIds.size >= LIMITS.recentIds) {
    for (const oldest of activity.recentIds.keys()) {
      activity.recentIds.delete(oldest)
      break
    }
  }
  activity.recentIds.set(id, activity.clock)
}

function countSignal(activity: AccountActivity, signal: Signal, day: number): string | undefined {
  const key = seriesKey(signal.kind, signal.name)
  let series = activity.series.get(key)
  if (series === undefined) {
    if (activity.series.size >= LIMITS.series) {
      activity.dropped.names++
      return undefined
    }
    series = { key, days: createBuckets(), hours: createBuckets() }
    activity.series.set(key, series)
  }
  addToBucket(series.days, day, signal.quantityThousandths)
  insertSorted(activity.activeDays, day)
  const hour = hourOf(signal.occurredAt)
  if (hour > hourOf(activity.clock) - HELD_HOURS) {
    addToBucket(series.hours, hour, signal.quantityThousandths)
    insertSorted(activity.activeHours, hour)
  }
  return key
}

function applyUser(
  activity: AccountActivity,
  users: UserBook,
  userId: string,
  day: number,
  today: number,
): void {
  const { before, now } = seeUser(users, activity.userCount, userId, day, today)
  if (before === undefined) activity.userCount++
  if (before !== now) moveUser(activity, before, now, today)
}

/** Counts a user under its present days in place of its earlier ones. */
function moveUser(
  activity: AccountActivity,
  before: UserDays | undefined,
  now: UserDays,
  today: number,
): void {
  const from = before === undefined ? [] : recentDays(before)
  const to = recentDays(now)
  for (let n = 0; n < Math.max(from.length, to.length); n++) {
    if (from[n] === to[n]) continue
    // Those before it may have been forgotten, and left out when the account was stored.
    while (activity.userDays.length <= n) activity.userDays.push(createBuckets())
    const days = activity.userDays[n]!
    const first = n === 0 ? today - HELD_DAYS + 1 : today - USER_DAYS_HELD + 1
    if (from[n] !== undefined) takeFromBucket(days, from[n]!)
    if (to[n] !== undefined && to[n]! >= first) addToBucket(days, to[n]!, 0)
  }
}

function takeFromBucket(buckets: Buckets, bucket: number): void {
  const i = firstFrom(buckets.at, bucket)
  if (buckets.at[i] !== bucket) return
  buckets.counts[i]!--
  if (buckets.counts[i] === 0) {
    buckets.at.splice(i, 1)
    buckets.counts.splice(i, 1)
    buckets.sums.splice(i, 1)
  }
}

function seeValue(
  activity: AccountActivity,
  dimension: Dimension,
  value: PropertyValue | undefined,
  day: number,
): boolean {
  if (typeof value !== 'string') return false
  const seen = activity.dimensions[dimension]
  const days = seen.get(value)
  if (days !== undefined) {
    days.first = Math.min(days.first, day)
    days.last = Math.max(days.last, day)
  } else if (seen.size >= LIMITS.valuesPerDimension) {
    activity.dropped.values++
    return false
  } else {
    seen.set(value, { first: day, last: day })
  }
  return true
}

/** The latest by `occurredAt` holds; one that has ended already does not. */
function applyOverride(activity: AccountActivity, signal: Signal): void {
  const override = readOverride(signal)
  if (typeof override === 'string') throw new Error(`signal ${signal.id}: ${override}`)
  if (override.expiresAt <= activity.clock) return
  const present = activity.overrides.get(signal.name)
  if (present === undefined && activity.overrides.size >= LIMITS.overrides) {
    activity.dropped.keys++
    return
  }
  if (present === undefined || override.occurredAt >= present.occurredAt)
    activity.overrides.set(signal.name, override)
}

function applyFacts(activity: AccountActivity, signal: Signal): Touched {
  const keys: string[] = []
  for (const [property, value] of Object.entries(signal.properties)) {
    const key = `${signal.kind}.${property}`
    let latest = activity.latest.get(key)
    if (latest === undefined) {
      if (activity.latest.size >= LIMITS.keys) {
        activity.dropped.keys++
        continue
      }
      latest = { value: null, occurredAt: Number.NEGATIVE_INFINITY, history: [] }
      activity.latest.set(key, latest)
    }
    if (signal.occurredAt >= latest.occurredAt) {
      latest.value = value
      latest.occurredAt = signal.occurredAt
    }
    if (typeof value === 'number')
      enterHistory(latest.history, { value, occurredAt: signal.occurredAt }, activity.clock)
    keys.push(key)
  }
  return { series: undefined, users: false, dimensions: [], keys }
}

function enterHistory(history: HistoryEntry[], entry: HistoryEntry, clock: number): void {
  const day = dayOf(entry.occurredAt)
  let i = history.length
  while (i > 0 && dayOf(history[i - 1]!.occurredAt) > day) i--
  const sameDay = history[i - 1]
  if (sameDay !== undefined && dayOf(sameDay.occurredAt) === day) {
    if (entry.occurredAt >= sameDay.occurredAt) history[i - 1] = entry
    return
  }
  history.splice(i, 0, entry)
  const firstDay = dayOf(clock) - HELD_DAYS + 1
  while (history.length > 1 && dayOf(history[1]!.occurredAt) < firstDay) history.shift()
}
