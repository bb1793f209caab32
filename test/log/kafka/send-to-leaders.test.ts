import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ICustomPartitioner } from 'kafkajs'
import { expect, test } from 'vitest'
import { recordPartitioner, type Sender, sendRecords } from '../../../src/log/kafka/send.ts'
import type { OutgoingRecord } from '../../../src/log/log.ts'

const require = createRequire(import.meta.url)
const createSendMessages = require('kafkajs/src/producer/sendMessages.js') as (
  parts: object,
) => Sender['sendBatch']
const createRetry = require('kafkajs/src/retry/index.js') as (options: object) => unknown
const Lock = require('kafkajs/src/utils/lock.js') as new (options: {
  timeout: number
}) => {
  acquire(): Promise<void>
  release(): Promise<void>
}

const RECORDS: OutgoingRecord[] = [0, 1, 2].map(partition => ({
  topic: 't',
  partition,
  key: 'k',
  value: `to ${partition}`,
}))

interface Producing {
  readonly topicData: readonly {
    readonly partitions: readonly {
      readonly partition: number
      readonly messages: readonly OutgoingRecord[]
    }[]
  }[]
}

interface Cluster {
  /** By partition: the node that leads it. */
  readonly leaders: readonly number[]
  /** The same, from the first time on that the metadata are read anew. */
  readonly leadersThen?: readonly number[]
  /** Nodes whose first request is refused. */
  readonly refusing: readonly number[]
}

/** kafkajs' own way of sending, to brokers that note down what they wrote; node 2 takes its time. */
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
  ['all of them do', { leaders: [1, 2, 3], refusing: [1, 2, 3] }],
  [
    'leaders move meanwhile, and the new one refuses',
    { leaders: [1, 1, 1], leadersThen: [2, 3, 2], refusing: [1, 3] },
  ],
  ['leaders come together', { leaders: [1, 2, 3], leadersThen: [2, 2, 2], refusing: [1, 3] }],
]

test.each(CLUSTERS)('each record is written once, also where %s', async (_, given) => {
  const { written, refreshed, sendWith } = kafkajsOn(given)
  const positions = await sendRecords(sendWith((recordPartitioner() as ICustomPartitioner)()), RECORDS)
  await sleep(100)
  expect(written.toSorted()).toEqual(['to 0', 'to 1', 'to 2'])
  expect(positions.map(({ partition }) => partition)).toEqual([0, 1, 2])
  expect(refreshed.count).toBeGreaterThan(0)
})

test('kafkajs alone writes again what is on its way to the other broker: the reason for a call each', async () => {
  const { written, sendWith } = kafkajsOn({ leaders: [1, 2, 1], refusing: [1] })
  const { sendBatch } = sendWith(({ message }: { message: { partition: number } }) => message.partition)
  await sendBatch({ acks: -1, topicMessages: [{ topic: 't', messages: [...RECORDS] as never }] })
  await sleep(100)
  expect(written.toSorted()).toEqual(['to 0', 'to 1', 'to 1', 'to 2'])
})
