import { DUE_BUCKETS } from '../store/store.ts'

/** A tick makes no more accounts due than this, as long as there are buckets to cut by: each tick is one transaction. */
const ACCOUNTS_PER_TICK = 500

/** Into how many ticks time is cut when it passes for so many accounts: a power of two, so that it divides the number of buckets. */
export function slicesFor(accounts: number, accountsPerSlice = ACCOUNTS_PER_TICK): number {
  let slices = 1
  while (slices < DUE_BUCKETS && accounts > slices * accountsPerSlice) slices *= 2
  return slices
}
