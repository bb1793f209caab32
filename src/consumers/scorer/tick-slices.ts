import { DUE_BUCKETS, MOST_SLICES } from '../../scoring/due-slices.ts'

/**
 * The most accounts that one tick makes due, unless the most slices are not enough. Each tick is one
 * transaction, all partitions of a process may run one at the same time, and signals wait for it.
 * 250 → about 100 ms; 1,000 → up to 1 s (2 cores).
 */
const ACCOUNTS_PER_TICK = 250

/** How many ticks to append when time passes for so many accounts: a power of two. */
export function ticksFor(accounts: number): number {
  return powerOfTwo(accounts / ACCOUNTS_PER_TICK, MOST_SLICES)
}

/** How many slices of whole buckets to cut so many accounts into: a power of two. */
export function slicesFor(accounts: number, accountsPerSlice: number): number {
  return powerOfTwo(accounts / accountsPerSlice, DUE_BUCKETS)
}

/** The least power of two that is not below `wanted`, but at most `most`. */
function powerOfTwo(wanted: number, most: number): number {
  let power = 1
  while (power < most && power < wanted) power *= 2
  return power
}

/**
 * The buckets of the due index that hold the accounts of a slice. Beyond 256 slices, several slices share a
 * bucket.
 */
export function bucketsOfSlice(slice: number, of: number): number[] {
  if (of > DUE_BUCKETS) return [slice % DUE_BUCKETS]
  const buckets: number[] = []
  for (let bucket = slice; bucket < DUE_BUCKETS; bucket += of) buckets.push(bucket)
  return buckets
}
