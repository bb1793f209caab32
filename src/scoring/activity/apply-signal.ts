import type { Hash64 } from '../../lib/hash.ts'
import { withEntry } from '../../lib/small-maps.ts'
import { readOverride } from '../../signals/override.ts'
import {
  idHashOf,
  isActivityKind,
  type PropertyValue,
  type Signal,
  userHashOf,
} from '../../signals/signal.ts'
import { isBlank } from '../../signals/texts.ts'
import { dayOf, HELD_DAYS, HELD_HOURS, hourOf } from '../../signals/time.ts'
import { DIMENSIONS, type Dimension } from '../definition/feature-definition.ts'
import {
  type AccountActivity,
  countDropped,
  DEDUP_MS,
  type HistoryEntry,
  type LatestValue,
  LIMITS,
  seriesKey,
  setValues,
  trimHistory,
} from './activity.ts'
import { insertSorted } from './buckets.ts'
import { keepsKey, keepsOverride, keptSeries, type ReadBy } from './keep.ts'
import { ManyIds } from './many-ids.ts'
import { createSeries, type Series } from './series.ts'
import { seeUser, type UserBook } from './users.ts'

/** What a signal may have changed. */
export interface Touched {
  readonly series: TouchedSeries | undefined
  /** The days that users are counted under. */
  readonly users: boolean
  readonly dimensions: readonly Dimension[]
  /** Latest-wins keys, `kind.property`. */
  readonly keys: readonly string[]
}

/** The series in which a signal was counted, and how. */
export interface TouchedSeries {
  readonly series: Series
  readonly thousandths: number
  readonly day: number
  /** The signal is the first of its name on that day. */
  readonly isNewBucket: boolean
  /** … of any name on that day. */
  readonly isNewDay: boolean
  /** Undefined: the signal came too late for the hours that are held. */
  readonly hour: number | undefined
  readonly isNewHourBucket: boolean
  readonly isNewHour: boolean
}

type Writable<T> = { -readonly [Field in keyof T]: T[Field] }

/**
 * Where `applySignal` writes what a signal touched. The caller makes one and uses it for all signals:
 * a new one for each would be a sixth of all that a signal allocates.
 */
export interface TouchedBuffer extends Writable<Touched> {
  /** Becomes `series` when a signal is counted. */
  readonly counted: Writable<TouchedSeries>
  /**
   * What the account has for the first time, or again after it was forgotten: `kind:name` of a series,
   * `kind.property`, or `override:name`. Overflow series do not count.
   */
  readonly begun: string[]
}

const NONE: readonly never[] = []
/** Holds the place until the first signal is counted; nothing is added to it. */
const NO_SERIES = createSeries('')

export function createTouchedBuffer(): TouchedBuffer {
  return {
    series: undefined,
    users: false,
    dimensions: NONE,
    keys: NONE,
    counted: {
      series: NO_SERIES,
      thousandths: 0,
      day: 0,
      isNewBucket: false,
      isNewDay: false,
      hour: undefined,
      isNewHourBucket: false,
      isNewHour: false,
    },
    begun: [],
  }
}

/**
 * Applies a signal to an activity whose clock is at the signal's `observedAt` already.
 * Returns why it changed nothing, or `buffer` with what it touched: valid until the next signal.
 * Rules: docs/how-a-score-is-defined.md, "A signal", 3 to 5.
 */
export function applySignal(
  activity: AccountActivity,
  users: UserBook,
  readBy: ReadBy,
  signal: Signal,
  buffer: TouchedBuffer,
): Touched | 'duplicate' | 'too-old' {
  if (buffer.begun.length > 0) buffer.begun.length = 0
  const id = idHashOf(signal)
  if (hasApplied(activity, id)) return 'duplicate'
  const { kind, occurredAt } = signal
  const today = dayOf(activity.clock)
  const day = dayOf(occurredAt)
  if (day <= today - HELD_DAYS) {
    countDropped(activity, 'too-old')
    return 'too-old'
  }
  rememberId(activity, id)
  if (day < activity.firstDay) activity.firstDay = day
  buffer.series = undefined
  buffer.users = false
  buffer.dimensions = NONE
  buffer.keys = NONE
  if (kind === 'override') {
    applyOverride(activity, readBy, signal, buffer.begun)
  } else if (!isActivityKind(kind)) {
    buffer.keys = applyFacts(activity, readBy, signal, buffer.begun)
  } else {
    countSignal(activity, readBy, signal, day, buffer)
    buffer.series = buffer.counted
    if (kind === 'outcome') return buffer
    const user = userHashOf(signal)
    buffer.users = user !== undefined && applyUser(activity, users, user, day, today)
    buffer.dimensions = seeValues(activity, signal.properties, day)
  }
  return buffer
}

/**
 * Whether the activity applied the id within 48 hours of its clock. If it has many ids, the id's chunk must
 * be in memory.
 */
export function hasApplied({ recentIds, manyIds, clock }: AccountActivity, id: Hash64): boolean {
  return manyIds === undefined || manyIds.isOver ? recentIds.has(id) : manyIds.hasSince(id, clock - DEDUP_MS)
}

function rememberId(activity: AccountActivity, id: Hash64): void {
  const { recentIds, manyIds, clock } = activity
  if (manyIds === undefined || manyIds.isOver) {
    if (recentIds.isFull) addToMany(activity, id)
    else recentIds.add(id, clock)
  } else addToMany(activity, id)
}

function addToMany(activity: AccountActivity, id: Hash64): void {
  const { recentIds, clock } = activity
  activity.manyIds ??= new ManyIds()
  if (recentIds.size > 0) activity.manyIds.takeAll(recentIds)
  if (!activity.manyIds.add(id, clock, clock - DEDUP_MS)) countDropped(activity, 'ids')
}

function countSignal(
  activity: AccountActivity,
  readBy: ReadBy,
  signal: Signal,
  day: number,
  { counted, begun }: TouchedBuffer,
): void {
  const key = signal.seriesKey ?? seriesKey(signal.kind, signal.name)
  const series = activity.series.get(key) ?? seriesBeyond(activity, readBy, key, begun)
  const thousandths = signal.quantityThousandths
  const bucket = series.days.add(day, thousandths)
  counted.series = series
  counted.thousandths = thousandths
  counted.day = day
  counted.isNewBucket = series.days.count(bucket) === 1
  counted.isNewDay = counted.isNewBucket && insertSorted(activity.activeDays, day)
  if (series.days.sum(bucket) === Number.MAX_SAFE_INTEGER) countDropped(activity, 'sums')
  const hour = hourOf(signal.occurredAt)
  const isHeld = hour > hourOf(activity.clock) - HELD_HOURS
  const before = isHeld ? activity.hours.add(hour, series, thousandths) : 'same-name'
  counted.hour = isHeld ? hour : undefined
  counted.isNewHourBucket = before !== 'same-name'
  counted.isNewHour = before === 'nothing'
}

/** A new series for a name that has none, or the overflow series in which it counts. */
function seriesBeyond(activity: AccountActivity, readBy: ReadBy, key: string, begun: string[]): Series {
  const kept = keptSeries(activity, readBy, key)
  if (kept === key) begun.push(key)
  else countDropped(activity, 'names')
  const found = kept === key ? undefined : activity.series.get(kept)
  if (found !== undefined) return found
  const series = createSeries(kept)
  activity.series.add(series)
  return series
}

/** Returns whether the days changed that users are counted under. */
function applyUser(
  activity: AccountActivity,
  users: UserBook,
  user: Hash64,
  day: number,
  today: number,
): boolean {
  const { before, now } = seeUser(users, activity.userCount, user, day, today)
  if (before === now) return false
  if (before === undefined) activity.userCount++
  activity.userDays.moveUser(before, now, today)
  return true
}

function seeValues(
  activity: AccountActivity,
  properties: Signal['properties'],
  day: number,
): readonly Dimension[] {
  const { team, location, product, role } = properties
  if (team === undefined && location === undefined && product === undefined && role === undefined) return NONE
  let seen: Dimension[] | undefined
  for (let i = 0; i < DIMENSIONS.length; i++) {
    const dimension = DIMENSIONS[i]!
    const value = properties[dimension]
    if (typeof value === 'string' && !isBlank(value) && seeValue(activity, dimension, value, day)) {
      seen ??= []
      seen.push(dimension)
    }
  }
  return seen ?? NONE
}

function seeValue(activity: AccountActivity, dimension: Dimension, value: string, day: number): boolean {
  const seen = activity.dimensions[dimension]
  const days = seen.get(value)
  if (days !== undefined) {
    days.first = Math.min(days.first, day)
    days.last = Math.max(days.last, day)
  } else if (seen.size >= LIMITS.valuesPerDimension) {
    countDropped(activity, 'values')
    return false
  } else {
    setValues(activity, dimension, withEntry(seen, value, { first: day, last: day }))
  }
  return true
}

/** The override with the latest `occurredAt` holds. One that has already ended is not kept. */
function applyOverride(activity: AccountActivity, readBy: ReadBy, signal: Signal, begun: string[]): void {
  const override = readOverride(signal)
  if (typeof override === 'string') throw new Error(`signal ${signal.id}: ${override}`)
  if (override.expiresAt <= activity.clock) return
  const present = activity.overrides.get(signal.name)
  if (present === undefined) {
    if (!keepsOverride(activity, readBy, signal.name)) {
      countDropped(activity, 'overrides')
      return
    }
    begun.push(`override:${signal.name}`)
  }
  if (present === undefined || override.occurredAt >= present.occurredAt)
    activity.overrides = withEntry(activity.overrides, signal.name, override)
}

/** Returns the keys that it may have changed. */
function applyFacts(activity: AccountActivity, readBy: ReadBy, signal: Signal, begun: string[]): string[] {
  const keys: string[] = []
  for (const property of Object.keys(signal.properties)) {
    const key = `${signal.kind}.${property}`
    const latest = activity.latest.get(key) ?? beginKey(activity, readBy, key, begun)
    if (latest === undefined) continue
    const value = signal.properties[property]!
    // A text without visible characters removes a fact, as null does.
    const kept = typeof value === 'string' && isBlank(value) ? null : value
    applyFact(latest, kept, signal.occurredAt, activity.clock)
    keys.push(key)
  }
  return keys
}

/** Undefined: the account has too many keys to take this one. */
function beginKey(
  activity: AccountActivity,
  readBy: ReadBy,
  key: string,
  begun: string[],
): LatestValue | undefined {
  if (!keepsKey(activity, readBy, key)) {
    countDropped(activity, 'keys')
    return undefined
  }
  const latest = { value: null, occurredAt: Number.NEGATIVE_INFINITY, history: [] }
  activity.latest = withEntry(activity.latest, key, latest)
  begun.push(key)
  return latest
}

function applyFact(latest: LatestValue, value: PropertyValue, occurredAt: number, clock: number): void {
  if (occurredAt >= latest.occurredAt) {
    latest.value = value
    latest.occurredAt = occurredAt
  }
  if (typeof value === 'number') enterHistory(latest.history, { value, occurredAt }, clock)
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
  trimHistory(history, dayOf(clock) - HELD_DAYS + 1)
}
