import { type Hash64, hash64 } from '../../lib/hash.ts'
import { withEntry } from '../../lib/small-maps.ts'
import { readOverride } from '../../signals/override.ts'
import { isActivityKind, type PropertyValue, type Signal, userHashOf } from '../../signals/signal.ts'
import { dayOf, HELD_DAYS, HELD_HOURS, hourOf } from '../../signals/time.ts'
import { DIMENSIONS, type Dimension } from '../definition/feature-definition.ts'
import {
  type AccountActivity,
  countDropped,
  type HistoryEntry,
  LIMITS,
  seriesKey,
  setValues,
  trimHistory,
} from './activity.ts'
import { insertSorted } from './buckets.ts'
import { createSeries, type Series } from './series.ts'
import { seeUser, type UserBook } from './users.ts'

/** What a signal may have changed: a series, users' days, properties with their days, or latest values. */
export interface Touched {
  readonly series: TouchedSeries | undefined
  readonly users: boolean
  readonly dimensions: readonly Dimension[]
  readonly keys: readonly string[]
}

/** Where a signal was counted. */
export interface TouchedSeries {
  readonly series: Series
  readonly thousandths: number
  readonly day: number
  /** It is the only signal of its name on that day; of all names. */
  readonly isNewBucket: boolean
  readonly isNewDay: boolean
  /** Undefined: it came too late to be held by hours. */
  readonly hour: number | undefined
  readonly isNewHourBucket: boolean
  readonly isNewHour: boolean
}

/** What a signal did to an activity: nothing, and why; or what it touched, of use until the next signal is applied. */
export type Applied = Touched | 'duplicate' | 'too-old'

const NONE: readonly never[] = []
const TOUCHED_NOTHING: Touched = { series: undefined, users: false, dimensions: NONE, keys: NONE }

type Writable<T> = { -readonly [Field in keyof T]: T[Field] }

/** For each signal the same two objects: what was touched is read at once, and made anew it would be a sixth of all that a signal allocates. */
const touched: Writable<Touched> = { ...TOUCHED_NOTHING }
const counted: Writable<TouchedSeries> = {
  series: createSeries(''),
  thousandths: 0,
  day: 0,
  isNewBucket: false,
  isNewDay: false,
  hour: undefined,
  isNewHourBucket: false,
  isNewHour: false,
}

/**
 * Applies a signal; the clock was moved to its `observedAt` before. Rules: docs/how-a-score-is-defined.md, "A signal", 3 to 5.
 */
export function applySignal(activity: AccountActivity, users: UserBook, signal: Signal): Applied {
  const id = signal.idHash ?? hash64(signal.id)
  if (activity.recentIds.has(id)) return 'duplicate'
  const { kind, occurredAt } = signal
  const today = dayOf(activity.clock)
  const day = dayOf(occurredAt)
  if (day <= today - HELD_DAYS) {
    countDropped(activity, 'tooOld')
    return 'too-old'
  }
  activity.recentIds.add(id, activity.clock)
  if (day < activity.firstDay) activity.firstDay = day
  if (kind === 'override') {
    applyOverride(activity, signal)
    return TOUCHED_NOTHING
  }
  if (!isActivityKind(kind)) return applyFacts(activity, signal)
  touched.series = countSignal(activity, signal, day)
  touched.users = false
  touched.dimensions = NONE
  if (kind === 'outcome') return touched
  const user = userHashOf(signal)
  touched.users = user !== undefined && applyUser(activity, users, user, day, today)
  touched.dimensions = seeValues(activity, signal.properties, day)
  return touched
}

function countSignal(activity: AccountActivity, signal: Signal, day: number): TouchedSeries | undefined {
  const key = signal.seriesKey ?? seriesKey(signal.kind, signal.name)
  const series = activity.series.get(key) ?? beginSeries(activity, key)
  if (series === undefined) return undefined
  const thousandths = signal.quantityThousandths
  counted.series = series
  counted.thousandths = thousandths
  counted.day = day
  counted.isNewBucket = series.days.count(series.days.add(day, thousandths)) === 1
  counted.isNewDay = counted.isNewBucket && insertSorted(activity.activeDays, day)
  const hour = hourOf(signal.occurredAt)
  const isHeld = hour > hourOf(activity.clock) - HELD_HOURS
  const before = isHeld ? activity.hours.add(hour, series, thousandths) : 'same-name'
  counted.hour = isHeld ? hour : undefined
  counted.isNewHourBucket = before !== 'same-name'
  counted.isNewHour = before === 'nothing'
  return counted
}

function beginSeries(activity: AccountActivity, key: string): Series | undefined {
  const { series } = activity
  if (series.size >= LIMITS.series) {
    countDropped(activity, 'names')
    return undefined
  }
  const begun = createSeries(key)
  series.add(begun)
  return begun
}

/** Returns whether the days that users are counted under changed. */
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
    if (typeof value === 'string' && seeValue(activity, dimension, value, day)) {
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

/** The latest by `occurredAt` holds; one that has ended already does not. */
function applyOverride(activity: AccountActivity, signal: Signal): void {
  const override = readOverride(signal)
  if (typeof override === 'string') throw new Error(`signal ${signal.id}: ${override}`)
  if (override.expiresAt <= activity.clock) return
  const present = activity.overrides.get(signal.name)
  if (present === undefined && activity.overrides.size >= LIMITS.overrides) {
    countDropped(activity, 'keys')
    return
  }
  if (present === undefined || override.occurredAt >= present.occurredAt)
    activity.overrides = withEntry(activity.overrides, signal.name, override)
}

function applyFacts(activity: AccountActivity, signal: Signal): Touched {
  const keys: string[] = []
  for (const property of Object.keys(signal.properties)) {
    const key = `${signal.kind}.${property}`
    if (applyFact(activity, key, signal.properties[property]!, signal.occurredAt)) keys.push(key)
  }
  return { series: undefined, users: false, dimensions: NONE, keys }
}

function applyFact(
  activity: AccountActivity,
  key: string,
  value: PropertyValue,
  occurredAt: number,
): boolean {
  let latest = activity.latest.get(key)
  if (latest === undefined) {
    if (activity.latest.size >= LIMITS.keys) {
      countDropped(activity, 'keys')
      return false
    }
    latest = { value: null, occurredAt: Number.NEGATIVE_INFINITY, history: [] }
    activity.latest = withEntry(activity.latest, key, latest)
  }
  if (occurredAt >= latest.occurredAt) {
    latest.value = value
    latest.occurredAt = occurredAt
  }
  if (typeof value === 'number') enterHistory(latest.history, { value, occurredAt }, activity.clock)
  return true
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
