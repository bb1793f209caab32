import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ICustomPartitioner } from 'kafkajs'
import { expect, test } from 'vitest'
import { leadersIn } from '../../../src/consumers/kafka/leaders.ts'
import { recordPartitioner, type Sender, sendRecords } from '../../../src/consumers/kafka/send.ts'
import type { OutgoingRecord } from '../../../src/consumers/log.ts'

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

/** Partition 0 is led by node 1, which refuses the first request; partition 1 by node 2, which takes its time. */
const LEADERS = [1, 2]
const RECORDS: OutgoingRecord[] = [0, 1].map(partition => ({
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

/** kafkajs' own way of sending, to two brokers that note down what they wrote. */
function kafkajsOnTwoBrokers() {
  const written: string[] = []
  let refusals = 1
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
  const brokers = new Map(LEADERS.map(node => [String(node), broker(node)]))
  const metadata = LEADERS.map((leader, partitionId) => ({ partitionId, leader }))
  const cluster = {
    addMultipleTargetTopics: async () => {},
    refreshMetadataIfNecessary: async () => {},
    refreshMetadata: async () => {},
    isConnected: () => true,
    findTopicPartitionMetadata: () => metadata,
    findLeaderForPartitions: (_: string, partitions: readonly string[]) =>
      Object.fromEntries(
        LEADERS.map((leader, partition) => [String(leader), [partition]] as const).filter(([, [partition]]) =>
          partitions.includes(String(partition)),
        ),
      ),
    findBroker: async ({ nodeId }: { nodeId: string }) => brokers.get(nodeId),
  }
  const locks = new Map(LEADERS.map(node => [node, new Lock({ timeout: 1_000 })]))
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
      const isOfFirst = topicData.some(({ partitions }) =>
        partitions.some(each => Number(each.partition) === 0),
      )
      if (isOfFirst && refusals-- > 0) throw Object.assign(new Error('still busy'), { retriable: true })
    },
  }
  const sendBatch = createSendMessages({
    logger: { debug: () => {}, error: () => {} },
    cluster,
    eosManager,
    partitioner: (recordPartitioner() as ICustomPartitioner)(),
    retrier: createRetry({ initialRetryTime: 2, retries: 5, maxRetryTime: 100 }),
  })
  return { written, sender: { sendBatch } satisfies Sender, cluster }
}

test('each record is written once, also where one of several brokers refuses at first', async () => {
  const { written, sender, cluster } = kafkajsOnTwoBrokers()
  await sendRecords(sender, RECORDS, leadersIn(cluster as never))
  expect(written.toSorted()).toEqual(['to 0', 'to 1'])
})

test('in one call kafkajs writes again what is on its way to the other broker: the reason for a call each', async () => {
  const { written, sender } = kafkajsOnTwoBrokers()
  await sendRecords(sender, RECORDS, async () => undefined)
  await sleep(100)
  expect(written.toSorted()).toEqual(['to 0', 'to 1', 'to 1'])
})
