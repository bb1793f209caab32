import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { benchSignals, SIGNAL_STREAM } from '../../bench/signals/signals.ts'
import type { Signal } from '../../src/signals/signal.ts'

const COUNT = 100_000
const signals = [...benchSignals({ count: COUNT, seed: 42 })]

describe('the signals of the bench', () => {
  it('are the same for the same seed and different for another', () => {
    const first = take(1000, { count: COUNT, seed: 42 })
    expect(first).toEqual(signals.slice(0, 1000))
    expect(take(1000, { count: COUNT, seed: 43 })).not.toEqual(first)
  })

  it('are the signals of the figures in bench/README.md', () => {
    const hash = createHash('sha256')
    for (const signal of signals) hash.update(`${JSON.stringify(signal)}\n`)
    expect(hash.digest('hex')).toBe('2664706da1949abc39ec03a1977486b962c29b2e83f7386add8c8cc25076cd66')
  })

  it('are as many as requested, copies included', () => {
    expect(signals).toHaveLength(COUNT)
    expect([...benchSignals({ count: 2, seed: 1 })]).toHaveLength(2)
  })

  it('have accounts whose popularity falls as one over the rank', () => {
    let harmonic = 0
    for (let rank = 1; rank <= SIGNAL_STREAM.accounts; rank++) harmonic += 1 / rank
    for (const rank of [1, 2, 3, 10, 30]) {
      const found = signals.filter(({ accountId }) => accountId === `account-${rank - 1}`).length
      const share = found / (COUNT / harmonic / rank)
      expect(share).toBeGreaterThan(0.85)
      expect(share).toBeLessThan(1.15)
    }
    const numbers = signals.map(({ accountId }) => Number(accountId.slice('account-'.length)))
    expect(numbers.filter(number => number >= SIGNAL_STREAM.accounts)).toEqual([])
    expect(new Set(numbers).size).toBeGreaterThan(10_000)
  })

  it('have 1 to 50 users an account', () => {
    const users = new Map<string, Set<string>>()
    for (const { accountId, userId } of signals) {
      users.set(accountId, (users.get(accountId) ?? new Set()).add(userId!))
    }
    const foreign = signals.filter(({ accountId, userId }) => !userId!.startsWith(`${accountId}-user-`))
    expect(foreign).toEqual([])
    const counts = [...users.values()].map(({ size }) => size)
    expect(Math.max(...counts)).toBeGreaterThan(40)
    expect(Math.max(...counts)).toBeLessThanOrEqual(SIGNAL_STREAM.users)
  })

  it('have 8 names of usage and, one time in ten, 3 of intent', () => {
    const intents = signals.filter(({ kind }) => kind === 'intent')
    expect(intents.length / COUNT).toBeCloseTo(SIGNAL_STREAM.intentShare, 2)
    expect(namesOf(intents)).toEqual([...SIGNAL_STREAM.intentNames].sort())
    expect(namesOf(signals.filter(({ kind }) => kind === 'usage'))).toEqual(
      [...SIGNAL_STREAM.usageNames].sort(),
    )
  })

  it('rise over 60 days, up to 2 hours out of order', () => {
    const { start, spanMs, disorderMs } = SIGNAL_STREAM
    const delays = withoutCopies(signals).map(
      ({ signal, place }) => start + (spanMs * place) / COUNT - signal.occurredAt,
    )
    expect(delays.filter(delay => delay < 0 || delay > disorderMs)).toEqual([])
    expect(delays.filter(delay => delay > disorderMs / 2).length / COUNT).toBeCloseTo(0.5, 1)
    expect(signals.at(-1)!.occurredAt).toBeGreaterThan(start + spanMs - 2 * disorderMs)
  })

  it('repeat, one in a hundred, one of the 999 signals before exactly', () => {
    const places = new Map<string, { place: number; signal: Signal }>()
    let copies = 0
    for (const [place, signal] of signals.entries()) {
      const before = places.get(signal.id)
      if (before !== undefined) {
        copies++
        expect(signal).toEqual(before.signal)
        expect(place - before.place).toBeLessThanOrEqual(SIGNAL_STREAM.copyWithin)
      }
      places.set(signal.id, { place, signal })
    }
    expect(copies / COUNT).toBeCloseTo(SIGNAL_STREAM.copyShare, 2)
    expect(copies).toBeGreaterThan(0.009 * COUNT)
  })
})

function take(count: number, options: { count: number; seed: number }): Signal[] {
  const taken: Signal[] = []
  for (const signal of benchSignals(options)) {
    taken.push(signal)
    if (taken.length === count) break
  }
  return taken
}

function namesOf(some: readonly Signal[]): string[] {
  return [...new Set(some.map(({ name }) => name))].sort()
}

function withoutCopies(all: readonly Signal[]): { signal: Signal; place: number }[] {
  const seen = new Set<string>()
  return all.flatMap((signal, place) => {
    if (seen.has(signal.id)) return []
    seen.add(signal.id)
    return [{ signal, place }]
  })
}
