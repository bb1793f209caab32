import { HELD_DAYS } from '../../signals/time.ts'
import { Buckets } from './buckets.ts'
import { lastDayOf, maskOf, USER_DAYS_HELD, type UserDays } from './users.ts'

const DAY_BITS = 20
/** More than any day. */
const DAYS = 2 ** DAY_BITS

/**
 * How many users of an account there are by the day of their (n + 1)-th latest active day, for n from 0, which is by the day they were last seen, to the most days
 * that a user was active on. All in one list: most accounts have a handful of entries.
 */
export class UserDayCounts {
  /** Bucket n × DAYS + day: ascending by n, then by day. */
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

  /** The index of the first entry of n and a day that is `≥ day`, or, if there is none, of what comes behind. */
  indexFrom(n: number, day: number): number {
    return this.#counts.indexFrom(n * DAYS + day)
  }

  /** How many users' (n + 1)-th latest active day is one of `from … to`, both included. */
  countBetween(n: number, from: number, to: number): number {
    return this.#counts.countBetween(n * DAYS + from, n * DAYS + to)
  }

  /** The earliest day for n that is `≥ from`; undefined if there is none. */
  earliestFrom(n: number, from: number): number | undefined {
    const i = this.indexFrom(n, from)
    return i < this.length && this.n(i) === n ? this.day(i) : undefined
  }

  /** Puts an entry behind all that are there: reading them from where they were stored. */
  append(n: number, day: number, count: number): void {
    this.#counts.append(n * DAYS + day, count, count * 1000)
  }

  /** Forgets the days that are not held any more. */
  forget(today: number): void {
    for (let i = 0; i < this.length; ) {
      const n = this.n(i)
      const kept = this.indexFrom(n, firstDayHeld(n, today))
      if (kept > i) this.#counts.remove(i, kept)
      // On to the next n.
      i = this.indexFrom(n + 1, 0)
    }
  }

  /** Counts a user under its present days in place of its earlier ones. Those before `before` may have been forgotten meanwhile. */
  moveUser(before: UserDays | undefined, now: UserDays, today: number): void {
    let from = before === undefined ? 0 : lastDayOf(before)
    let fromMask = before === undefined ? 0 : maskOf(before)
    let to = lastDayOf(now)
    let toMask = maskOf(now)
    for (let n = 0; fromMask !== 0 || toMask !== 0; n++) {
      // Of each mask the lowest bit that is left is the latest day that is left.
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

/** The first day for which it is known how many users had their (n + 1)-th latest active day on it. */
function firstDayHeld(n: number, today: number): number {
  return today - (n === 0 ? HELD_DAYS : USER_DAYS_HELD) + 1
}

/** The place of the lowest bit of a mask; 0 for none. */
function lowestBit(mask: number): number {
  return mask === 0 ? 0 : 31 - Math.clz32(mask & -mask)
}
