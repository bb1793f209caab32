import type { Hash64 } from '../../lib/hash.ts'

/**
 * Some of an account's users with their days (`UserDays`), ascending by hash, in one array of doubles: user,
 * days, user, days … That is 16 bytes a user, without references for the collector to follow.
 */
export class UserChunk {
  /** The store does not hold this content yet. */
  isUnsaved = false
  #pairs: number[] = NONE
  #size = 0

  get size(): number {
    return this.#size
  }

  user(i: number): Hash64 {
    return this.#pairs[2 * i]!
  }

  days(i: number): number {
    return this.#pairs[2 * i + 1]!
  }

  get(user: Hash64): number | undefined {
    const i = this.#indexFrom(user)
    return i < this.#size && this.#pairs[2 * i] === user ? this.#pairs[2 * i + 1] : undefined
  }

  set(user: Hash64, days: number): void {
    const i = this.#indexFrom(user)
    if (i < this.#size && this.#pairs[2 * i] === user) this.#pairs[2 * i + 1] = days
    else this.#insert(i, user, days)
  }

  /** Makes room for `size` users in an empty chunk. */
  reserve(size: number): void {
    if (size > 0) this.#pairs = new Array<number>(2 * size)
  }

  /** Adds a user whose hash is higher than all others. */
  append(user: Hash64, days: number): void {
    this.#insert(this.#size, user, days)
  }

  /** The index of the first hash `≥ user`. */
  #indexFrom(user: Hash64): number {
    const pairs = this.#pairs
    let low = 0
    let high = this.#size
    while (low < high) {
      const middle = (low + high) >>> 1
      if (pairs[2 * middle]! < user) low = middle + 1
      else high = middle
    }
    return low
  }

  #insert(i: number, user: Hash64, days: number): void {
    let pairs = this.#pairs
    if (2 * this.#size === pairs.length) {
      pairs = new Array<number>(2 * (this.#size + 2 + (this.#size >> 1)))
      for (let j = 0; j < 2 * i; j++) pairs[j] = this.#pairs[j]!
    }
    for (let j = 2 * this.#size - 1; j >= 2 * i; j--) pairs[j + 2] = this.#pairs[j]!
    pairs[2 * i] = user
    pairs[2 * i + 1] = days
    this.#pairs = pairs
    this.#size++
  }
}

/** The array of all empty chunks. It has no room, so nothing is written into it. */
const NONE: number[] = []
