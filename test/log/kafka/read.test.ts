import { expect, it, onTestFinished, vi } from 'vitest'
import { encodeBatch, encodeMarker, plainRecord } from '../../kafka-wire/record-batches.ts'
import { answer, FakeCluster, FETCH_ERRORS, fails, holds, partition, TOPIC } from './fake-cluster.ts'

it('goes on behind what compaction took from the end of a batch', async () => {
  const cluster = new FakeCluster(fetchOffset =>
    fetchOffset < 10 ? holds(batch(0, 9, [0, 4])) : holds(batch(10, 19, [12]), batch(20, 29, [])),
  )
  expect(await cluster.read([{ partition: 0, from: 2, to: 20 }])).toEqual([4, 12])
  expect(cluster.fetched).toEqual([2, 10])
})

it('leaves out what lies before and behind the stretch, and what is a marker', async () => {
  const marker = encodeMarker(3, 1, 'commit')
  const cluster = new FakeCluster(() => holds(batch(0, 2, [0, 1, 2]), marker, batch(4, 6, [4, 5, 6])))
  expect(await cluster.read([{ partition: 0, from: 1, to: 6 }])).toEqual([1, 2, 4, 5])
})

it('begins where retention has left off, also when that happens meanwhile', async () => {
  const range = { first: 3, end: 30 }
  const cluster = new FakeCluster(fetchOffset => {
    if (fetchOffset === 3) {
      range.first = 20
      return holds(batch(3, 5, [3, 4, 5]))
    }
    if (fetchOffset < range.first) return fails(FETCH_ERRORS.OFFSET_OUT_OF_RANGE)
    return holds(batch(20, 29, [20, 21]))
  }, range)
  expect(await cluster.read([{ partition: 0, from: 0, to: 100 }])).toEqual([3, 4, 5, 20, 21])
  expect(cluster.fetched).toEqual([3, 6, 20])
})

it('tries again where a leader moved, and reads the metadata before', async () => {
  let failures = 0
  const cluster = new FakeCluster(() => {
    if (failures++ < 2) return fails(FETCH_ERRORS.NOT_LEADER_FOR_PARTITION)
    return holds(batch(0, 9, [0, 9]))
  })
  expect(await cluster.read([{ partition: 0, from: 0, to: 10 }])).toEqual([0, 9])
  expect(cluster.refreshes).toBe(2)
})

it('names a topic that is deleted meanwhile', async () => {
  const cluster = new FakeCluster(() => fails(FETCH_ERRORS.UNKNOWN_TOPIC_OR_PARTITION))
  cluster.refreshFailure = protocolError('UNKNOWN_TOPIC_OR_PARTITION')
  await expect(cluster.read([{ partition: 0, from: 0, to: 10 }])).rejects.toMatchObject({
    code: 'TOPIC_MISSING',
    message: expect.stringContaining(TOPIC),
  })
})

it('leaves out what a transaction holds back for long, and asks on where a broker slows it down', async () => {
  const clock = fakeClock()
  const cluster = new FakeCluster(fetchOffset => {
    clock.now += 250
    if (cluster.fetched.length === 1) return { throttleMs: 0, errorCode: 0, partitions: [] }
    return fetchOffset < 5 ? holds(batch(0, 4, [0, 4])) : answer(partition(5))
  })
  const stretches = [
    { partition: 0, from: 0, to: 30 },
    { partition: 0, from: 0, to: 5 },
  ]
  expect(await cluster.read(stretches)).toEqual([0, 4, 0, 4])
  expect(clock.now).toBeGreaterThanOrEqual(12_000)
})

it('does not take silence for the end where there is more', async () => {
  const clock = fakeClock()
  const cluster = new FakeCluster(() => {
    clock.now += 250
    return answer(partition(30))
  })
  await expect(cluster.read([{ partition: 0, from: 5, to: 30 }])).rejects.toMatchObject({
    code: 'LOG_UNAVAILABLE',
    message: expect.stringMatching(/signals\/0 at offset 5 .* it goes on to 30/),
  })
})

it('closes the connections of its fetches, also where the reader stops early', async () => {
  const cluster = new FakeCluster(() => holds(batch(0, 9, [0, 9])))
  await cluster.read([{ partition: 0, from: 0, to: 10 }], 1)
  expect([cluster.opened, cluster.closed]).toEqual([1, 1])
})

/** A batch of these offsets, and what compaction has left of it. */
function batch(first: number, last: number, left: readonly number[]): Buffer {
  const records = left.map(offset => plainRecord(offset - first))
  return encodeBatch({ baseOffset: first, lastOffsetDelta: last - first, records })
}

function protocolError(type: string): Error {
  return Object.assign(new Error(type), { type, code: 1 })
}

function fakeClock(): { now: number } {
  const clock = { now: 0 }
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => clock.now)
  onTestFinished(() => spy.mockRestore())
  return clock
}
