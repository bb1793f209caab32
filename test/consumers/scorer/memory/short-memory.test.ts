import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { FlushSchedule } from '../../../../src/consumers/scorer/flush/flush-policy.ts'
import { PartitionScorer } from '../../../../src/consumers/scorer/partition-scorer.ts'
import { type PartitionShare, PartitionShares } from '../../../../src/consumers/scorer/partition-shares.ts'
import type { LogRecord } from '../../../../src/log/log.ts'
import { tickRecord } from '../../../../src/log/signals-topic-records.ts'
import { logRecord } from '../../../support/log-record.ts'
import { modelsAt, onePartition, signal, signalAt } from '../../../support/one-partition.ts'

const MIB = 1024 * 1024
const DAY_MS = 86_400_000
const NOW = Date.parse('2026-01-05T10:00:00Z')
/** Never again after the first flush. */
const once = () => new FlushSchedule({ intervalMs: 1_000_000, now: () => 1 })

/** Signals from an offset on, each of another account. Without users they need no chunks. */
function signalsFrom(offset: number, count: number): LogRecord[] {
  return signalsOf(count, offset, count)
}

/** Signals of a few accounts, which no other signals are about. */
function signalsOf(accounts: number, offset: number, count: number): LogRecord[] {
  const group = accounts === count ? 'account' : 'busy'
  return Array.from({ length: count }, (_, i) =>
    signalAt(offset + i, { ...signal(`s${offset + i}`, `${group}-${i % accounts}`), userId: undefined }),
  )
}

/** Takes the only place until the returned function is called. */
function holdPlace(share: PartitionShare): () => Promise<void> {
  let free = (): void => {}
  const held = share.during(
    () =>
      new Promise<void>(resolve => {
        free = resolve
      }),
  )
  return async () => {
    free()
    await held
  }
}

test('a step that does not fit is made smaller, and all of it is scored', async () => {
  const { take } = onePartition()
  const scored: number[] = []
  const scorer = await take({
    shares: new PartitionShares(8 * MIB),
    flushes: once(),
    onScored: ({ records }) => scored.push(records),
  })
  await scorer.score([modelsAt(0)])
  for (let i = 0; i < 6; i++) await scorer.score(signalsOf(3, 1 + 2_000 * i, 2_000))
  // Of few accounts, many fit.
  expect(scored.at(-1)).toBe(2_000)
  scored.length = 0
  await scorer.score(signalsFrom(12_001, 3_000))
  expect(scored.reduce((sum, records) => sum + records, 0)).toBe(3_000)
  expect(Math.max(...scored)).toBeLessThan(1_000)
})

test('a smaller step publishes nothing if the store was rolled back meanwhile', async () => {
  const { store, committed, take } = onePartition()
  const scorer = await take({ shares: new PartitionShares(8 * MIB) })
  await scorer.score([modelsAt(0), ...signalsFrom(1, 1_200)])
  const stored = await store.readStoredOffset(0)
  const another = await take(
    { shares: new PartitionShares(8 * MIB) },
    { committedOffset: stored, endOffset: 1_000_000 },
  )
  // Signals of few accounts make the next step large.
  for (let i = 0; i < 12; i++) await another.score(signalsOf(3, stored + 1_000 * i, 1_000))
  const before = committed.length
  const end = await store.readStoredOffset(0)
  store.readStoredOffset = async () => end - 500
  await expect(another.score(signalsFrom(end, 1_200))).rejects.toMatchObject({ code: 'STORE_MOVED' })
  expect(committed).toHaveLength(before)
})

test('a tick of many accounts does not make the next steps small', async () => {
  const { take } = onePartition()
  const sizes: number[] = []
  const scorer = await take({
    shares: new PartitionShares(128 * MIB),
    flushes: once(),
    onScored: ({ records }) => sizes.push(records),
  })
  await scorer.score([modelsAt(0)])
  for (let i = 0; i < 4; i++) await scorer.score(signalsOf(250, 1 + 5_000 * i, 5_000))
  const slice = { slice: 0, of: 1, scope: 'all', clock: 'wall' } as const
  await scorer.score([logRecord(0, 20_001, tickRecord('signals', 0, NOW + 40 * DAY_MS, slice))])
  sizes.length = 0
  await scorer.score(signalsOf(250, 20_002, 5_000))
  expect(sizes).toEqual([5_000])
})

test('partitions with nothing to write take no place', async () => {
  const shares = new PartitionShares(16 * MIB)
  const scorers = await Promise.all(
    Array.from({ length: 6 }, () => onePartition().take({ shares, flushes: once() })),
  )
  const before = shares.shortages
  for (let i = 0; i < 50; i++) await Promise.all(scorers.map(scorer => scorer.flushIfDue()))
  expect(shares.shortages).toBe(before)
})

test('an owner that waited for its place until the partition had another one fences nobody', async () => {
  const { context, session, store } = onePartition()
  const shares = new PartitionShares(8 * MIB)
  const free = holdPlace(shares.join())
  let isOver = false
  const late = PartitionScorer.take(
    { ...context, shares },
    {
      ...session,
      get isOver() {
        return isOver
      },
    },
    'late',
  )
  await setImmediate()
  isOver = true
  const owner = await PartitionScorer.take({ ...context }, session, 'owner')
  await owner.score([modelsAt(0), signalAt(1, signal('a', 'x'))])
  await Promise.all([expect(late).rejects.toMatchObject({ code: 'LOG_FENCED' }), free()])
  await owner.score([signalAt(2, signal('b', 'x'))])
  expect(await store.readStoredOffset(0)).toBe(3)
  expect(shares.partitions).toBe(1)
})

test('a batch that waits for its place is not scored after the release', async () => {
  const { committed, take } = onePartition()
  const shares = new PartitionShares(8 * MIB)
  const scorer = await take({ shares })
  await scorer.score([modelsAt(0)])
  const free = holdPlace(shares.join())
  const before = committed.length
  const scoring = scorer.score([signalAt(1, signal('a', 'x'))])
  await setImmediate()
  scorer.release()
  await Promise.all([free(), scoring])
  expect(committed).toHaveLength(before)
})
