import { hash64, lowBits } from '../lib/hash.ts'

/** A repeatable source of random numbers: the same key gives the same numbers on any machine. */
export interface Random {
  /** From 0 up to, but not including, 1. */
  next(): number
  /** A whole number from `from` to `to`, both included. */
  integer(from: number, to: number): number
  between(from: number, to: number): number
  chance(probability: number): boolean
  pick<T>(choices: readonly T[]): T
  shuffled<T>(items: readonly T[]): T[]
}

/** Use a key for each thing to draw: then one more number for one thing changes nothing for the others. */
export function createRandom(...key: readonly (string | number)[]): Random {
  let state = lowBits(hash64(key.join('/')))
  // mulberry32: 32 bits of state are plenty for some hundred numbers of a key.
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
  return {
    next,
    integer,
    between: (from, to) => from + next() * (to - from),
    chance: probability => next() < probability,
    pick: choices => choices[integer(0, choices.length - 1)]!,
    shuffled: items => {
      const shuffled = [...items]
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = integer(0, i)
        ;[shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!]
      }
      return shuffled
    },
  }
}
