import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { internal } from '../../../src/kafka-wire/hooks/internals.ts'
import { type Sender, sendRecords } from '../../../src/kafka-wire/produce/send-records.ts'
import { type ProducedRecord, recordPartitioner } from '../../../src/kafka-wire/produce/topic-records.ts'

const createSendMessages = internal<(parts: object) => Sender['sendBatch']>('producer/sendMessages.js')
const createRetry = internal<(options: object) => unknown>('retry/index.js')
const Lock =
  internal<new (options: { timeout: number }) => { acquire(): Promise<void>; release(): Promise<void> }>(
    'utils/lock.js',
  )

const RECORDS: ProducedRecord[] = [0, 1, 2].map(partition => ({
  topic: 't',
  partition,
  key: 'k',
  value: `to ${partition}`,
}))

interface Producing {
  readonly topicData: readonly {
    readonly partitions: readonly {
      readonly partition: number
      readonly messages: readonly ProducedRecord[]
    }[]
  }[]
}

interface Cluster {
  /** Partition → the node that leads it. */
  readonly leaders: readonly number[]
  /** The same, once the metadata was read again. */
  readonly leadersThen?: readonly number[]
  /** Nodes that refuse their first request. */
  readonly refusing: readonly number[]
}

/** kafkajs's own sending, to brokers that record what they wrote. Node 2 is slow. */
function kafkajsOn({ leaders, leadersThen = leaders, refusing }: Cluster) {
  const written: string[] = []
  const refreshed = { count: 0 }
  const stillToRefuse = new Set(refusing)
  let present = leaders
  const broker = (nodeId: number) => ({
    nodeId,
    async produce({ topicData }: Producing) {
      if (nodeId === 2) await sleep(40)
      const topics = topicData.map(({ partitions }) => ({
        topicName: 't',
        partitions: partitions.map(({ partition, messages }) => {
          for (const { value } of messages) written.push(String(value))
          return { partition, errorCode: 0, baseOffset: '0', logAppendTime: '-1', logStartOffset: '0' }
        }),
      }))
      return { topics }
    },
  })
  const nodes = [...new Set([...leaders, ...leadersThen])]
  const brokers = new Map(nodes.map(node => [String(node), broker(node)]))
  const cluster = {
    addMultipleTargetTopics: async () => {},
    refreshMetadataIfNecessary: async () => {},
    refreshMetadata: async () => {
      refreshed.count++
      present = leadersThen
    },
    isConnected: () => true,
    findTopicPartitionMetadata: () => present.map((leader, partitionId) => ({ partitionId, leader })),
    findLeaderForPartitions: (_: string, partitions: readonly string[]) => {
      const found: Record<string, number[]> = {}
      for (const partition of partitions.map(Number)) {
        const node = String(present[partition])
        found[node] = [...(found[node] ?? []), partition]
      }
      return found
    },
    findBroker: async ({ nodeId }: { nodeId: string }) => brokers.get(nodeId),
  }
  const locks = new Map(nodes.map(node => [node, new Lock({ timeout: 1_000 })]))
  const eosManager = {
    isTransactional: () => true,
    getTransactionalId: () => 'id',
    getProducerId: () => 1,
    getProducerEpoch: () => 0,
    getSequence: () => 0,
    updateSequence: () => {},
    acquireBrokerLock: ({ nodeId }: { nodeId: number }) => locks.get(nodeId)!.acquire(),
    releaseBrokerLock: ({ nodeId }: { nodeId: number }) => locks.get(nodeId)!.release(),
    addPartitionsToTransaction: async (topicData: Producing['topicData']) => {
      for (const { partitions } of topicData) {
        const node = present[Number(partitions[0]!.partition)]!
        if (stillToRefuse.delete(node))
          throw Object.assign(new Error('still busy'), { name: 'KafkaJSProtocolError', retriable: true })
      }
    },
  }
  const sendWith = (partitioner: unknown): Sender => ({
    sendBatch: createSendMessages({
      logger: { debug: () => {}, error: () => {} },
      cluster,
      eosManager,
      partitioner,
      retrier: createRetry({ initialRetryTime: 2, retries: 5, maxRetryTime: 100 }),
    }),
  })
  return { written, refreshed, sendWith }
}

const CLUSTERS: readonly (readonly [string, Cluster])[] = [
  ['one of several brokers refuses at first', { leaders: [1, 2, 1], refusing: [1] }],
  ['all brokers refuse at first', { leaders: [1, 2, 3], refusing: [1, 2, 3] }],
  ['leaders move, and a new one refuses', { leaders: [1, 1, 1], leadersThen: [2, 3, 2], refusing: [1, 3] }],
  ['one node becomes the leader of all', { leaders: [1, 2, 3], leadersThen: [2, 2, 2], refusing: [1, 3] }],
]

test.each(CLUSTERS)('writes each record once when %s', async (_, given) => {
  const { written, refreshed, sendWith } = kafkajsOn(given)
  const positions = await sendRecords(sendWith(recordPartitioner(() => 0)()), RECORDS)
  await sleep(100)
  expect(written.toSorted()).toEqual(['to 0', 'to 1', 'to 2'])
  expect(positions.map(({ partition }) => partition)).toEqual([0, 1, 2])
  expect(refreshed.count).toBeGreaterThan(0)
})

test('kafkajs alone writes a record twice when one of two brokers refuses: the reason for one call each', async () => {
  const { written, sendWith } = kafkajsOn({ leaders: [1, 2, 1], refusing: [1] })
  const { sendBatch } = sendWith(({ message }: { message: { partition: number } }) => message.partition)
  await sendBatch({ acks: -1, topicMessages: [{ topic: 't', messages: [...RECORDS] as never }] })
  await sleep(100)
  expect(written.toSorted()).toEqual(['to 0', 'to 1', 'to 1', 'to 2'])
})
