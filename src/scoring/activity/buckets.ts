/** The quantity of most signals, 1, in thousandths. */
const ONE = 1000

/**
 * Sparse buckets by day (or hour) number, each with a count and a sum of quantities. An account has a dozen
 * of these tables or hundreds, mostly with a few buckets each. So a table is one plain array of its own size,
 * ascending: bucket, count, bucket, count … Sums are kept only if a quantity was not 1.
 */
export class Buckets {
  #pairs: number[] = NONE
  #length = 0
  /**
   * In thousandths. Integers up to 2⁵³ − 1, so that any order of adding gives the same sum. Undefined: every
   * quantity was 1.
   */
  #sums: number[] | undefined = undefined

  /** The number of buckets. */
  get length(): number {
    return this.#length
  }

  /** The day (or hour) of the i-th bucket. */
  at(i: number): number {
    return this.#pairs[2 * i]!
  }

  count(i: number): number {
    return this.#pairs[2 * i + 1]!
  }

  /** In thousandths. */
  sum(i: number): number {
    return this.#sums === undefined ? this.#pairs[2 * i + 1]! * ONE : this.#sums[i]!
  }

  /** Whether each bucket's sum is as if all its quantities were 1. */
  isPlain(): boolean {
    if (this.#sums === undefined) return true
    for (let i = 0; i < this.#length; i++) if (this.sum(i) !== this.count(i) * ONE) return false
    return true
  }

  /** The index of the first bucket `≥ bucket`. */
  indexFrom(bucket: number): number {
    const pairs = this.#pairs
    let low = 0
    let high = this.#length
    // Most reads are at the newest bucket or near it.
    if (high > 0 && pairs[2 * high - 2]! < bucket) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (pairs[2 * middle]! < bucket) low = middle + 1
      else high = middle
    }
    return low
  }

  has(bucket: number): boolean {
    const i = this.indexFrom(bucket)
    return i < this.#length && this.#pairs[2 * i] === bucket
  }

  /** Whether there is a bucket from `from` to `to`, both included. */
  hasBetween(from: number, to: number): boolean {
    if (this.#length === 0) return false
    const newest = this.#pairs[2 * this.#length - 2]!
    if (newest <= to) return newest >= from
    const i = this.indexFrom(from)
    return i < this.#length && this.#pairs[2 * i]! <= to
  }

  /** Adds one signal and its quantity. Returns the bucket's index. */
  add(bucket: number, thousandths: number): number {
    if (thousandths !== ONE && this.#sums === undefined) this.#beginSums()
    const i = this.#countOne(bucket)
    if (this.#sums !== undefined) this.#sums[i] = addCapped(this.#sums[i]!, thousandths)
    return i
  }

  /** Counts one. Only for tables whose sums are not read. */
  addOne(bucket: number): void {
    this.#countOne(bucket)
  }

  /** Takes one out of a bucket; nothing if the bucket is gone. Only for tables whose sums are not read. */
  takeOne(bucket: number): void {
    const i = this.indexFrom(bucket)
    const pairs = this.#pairs
    if (i >= this.#length || pairs[2 * i] !== bucket) return
    if (pairs[2 * i + 1]! > 1) {
      pairs[2 * i + 1]!--
      return
    }
    this.remove(i, i + 1)
  }

  /**
   * Takes one out of a bucket and counts it in another. Only for tables whose sums are not read. The search
   * for the other bucket starts at the first one, since it is mostly close. If one bucket ends and another
   * begins, only the buckets between them move.
   */
  moveOne(from: number, to: number): void {
    if (from === to) return
    const pairs = this.#pairs
    let i = this.indexFrom(from)
    if (i === this.#length || pairs[2 * i] !== from) {
      this.addOne(to)
      return
    }
    let target = i
    while (target < this.#length && pairs[2 * target]! < to) target++
    while (target > 0 && pairs[2 * target - 2]! >= to) target--
    const isThere = target < this.#length && pairs[2 * target] === to
    const ends = pairs[2 * i + 1] === 1
    if (isThere) pairs[2 * target + 1]!++
    if (!ends) {
      pairs[2 * i + 1]!--
      if (!isThere) this.#insert(target, to, 1)
    } else if (isThere) {
      this.remove(i, i + 1)
    } else {
      for (; i + 1 < target; i++) this.#set(i, pairs[2 * i + 2]!, pairs[2 * i + 3]!)
      for (; i > target; i--) this.#set(i, pairs[2 * i - 2]!, pairs[2 * i - 1]!)
      this.#set(i, to, 1)
    }
  }

  /** Removes the buckets from index `first` to before `end`. */
  remove(first: number, end: number): void {
    const gone = end - first
    this.#length -= gone
    for (let j = 2 * first; j < 2 * this.#length; j++) this.#pairs[j] = this.#pairs[j + 2 * gone]!
    this.#sums?.splice(first, gone)
  }

  /** Adds a bucket after all others, for reading a stored table. */
  append(bucket: number, count: number, thousandths: number): void {
    if (thousandths !== count * ONE && this.#sums === undefined) this.#beginSums()
    const i = this.#length
    this.#insert(i, bucket, count)
    if (this.#sums !== undefined) this.#sums[i] = thousandths
  }

  /** Forgets the buckets before `first`. */
  forgetBefore(first: number): void {
    if (this.#length === 0 || this.#pairs[0]! >= first) return
    this.remove(0, this.indexFrom(first))
  }

  /** The sum of counts in the buckets from `from` to `to`, both included. */
  countBetween(from: number, to: number): number {
    const pairs = this.#pairs
    const end = 2 * this.#length
    let total = 0
    for (let j = 2 * this.indexFrom(from); j < end && pairs[j]! <= to; j += 2) total += pairs[j + 1]!
    return total
  }

  /** The sum of quantities in the buckets from `from` to `to`, both included, in thousandths. */
  sumBetween(from: number, to: number): number {
    let total = 0
    for (let i = this.indexFrom(from); i < this.#length && this.at(i) <= to; i++)
      total = addCapped(total, this.sum(i))
    return total
  }

  #set(i: number, bucket: number, count: number): void {
    this.#pairs[2 * i] = bucket
    this.#pairs[2 * i + 1] = count
  }

  #beginSums(): void {
    this.#sums = []
    for (let i = 0; i < this.#length; i++) this.#sums.push(this.count(i) * ONE)
  }

  #countOne(bucket: number): number {
    const i = this.indexFrom(bucket)
    if (i < this.#length && this.#pairs[2 * i] === bucket) {
      this.#pairs[2 * i + 1]!++
    } else {
      this.#insert(i, bucket, 1)
      if (this.#sums !== undefined) this.#sums.splice(i, 0, 0)
    }
    return i
  }

  #insert(i: number, bucket: number, count: number): void {
    let pairs = this.#pairs
    if (2 * this.#length === pairs.length) {
      // `push` would reserve room for 16 more numbers, which most tables never have.
      pairs = new Array<number>(2 * (this.#length + 1 + (this.#length >> 1)))
      for (let j = 0; j < 2 * i; j++) pairs[j] = this.#pairs[j]!
    }
    for (let j = 2 * this.#length - 1; j >= 2 * i; j--) pairs[j + 2] = this.#pairs[j]!
    pairs[2 * i] = bucket
    pairs[2 * i + 1] = count
    this.#pairs = pairs
    this.#length++
  }
}

/** The array of all empty tables. It has no room, so nothing is written into it. */
const NONE: number[] = []

/**
 * The sum of two amounts, cut at 2⁵³ − 1. Up to there a sum is exact, and therefore the same in any order.
 */
export function addCapped(a: number, b: number): number {
  return Math.min(a + b, Number.MAX_SAFE_INTEGER)
}

/** The index of the first element `≥ bucket` of an ascending list. */
export function firstFrom(list: readonly number[], bucket: number): number {
  let low = 0
  let high = list.length
  if (high > 0 && list[high - 1]! < bucket) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (list[middle]! < bucket) low = middle + 1
    else high = middle
  }
  return low
}

/** Inserts into an ascending list of distinct numbers. Returns false if the number was there already. */
export function insertSorted(list: number[], value: number): boolean {
  const i = firstFrom(list, value)
  if (list[i] === value) return false
  if (i === list.length) list.push(value)
  else list.splice(i, 0, value)
  return true
}
