/** Repeatable random numbers for millions of draws: the same seed gives the same numbers on any machine. */
export interface Random {
  /** At least 0, less than 1. */
  next(): number
  /** A whole number, at least 0, less than `bound`. */
  below(bound: number): number
}

/** sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, 32-bit operations only. */
export function createRandom(seed: number): Random {
  let a = 0
  let b = 0x9e3779b9 | 0
  let c = seed | 0
  let counter = 1
  const next = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
  // Spreads a small seed over the whole state.
  for (let i = 0; i < 16; i++) next()
  return { next, below: bound => Math.floor(next() * bound) }
}
