import { describe, expect, test } from 'vitest'
import { DirtyAccounts } from '../../../src/consumers/scorer/flush/dirty-accounts.ts'
import { FlushPolicy, FlushSchedule } from '../../../src/consumers/scorer/flush/flush-policy.ts'
import { createAccount, NO_MODELS } from '../../../src/scoring/account.ts'

const INTERVAL_MS = 250
const account = (id: number) => createAccount(`a-${id}`, 0, NO_MODELS, { type: 'signal' })

/** A policy whose last flush began at 100,000 ms, with its own clock. */
async function flushedPolicy(others?: FlushSchedule) {
  const clock = { now: 100_000 }
  const schedule = others ?? new FlushSchedule({ intervalMs: INTERVAL_MS, now: () => clock.now })
  const policy = new FlushPolicy(schedule)
  await policy.during(async () => {})
  /** Whether a flush is due after this time, if a step ended 1 ms before. */
  const isDueAfter = (passedMs: number, { isBehind = false, isFull = false, accounts = 0 } = {}) => {
    const dirty = new DirtyAccounts()
    for (let i = 0; i < accounts; i++) dirty.accounts.add(account(i))
    clock.now = 100_000 + passedMs - 1
    policy.onStep()
    clock.now++
    return policy.isDue(dirty, isBehind, isFull)
  }
  return { schedule, isDueAfter }
}

describe('a flush is due', () => {
  test('an interval after the last one, by a clock that may be set back', async () => {
    const { isDueAfter } = await flushedPolicy()
    expect([isDueAfter(249), isDueAfter(250), isDueAfter(-250)]).toEqual([false, true, true])
  })

  test('every 5 s during a backlog', async () => {
    const { isDueAfter } = await flushedPolicy()
    expect([isDueAfter(4_999, { isBehind: true }), isDueAfter(5_000, { isBehind: true })]).toEqual([
      false,
      true,
    ])
  })

  test('after another partition has flushed, unless that takes too long or memory holds too much', async () => {
    const { schedule, isDueAfter } = await flushedPolicy()
    const failed = schedule.during(async () => {
      expect([isDueAfter(250), isDueAfter(499)]).toEqual([false, false])
      expect([isDueAfter(500), isDueAfter(0, { isFull: true })]).toEqual([true, true])
      throw new Error('the store is away')
    })
    await expect(failed).rejects.toThrow('the store is away')
    expect(isDueAfter(250)).toBe(true)
  })

  test('early when memory is full, or holds too many accounts for one flush', async () => {
    const { isDueAfter } = await flushedPolicy()
    expect(isDueAfter(0, { isBehind: true, isFull: true })).toBe(true)
    expect(isDueAfter(0, { isBehind: true, accounts: 10_000 })).toBe(true)
    expect(isDueAfter(0, { isBehind: true, accounts: 9_999 })).toBe(false)
  })

  test('after each step without a schedule', () => {
    expect(new FlushPolicy(undefined).isDue(new DirtyAccounts(), true, false)).toBe(true)
  })
})
