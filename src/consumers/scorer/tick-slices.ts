import { DUE_BUCKETS, MOST_SLICES } from '../../scoring/due-buckets.ts'

/**
 * A tick makes no more accounts due than this, as long as there are slices to cut by: each tick is one transaction. All partitions of a process may be at it at the same time, and
 * signals wait behind it: with 250 some 100 ms on two cores, with four times as many up to a second.
 */
const ACCOUNTS_PER_TICK = 250

/** Into how many ticks time is cut when it passes for so many accounts: a power of two. */
export function ticksFor(accounts: number): number {
  return powerOfTwo(accounts / ACCOUNTS_PER_TICK, MOST_SLICES)
}

/** Into how many slices of whole buckets so many accounts are cut: a power of two. */
export function slicesFor(accounts: number, accountsPerSlice: number): number {
  return powerOfTwo(accounts / accountsPerSlice, DUE_BUCKETS)
}

/** The least one that is not below `wanted`, but at most `most`. */
function powerOfTwo(wanted: number, most: number): number {
  let power = 1
  while (power < most && power < wanted) power *= 2
  return power
}

/** The buckets of the due index that the accounts of a slice stand in; of more than 256 slices several share one. */
export function bucketsOfSlice(slice: number, of: number): number[] {
  if (of > DUE_BUCKETS) return [slice % DUE_BUCKETS]
  const buckets: number[] = []
  for (let bucket = slice; bucket < DUE_BUCKETS; bucket += of) buckets.push(bucket)
  return buckets
}
