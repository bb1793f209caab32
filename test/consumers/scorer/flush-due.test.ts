import { describe, expect, test } from 'vitest'
import { isFlushDue } from '../../../src/consumers/scorer/flush-partition.ts'
import type { ScoreOptions } from '../../../src/consumers/scorer/score-partition.ts'
import { StoreWrites } from '../../../src/consumers/scorer/store-writes.ts'
import type { OwnedPartition } from '../../../src/consumers/scorer/take-partition.ts'
import { Unsaved } from '../../../src/consumers/scorer/unsaved.ts'
import { createAccount, NO_MODELS } from '../../../src/scoring/account.ts'

const NOW = 100_000
const account = (id: number) => createAccount(`a-${id}`, 0, NO_MODELS, { type: 'signal' })

/** A partition that was written `sinceMs` ago, and has folded something since. */
function isDue(
  sinceMs: number,
  { toEnd = true, hold = (_: Unsaved): void => {}, written = false, writes = new StoreWrites() } = {},
): boolean {
  const unsaved = new Unsaved()
  hold(unsaved)
  const owned = {
    position: written ? 5 : 10,
    storedOffset: 5,
    unsaved,
    flushedAt: NOW - sinceMs,
    scoredAt: NOW - 1,
    session: { endOffset: toEnd ? 10 : 1_000 },
  } as unknown as OwnedPartition
  const flush = { intervalMs: 250, now: () => NOW }
  return isFlushDue({ flush, writes } as unknown as ScoreOptions, owned)
}

describe('the store is written', () => {
  test('when its time has come, by a clock that may be set back, and not before', () => {
    expect([isDue(249), isDue(250), isDue(-250)]).toEqual([false, true, true])
    expect(isDue(10_000, { written: true })).toBe(false)
  })

  test('every 5 s while a backlog is worked off', () => {
    expect([isDue(4_999, { toEnd: false }), isDue(5_000, { toEnd: false })]).toEqual([false, true])
  })

  test('not while another partition is, unless that takes too long or memory holds too much; and again when that failed', async () => {
    const writes = new StoreWrites()
    const hold = (unsaved: Unsaved) => (unsaved.loadedChunks = 10_000)
    const failed = writes.during(async () => {
      expect([isDue(250, { writes }), isDue(499, { writes })]).toEqual([false, false])
      expect([isDue(500, { writes }), isDue(0, { writes, hold })]).toEqual([true, true])
      throw new Error('the store is away')
    })
    await expect(failed).rejects.toThrow('the store is away')
    expect(isDue(250, { writes })).toBe(true)
  })

  test.each([
    [
      'accounts',
      (unsaved: Unsaved) => Array.from({ length: 10_000 }, (_, i) => unsaved.accounts.add(account(i))),
    ],
    ['bytes of accounts', (unsaved: Unsaved) => (unsaved.sizeBytes = 16 * 1024 * 1024)],
    ['chunks of users', (unsaved: Unsaved) => (unsaved.loadedChunks = 10_000)],
  ])('before its time where memory holds too many %s', (_, hold) => {
    expect(isDue(0, { toEnd: false, hold })).toBe(true)
  })
})
