import type { Kafka } from 'kafkajs'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { FetchAnswer } from '../../../src/kafka-wire/fetch/fetch-answer.ts'
import { CREATE_CLUSTER } from '../../../src/kafka-wire/hooks/kafkajs-cluster.ts'
import type { KafkaAdmin } from '../../../src/log/kafka/admin.ts'
import { readRecords } from '../../../src/log/kafka/read.ts'
import type { OffsetRange, Stretch } from '../../../src/log/log.ts'
import {
  answer,
  FakeCluster,
  FETCH_ERRORS,
  fails,
  holds,
  partition,
  TOPIC,
} from '../../kafka-wire/fetch/fake-cluster.ts'
import { encodeBatch, encodeMarker, plainRecord } from '../../kafka-wire/fetch/record-batches.ts'

it('continues after a batch whose last records compaction removed', async () => {
  const cluster = new ReadCluster(fetchOffset =>
    fetchOffset < 10 ? holds(batch(0, 9, [0, 4])) : holds(batch(10, 19, [12]), batch(20, 29, [])),
  )
  expect(await cluster.read([{ partition: 0, from: 2, to: 20 }])).toEqual([4, 12])
  expect(cluster.fetched).toEqual([2, 10])
})

it('leaves out records before and after the stretch, and markers', async () => {
  const marker = encodeMarker(3, 1, 'commit')
  const cluster = new ReadCluster(() => holds(batch(0, 2, [0, 1, 2]), marker, batch(4, 6, [4, 5, 6])))
  expect(await cluster.read([{ partition: 0, from: 1, to: 6 }])).toEqual([1, 2, 4, 5])
})

it('begins at the first offset that retention left, even if it deletes more meanwhile', async () => {
  const range = { first: 3, end: 30 }
  const cluster = new ReadCluster(fetchOffset => {
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

it('reads the metadata and tries again when the leader moved', async () => {
  let failures = 0
  const cluster = new ReadCluster(() => {
    if (failures++ < 2) return fails(FETCH_ERRORS.NOT_LEADER_FOR_PARTITION)
    return holds(batch(0, 9, [0, 9]))
  })
  expect(await cluster.read([{ partition: 0, from: 0, to: 10 }])).toEqual([0, 9])
  expect(cluster.refreshes).toBe(2)
})

it('names a topic that is deleted meanwhile', async () => {
  const cluster = new ReadCluster(() => fails(FETCH_ERRORS.UNKNOWN_TOPIC_OR_PARTITION))
  cluster.refreshFailure = protocolError('UNKNOWN_TOPIC_OR_PARTITION')
  await expect(cluster.read([{ partition: 0, from: 0, to: 10 }])).rejects.toMatchObject({
    code: 'TOPIC_MISSING',
    message: expect.stringContaining(TOPIC),
  })
})

it('leaves out the records of a transaction that stays unfinished, and asks again after a throttled answer', async () => {
  const clock = fakeClock()
  const cluster = new ReadCluster(fetchOffset => {
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

it('fails, and does not assume the end, if the broker gives nothing though there is more', async () => {
  const clock = fakeClock()
  const cluster = new ReadCluster(() => {
    clock.now += 250
    return answer(partition(30))
  })
  await expect(cluster.read([{ partition: 0, from: 5, to: 30 }])).rejects.toMatchObject({
    code: 'LOG_UNAVAILABLE',
    message: expect.stringMatching(/signals\/0 at offset 5 .* the partition reaches offset 30/),
  })
})

it('closes its connections when the reader stops early', async () => {
  const cluster = new ReadCluster(() => holds(batch(0, 9, [0, 9])))
  await cluster.read([{ partition: 0, from: 0, to: 10 }], 1)
  expect([cluster.opened, cluster.closed]).toEqual([1, 1])
})

class ReadCluster extends FakeCluster {
  readonly #range: OffsetRange

  constructor(answer: (fetchOffset: number) => FetchAnswer, range: OffsetRange = { first: 0, end: 30 }) {
    super(answer)
    this.#range = range
  }

  /** The offsets of the records read, at most `most`. */
  async read(stretches: readonly Stretch[], most = Number.POSITIVE_INFINITY): Promise<number[]> {
    const kafka = { [Symbol(CREATE_CLUSTER)]: () => this.kafkajs() } as unknown as Kafka
    const admin = { offsets: async () => new Map([[0, { ...this.#range }]]) } as unknown as KafkaAdmin
    const offsets: number[] = []
    for await (const { offset } of readRecords({ createKafka: () => kafka, admin }, TOPIC, stretches)) {
      offsets.push(offset)
      if (offsets.length === most) break
    }
    return offsets
  }
}

/** A batch from offset `first` to `last`, in which compaction has left the offsets `left`. */
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
