/** Sparse buckets by day (or hour) number: what happened then. Parallel arrays, ascending by bucket. */
export interface Buckets {
  readonly at: number[]
  readonly counts: number[]
  /** In thousandths; integers below 2⁵³, so that any order of adding gives the same sum. */
  readonly sums: number[]
}

export function createBuckets(): Buckets {
  return { at: [], counts: [], sums: [] }
}

/** The index of the first element that is `≥ bucket`. */
export function firstFrom(at: readonly number[], bucket: number): number {
  let low = 0
  let high = at.length
  // Most reads are at or near the newest bucket.
  if (high > 0 && at[high - 1]! < bucket) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (at[middle]! < bucket) low = middle + 1
    else high = middle
  }
  return low
}

/** Adds one signal with its quantity to its bucket. */
export function addToBucket(buckets: Buckets, bucket: number, thousandths: number): void {
  const i = firstFrom(buckets.at, bucket)
  if (buckets.at[i] !== bucket) {
    buckets.at.splice(i, 0, bucket)
    buckets.counts.splice(i, 0, 0)
    buckets.sums.splice(i, 0, 0)
  }
  buckets.counts[i]!++
  buckets.sums[i] = addCapped(buckets.sums[i]!, thousandths)
}

/** The sum of two amounts, at most 2⁵³ − 1: up to there it is exact, and so the same in any order; the account must go on beyond. */
export function addCapped(a: number, b: number): number {
  return Math.min(a + b, Number.MAX_SAFE_INTEGER)
}

/** Forgets the buckets before `first`. */
export function forgetBefore(buckets: Buckets, first: number): void {
  const gone = firstFrom(buckets.at, first)
  if (gone === 0) return
  buckets.at.splice(0, gone)
  buckets.counts.splice(0, gone)
  buckets.sums.splice(0, gone)
}

/** The sum of counts in buckets `from … to`, both included. */
export function countBetween(buckets: Buckets, from: number, to: number): number {
  let total = 0
  for (let i = firstFrom(buckets.at, from); i < buckets.at.length && buckets.at[i]! <= to; i++)
    total += buckets.counts[i]!
  return total
}

/** The sum of quantities in buckets `from … to`, both included, in thousandths. */
export function sumBetween(buckets: Buckets, from: number, to: number): number {
  let total = 0
  for (let i = firstFrom(buckets.at, from); i < buckets.at.length && buckets.at[i]! <= to; i++)
    total = addCapped(total, buckets.sums[i]!)
  return total
}

/** Inserts into an ascending list of distinct numbers. */
export function insertSorted(list: number[], value: number): void {
  const i = firstFrom(list, value)
  if (list[i] !== value) list.splice(i, 0, value)
}
