// How many ids of applied signals an account remembers. At first they are in its core. An account with more
// has chunks for them, so that a signal reads and writes one chunk only.
//
// 128 chunks of 1,536 ids are 196,608. `hash64` spreads ids evenly: of 150,000 ids a chunk gets 1,172, with
// a standard deviation of 34. It is full only 10 deviations above that, a chance below 10⁻²⁰ for any chunk.

export const ID_LIMITS = {
  /** The most ids in a core; less than `perChunk`, so that one chunk could take over all of them. */
  inCore: 1024,
  /** A power of 2. */
  chunks: 128,
  perChunk: 1536,
  /** So many ids of 48 hours are remembered. */
  promised: 150_000,
} as const
