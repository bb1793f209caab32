import { hash64, lowBits } from '../lib/hash.ts'

/** The due index of a partition has this many buckets, by account hash: a tick can name a slice of them. */
export const DUE_BUCKETS = 256

/** The due bucket of an account. */
export function dueBucketOf(accountId: string): number {
  return lowBits(hash64(accountId)) >>> 24
}

/** Slices of one bucket. With more of them, each bucket would be read more often for fewer accounts. */
const PARTS = 16
export const MOST_SLICES = DUE_BUCKETS * PARTS

/**
 * Whether an account is in slice `slice` of `of`. Up to 256 slices consist of whole buckets.
 * Beyond that `of` is a power of two up to `MOST_SLICES`, and each slice is a part of one bucket.
 */
export function isInSlice(accountId: string, slice: number, of: number): boolean {
  const bits = lowBits(hash64(accountId))
  const bucket = bits >>> 24
  const part = (bits >>> 16) & (PARTS - 1)
  return (of <= DUE_BUCKETS ? bucket : part * DUE_BUCKETS + bucket) % of === slice
}

/** The accounts for which a tick passes time: slice `slice` of `of` slices (`isInSlice`). */
export interface TickSlice {
  /** `wall`: time passes for live accounts. `event`: it passes for those in history, by their events. */
  readonly clock: 'wall' | 'event'
  readonly slice: number
  readonly of: number
  /** Only the accounts that are due by then or were released, or every account of the slice. */
  readonly scope: 'due' | 'all'
}
