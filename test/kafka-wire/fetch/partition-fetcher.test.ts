import { expect, it } from 'vitest'
import { PartitionFetcher } from '../../../src/kafka-wire/fetch/partition-fetcher.ts'
import { FakeCluster, FETCH_ERRORS, fails, holds, TOPIC } from './fake-cluster.ts'
import { encodeBatch, plainRecord } from './record-batches.ts'

const RANGE = { offset: 4, maxBytes: 1_000, minBytes: 1, maxWaitMs: 10 }
const BATCH = encodeBatch({ baseOffset: 4, records: [plainRecord(0)] })

it('keeps its connection between fetches, and opens another after a failure', async () => {
  let errorCode = 0
  const cluster = new FakeCluster(() => (errorCode === 0 ? holds(BATCH) : fails(errorCode)))
  const fetcher = new PartitionFetcher(cluster.kafkajs(), TOPIC, 0)
  expect(await fetcher.fetch(RANGE)).toMatchObject({ partition: 0, lastStableOffset: 30, bytes: BATCH })
  await fetcher.fetch(RANGE)
  expect([cluster.opened, cluster.closed]).toEqual([1, 0])
  errorCode = FETCH_ERRORS.NOT_LEADER_FOR_PARTITION
  await expect(fetcher.fetch(RANGE)).rejects.toMatchObject({ type: 'NOT_LEADER_FOR_PARTITION' })
  await fetcher.recover()
  errorCode = 0
  await fetcher.fetch(RANGE)
  expect([cluster.opened, cluster.closed, cluster.refreshes]).toEqual([2, 1, 1])
  fetcher.close()
  expect(cluster.closed).toBe(2)
})

it('fails if the partition has no leader, the answer has an error, or the first batch is cut off', async () => {
  const cluster = new FakeCluster(() => holds(BATCH.subarray(0, 65)))
  const fetcher = new PartitionFetcher(cluster.kafkajs(), TOPIC, 0)
  await expect(fetcher.fetch(RANGE)).rejects.toThrow('cut off the batch at offset 4 after 65 bytes')
  await fetcher.recover()
  cluster.hasLeader = false
  await expect(fetcher.fetch(RANGE)).rejects.toThrow('no broker leads signals/0')
  const throttled = new FakeCluster(() => ({ throttleMs: 9, errorCode: 0, partitions: [] }))
  expect(await new PartitionFetcher(throttled.kafkajs(), TOPIC, 0).fetch(RANGE)).toBeUndefined()
  const failing = new FakeCluster(() => ({ throttleMs: 0, errorCode: 77, partitions: [] }))
  await expect(new PartitionFetcher(failing.kafkajs(), TOPIC, 0).fetch(RANGE)).rejects.toThrow()
})

it('recovers unless the topic is gone', async () => {
  const cluster = new FakeCluster(() => holds(BATCH))
  const fetcher = new PartitionFetcher(cluster.kafkajs(), TOPIC, 0)
  cluster.refreshFailure = protocolError('BROKER_NOT_AVAILABLE')
  await fetcher.recover()
  cluster.refreshFailure = protocolError('UNKNOWN_TOPIC_OR_PARTITION')
  await expect(fetcher.recover()).rejects.toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' })
})

it('closes a connection that was still being opened', async () => {
  const cluster = new FakeCluster(() => holds(BATCH))
  const fetcher = new PartitionFetcher(cluster.kafkajs(), TOPIC, 0)
  const failure = expect(fetcher.fetch(RANGE)).rejects.toThrow('closed')
  fetcher.close()
  await failure
  expect([cluster.opened, cluster.closed]).toEqual([1, 1])
})

function protocolError(type: string): Error {
  return Object.assign(new Error(type), { type, code: 1 })
}
