import { expect, test } from 'vitest'
import { liveRecord, signalRecord, tickRecord } from '../../../src/log/signals-topic-records.ts'
import { topicNames } from '../../../src/log/topic-names.ts'
import { decodeAccount } from '../../../src/scoring/codec/codec.ts'
import { DUE_BUCKETS } from '../../../src/scoring/due-slices.ts'
import { HISTORY_DUE, indexedDueAt } from '../../../src/scoring/history.ts'
import { DAY_MS } from '../../../src/signals/time.ts'
import { logRecord } from '../../support/log-record.ts'
import { modelsAt, onePartition, signal } from '../../support/one-partition.ts'

const TOPIC = topicNames('').signals
const NOW = Date.parse('2026-01-05T10:00:00Z')
const ACCOUNTS = 600
const BUCKETS = Array.from({ length: DUE_BUCKETS }, (_, bucket) => bucket)

/** A partition with one live account, and many in history. */
async function loaded() {
  const partition = onePartition()
  let scorer = await partition.take()
  let offset = 1
  await scorer.score([modelsAt(0)])
  const append = async (record: Parameters<typeof logRecord>[2]) => {
    await scorer.score([logRecord(0, offset++, record)])
  }
  const old = (id: number) => ({ ...signal(`s${id}`, `old-${id}`), occurredAt: NOW - 900 * DAY_MS })
  await append(signalRecord(TOPIC, signal('s', 'live'), NOW))
  const signals = Array.from({ length: ACCOUNTS }, (_, id) =>
    logRecord(0, offset++, signalRecord(TOPIC, old(id), old(id).occurredAt, 'event')),
  )
  await scorer.score(signals)
  const { store } = partition
  return {
    store,
    append,
    tick: (slice: number, of: number, clock: 'wall' | 'event' = 'wall', time = NOW + DAY_MS) =>
      append(tickRecord(TOPIC, 0, time, { slice, of, scope: 'due', clock })),
    memory: () => scorer.memory,
    restart: async () => {
      scorer = await partition.take({}, { committedOffset: offset })
    },
    inHistory: () => store.countDue(0, HISTORY_DUE.upTo, HISTORY_DUE.from),
    /** Every account is in the index where its bytes say. */
    indexIsRight: async () => {
      const ids = await store.due(0, BUCKETS, Number.POSITIVE_INFINITY)
      const found = await store.load(0, ids)
      for (const [i, bytes] of found.entries()) {
        const at = indexedDueAt(decodeAccount(ids[i]!, bytes!, scorer.memory.modelSets))
        expect(await store.due(0, BUCKETS, at, at)).toContain(ids[i])
      }
      return ids.length
    },
  }
}

test('ticks of the wall clock do not find the accounts in history, whose time has long passed', async () => {
  const world = await loaded()
  expect(await world.inHistory()).toBe(ACCOUNTS)
  expect(await world.store.countDue(0, NOW)).toBe(0)
  expect(await world.indexIsRight()).toBe(ACCOUNTS + 1)
})

test('a tick of events finds the accounts in history that are due, and no others', async () => {
  const world = await loaded()
  const loads: number[] = []
  const { load } = world.store
  world.store.load = async (partition, ids) => {
    loads.push(ids.length)
    return await load.call(world.store, partition, ids)
  }
  await world.restart()
  await world.tick(0, 1, 'event', NOW - 901 * DAY_MS)
  expect(loads).toEqual([])
  await world.tick(0, 1, 'event', NOW - 800 * DAY_MS)
  expect(loads).toEqual([ACCOUNTS])
  expect(await world.indexIsRight()).toBe(ACCOUNTS + 1)
})

test('after a live record each slice releases its accounts, though owners change in between', async () => {
  const world = await loaded()
  await world.append(liveRecord(TOPIC, 0))
  expect(await world.inHistory()).toBe(ACCOUNTS)
  await world.tick(0, 4)
  const left = await world.inHistory()
  expect(left).toBeGreaterThan(ACCOUNTS / 2)
  expect(left).toBeLessThan(ACCOUNTS)
  await world.restart()
  expect(world.memory().release).toEqual({ next: 1, of: 4, slices: 1 })
  for (const slice of [1, 2]) await world.tick(slice, 4)
  await world.restart()
  await world.tick(3, 4)
  expect(await world.inHistory()).toBe(0)
  expect(world.memory().release).toBeUndefined()
  expect(await world.indexIsRight()).toBe(ACCOUNTS + 1)
})

test('a tick that was counted before the load does not touch all released accounts at once', async () => {
  const world = await loaded()
  await world.append(liveRecord(TOPIC, 0, 4))
  const before = await world.inHistory()
  await world.tick(0, 1)
  await world.tick(0, 2)
  expect(await world.inHistory()).toBe(before)
  for (const slice of [0, 1, 2, 3]) await world.tick(slice, 4)
  expect(await world.inHistory()).toBe(0)
  expect(world.memory().release).toBeUndefined()
  expect(await world.indexIsRight()).toBe(ACCOUNTS + 1)
})

test('a second live record before the release has ended keeps the higher number of slices', async () => {
  const world = await loaded()
  await world.append(liveRecord(TOPIC, 0, 4))
  await world.append(liveRecord(TOPIC, 0, 1))
  await world.tick(0, 2)
  expect(await world.inHistory()).toBe(ACCOUNTS)
  expect(world.memory().release).toEqual({ next: 0, of: 0, slices: 4 })
})

test('history that is loaded during the release stays in history', async () => {
  const world = await loaded()
  await world.append(liveRecord(TOPIC, 0))
  await world.tick(0, 2)
  const late = { ...signal('late', 'new'), occurredAt: NOW - 900 * DAY_MS }
  await world.append(signalRecord(TOPIC, late, late.occurredAt, 'event'))
  await world.tick(1, 2)
  expect(await world.inHistory()).toBe(1)
  await world.append(signalRecord(TOPIC, signal('now', 'new'), NOW))
  expect(await world.inHistory()).toBe(0)
  expect(await world.indexIsRight()).toBe(ACCOUNTS + 2)
})
