import { HELD_DAYS } from '../../signals/time.ts'
import { Buckets } from './buckets.ts'
import { lastDayOf, maskOf, USER_DAYS_HELD, type UserDays } from './users.ts'

const DAY_BITS = 20
/** Higher than any day. */
const DAYS = 2 ** DAY_BITS

/**
 * Counts users by the day of their (n + 1)-th latest active day. n = 0 is the day on which they were last
 * seen; the highest n is the most active days of any user, less one. All counts are in one table: most
 * accounts have a handful.
 */
export class UserDayCounts {
  /** The bucket is n × DAYS + day: ascending by n, then by day. */
  readonly #counts = new Buckets()

  get length(): number {
    return this.#counts.length
  }

  n(i: number): number {
    return this.#counts.at(i) >>> DAY_BITS
  }

  day(i: number): number {
    return this.#counts.at(i) & (DAYS - 1)
  }

  count(i: number): number {
    return this.#counts.count(i)
  }

  /** The index of the first entry of n with a day `≥ day`; if there is none, of the entry after it. */
  indexFrom(n: number, day: number): number {
    return this.#counts.indexFrom(n * DAYS + day)
  }

  /** How many users have their (n + 1)-th latest active day from `from` to `to`, both included. */
  countBetween(n: number, from: number, to: number): number {
    return this.#counts.countBetween(n * DAYS + from, n * DAYS + to)
  }

  /** The earliest day `≥ from` of n; undefined: there is none. */
  earliestFrom(n: number, from: number): number | undefined {
    const i = this.indexFrom(n, from)
    return i < this.length && this.n(i) === n ? this.day(i) : undefined
  }

  /** Adds an entry after all others, for reading a stored table. */
  append(n: number, day: number, count: number): void {
    this.#counts.append(n * DAYS + day, count, count * 1000)
  }

  /** Forgets the days that are no longer held. */
  forget(today: number): void {
    for (let i = 0; i < this.length; ) {
      const n = this.n(i)
      const kept = this.indexFrom(n, firstDayHeld(n, today))
      if (kept > i) this.#counts.remove(i, kept)
      i = this.indexFrom(n + 1, 0)
    }
  }

  /** Counts a user under its days `now` instead of `before`. Some days may have been forgotten since. */
  moveUser(before: UserDays | undefined, now: UserDays, today: number): void {
    let from = before === undefined ? 0 : lastDayOf(before)
    let fromMask = before === undefined ? 0 : maskOf(before)
    let to = lastDayOf(now)
    let toMask = maskOf(now)
    for (let n = 0; fromMask !== 0 || toMask !== 0; n++) {
      // The lowest remaining bit of a mask is the latest remaining day.
      const fromSteps = lowestBit(fromMask)
      const toSteps = lowestBit(toMask)
      from -= fromSteps
      to -= toSteps
      fromMask >>>= fromSteps
      toMask >>>= toSteps
      const leaves = (fromMask & 1) === 1
      const enters = (toMask & 1) === 1 && to >= firstDayHeld(n, today)
      if (leaves && enters) this.#counts.moveOne(n * DAYS + from, n * DAYS + to)
      else if (leaves) this.#counts.takeOne(n * DAYS + from)
      else if (enters) this.#counts.addOne(n * DAYS + to)
      from--
      to--
      fromMask >>>= 1
      toMask >>>= 1
    }
  }
}

/** The first day on which users' (n + 1)-th latest active days are counted. */
function firstDayHeld(n: number, today: number): number {
  return today - (n === 0 ? HELD_DAYS : USER_DAYS_HELD) + 1
}

/** The index of the lowest set bit of a mask; 0 for an empty mask. */
function lowestBit(mask: number): number {
  return mask === 0 ? 0 : 31 - Math.clz32(mask & -mask)
}
