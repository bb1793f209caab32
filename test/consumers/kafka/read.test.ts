import type { Kafka } from 'kafkajs'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { KafkaAdmin } from '../../../src/consumers/kafka/admin.ts'
import {
  type BatchedMessage,
  type FetchAnswer,
  READ_COMMITTED,
} from '../../../src/consumers/kafka/cluster.ts'
import { readRecords } from '../../../src/consumers/kafka/read.ts'
import type { OffsetRange, Stretch } from '../../../src/consumers/log.ts'

const TOPIC = 'signals'

it('goes on behind what compaction took from the end of a batch', async () => {
  const cluster = new FakeCluster(fetchOffset =>
    fetchOffset < 10 ? holds(batch(0, 9, [0, 4])) : holds(batch(10, 19, [12]), batch(20, 29, [])),
  )
  expect(await cluster.read([{ partition: 0, from: 2, to: 20 }])).toEqual([4, 12])
  expect(cluster.fetched).toEqual([2, 10])
})

it('leaves out what lies before and behind the stretch, and what is a marker', async () => {
  const marker = batch(3, 3, [3]).map(message => ({ ...message, isControlRecord: true }))
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
    if (fetchOffset < range.first) throw protocolError('OFFSET_OUT_OF_RANGE')
    return holds(batch(20, 29, [20, 21]))
  }, range)
  expect(await cluster.read([{ partition: 0, from: 0, to: 100 }])).toEqual([3, 4, 5, 20, 21])
  expect(cluster.fetched).toEqual([3, 6, 20])
})

it('tries again where a leader moved, and reads the metadata before', async () => {
  let failures = 0
  const cluster = new FakeCluster(() => {
    if (failures++ < 2) throw protocolError('NOT_LEADER_FOR_PARTITION')
    return holds(batch(0, 9, [0, 9]))
  })
  expect(await cluster.read([{ partition: 0, from: 0, to: 10 }])).toEqual([0, 9])
  expect(cluster.refreshes).toBe(2)
})

it('names a topic that is deleted meanwhile', async () => {
  const cluster = new FakeCluster(() => {
    throw protocolError('UNKNOWN_TOPIC_OR_PARTITION')
  })
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
    if (cluster.fetched.length === 1) return { responses: [] }
    return fetchOffset < 5 ? holds(batch(0, 4, [0, 4])) : { responses: [partition(5, [])] }
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
    return { responses: [partition(30, [])] }
  })
  await expect(cluster.read([{ partition: 0, from: 5, to: 30 }])).rejects.toMatchObject({
    code: 'LOG_UNAVAILABLE',
    message: expect.stringMatching(/signals\/0 at offset 5 .* it goes on to 30/),
  })
})

/** kafkajs' cluster of one broker and a topic of one partition. */
class FakeCluster {
  readonly fetched: number[] = []
  refreshes = 0
  refreshFailure: Error | undefined
  readonly #answer: (fetchOffset: number) => FetchAnswer
  readonly #range: OffsetRange

  constructor(answer: (fetchOffset: number) => FetchAnswer, range: OffsetRange = { first: 0, end: 30 }) {
    this.#answer = answer
    this.#range = range
  }

  /** The offsets of what was read. */
  async read(stretches: readonly Stretch[]): Promise<number[]> {
    const cluster = {
      connect: async () => {},
      disconnect: async () => {},
      addTargetTopic: async () => {},
      refreshMetadata: async () => {
        this.refreshes++
        if (this.refreshFailure !== undefined) throw this.refreshFailure
      },
      findLeaderForPartitions: () => ({ 7: [0] }),
      findBroker: async () => ({ fetch: async (request: unknown) => this.#fetch(request) }),
    }
    const kafka = { [Symbol('private:Kafka:createCluster')]: () => cluster } as unknown as Kafka
    const admin = { offsets: async () => new Map([[0, { ...this.#range }]]) } as unknown as KafkaAdmin
    const offsets: number[] = []
    for await (const { offset } of readRecords({ createKafka: () => kafka, admin }, TOPIC, stretches))
      offsets.push(offset)
    return offsets
  }

  #fetch(request: unknown): FetchAnswer {
    expect(request).toMatchObject({ isolationLevel: READ_COMMITTED, topics: [{ topic: TOPIC }] })
    const fetchOffset = Number(
      (request as { topics: [{ partitions: [{ fetchOffset: string }] }] }).topics[0].partitions[0]
        .fetchOffset,
    )
    this.fetched.push(fetchOffset)
    return this.#answer(fetchOffset)
  }
}

function holds(...batches: readonly BatchedMessage[][]): FetchAnswer {
  return { responses: [partition(30, batches.flat())] }
}

function partition(
  lastStableOffset: number,
  messages: readonly BatchedMessage[],
): FetchAnswer['responses'][number] {
  return { partitions: [{ partition: 0, lastStableOffset: `${lastStableOffset}`, messages }] }
}

/** A batch of these offsets, and what compaction has left of it. */
function batch(first: number, last: number, left: readonly number[]): BatchedMessage[] {
  return left.map(
    offset =>
      ({
        offset: `${offset}`,
        timestamp: '0',
        key: null,
        value: null,
        headers: {},
        isControlRecord: false,
        batchContext: { firstOffset: `${first}`, lastOffsetDelta: last - first },
      }) as unknown as BatchedMessage,
  )
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
