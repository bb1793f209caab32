import { expect, test } from 'vitest'
import { FlushSchedule } from '../../../src/consumers/scorer/flush/flush-policy.ts'
import type { ScorerMeter } from '../../../src/consumers/scorer/scorer-meter.ts'
import { publishedMetadata } from '../../../src/log/published-offset.ts'
import { modelsAt, onePartition, signal, signalAt } from '../../support/one-partition.ts'

/** A partition whose flushes come when `time.now` has passed their interval. */
function partition() {
  const time = { now: 0 }
  const said: string[] = []
  const meter: ScorerMeter = {
    flushed: (_, isDone) => void said.push(`flushed ${isDone}`),
    lookedUp: (hits, misses) => void said.push(`looked up ${hits} ${misses}`),
    loaded: (found, absent) => void said.push(`loaded ${found} ${absent}`),
    filling: () => {},
    scoring: () => () => {},
  }
  const flushes = new FlushSchedule({ intervalMs: 1_000, now: () => time.now })
  const { take, store } = onePartition()
  return { time, said, store, take: (found = {}) => take({ meter, flushes }, found) }
}

test('a scorer says what the store lacks until the flush', async () => {
  const { time, said, take } = partition()
  const scorer = await take({ endOffset: 0 })
  time.now = 10_000
  await scorer.score([modelsAt(0)])
  await scorer.score([signalAt(1, signal('a', 'acme')), signalAt(2, signal('b', 'brick'))])
  const { unstoredRecords, unstoredMs, cachedAccounts } = scorer.state
  expect([unstoredRecords, cachedAccounts]).toEqual([2, 2])
  expect(unstoredMs).toBeGreaterThan(0)
  await scorer.flush()
  expect(scorer.state).toMatchObject({ unstoredRecords: 0, unstoredMs: 0, checkpoint: undefined })
  expect(said.filter(line => line.startsWith('flushed'))).toEqual(['flushed true', 'flushed true'])
})

test('a scorer counts which accounts were in memory, in the store, and new', async () => {
  const { said, store, take } = partition()
  const first = await take()
  await first.score([modelsAt(0), signalAt(1, signal('a', 'acme'))])
  await first.score([signalAt(2, signal('b', 'acme')), signalAt(3, signal('c', 'acme'))])
  await first.flush()
  said.length = 0
  const second = await take({ committedOffset: 4, committedMetadata: publishedMetadata(4) })
  await second.score([signalAt(4, signal('d', 'acme')), signalAt(5, signal('e', 'brick'))])
  await second.score([signalAt(6, signal('f', 'acme'))])
  expect(await store.readStoredOffset(0)).toBeGreaterThan(0)
  expect(said.filter(line => !line.startsWith('flushed'))).toEqual([
    'looked up 0 2',
    'loaded 1 1',
    'looked up 1 0',
  ])
})

test('a scorer says how much it has to fold again, and how much of it is done', async () => {
  const { take } = partition()
  const scorer = await take({ committedOffset: 3, committedMetadata: publishedMetadata(3) })
  expect(scorer.state.refold).toEqual({ done: 0, total: 3 })
  await scorer.score([modelsAt(0), signalAt(1, signal('a', 'acme'))])
  expect(scorer.state.refold).toEqual({ done: 2, total: 3 })
  await scorer.score([signalAt(2, signal('b', 'acme')), signalAt(3, signal('c', 'acme'))])
  expect(scorer.state.refold).toEqual({ done: 3, total: 3 })
})

test('a flush that fails is counted', async () => {
  const { said, store, take } = partition()
  const scorer = await take()
  await scorer.score([modelsAt(0), signalAt(1, signal('a', 'acme'))])
  await scorer.score([signalAt(2, signal('b', 'acme'))])
  await store.fence(0, 'another owner')
  await expect(scorer.flush()).rejects.toMatchObject({ code: 'STORE_FENCED' })
  expect(said.at(-1)).toBe('flushed false')
})
