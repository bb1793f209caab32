import { createRequire } from 'node:module'
import type { ProducerBatch, RecordMetadata } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { recordPartitioner, type Sender, sendRecords } from '../../../src/log/kafka/send.ts'
import type { OutgoingRecord } from '../../../src/log/log.ts'
import { partitionOf } from '../../../src/log/partition-of.ts'

const require = createRequire(import.meta.url)
const groupMessagesPerPartition = require('kafkajs/src/producer/groupMessagesPerPartition.js') as (batch: {
  readonly topic: string
  readonly partitionMetadata: unknown
  readonly messages: unknown
  readonly partitioner: unknown
}) => Record<string, unknown[]>

const PARTITIONS = 3
const metadataOf = (leaders = [7, 7, 7]) =>
  Array.from({ length: PARTITIONS }, (_, partitionId) => ({ partitionId, leader: leaders[partitionId] }))

describe('sending to Kafka', () => {
  it('answers with the place of every record, in the order given', async () => {
    const records = [record('t', 2), record('t', 0), record('u', 2), record('t', 2)]
    const { positions } = await send(records)
    expect(positions).toEqual([
      { partition: 2, offset: 100 },
      { partition: 0, offset: 100 },
      { partition: 2, offset: 100 },
      { partition: 2, offset: 101 },
    ])
  })

  it('sends all in one request, a topic at most once', async () => {
    const { requests } = await send([record('t', 0), record('u', 0), record('t', 1)])
    expect(requests.map(topicsOf)).toEqual([['t', 'u']])
  })

  it('cuts what would be more than a record batch may hold, and keeps the order', async () => {
    const records = Array.from({ length: 25 }, (_, i) => ({
      ...record('t', 0),
      value: `${i}`.padEnd(100_000),
    }))
    const { requests, positions } = await send(records)
    expect(requests.length).toBe(4)
    expect(positions.map(({ offset }) => offset)).toEqual(records.map((_, i) => 100 + i))
  })

  it('sends a record alone that is larger than that by itself', async () => {
    const large = { ...record('t', 0), value: Buffer.alloc(950_000) }
    const { requests } = await send([record('t', 0), large, record('t', 0)])
    expect(requests.length).toBe(3)
  })

  it('fails if a partition is not among those that were confirmed', async () => {
    const lossy = (confirmed: RecordMetadata[]) => confirmed.filter(({ partition }) => partition !== 1)
    await expect(send([record('t', 0), record('t', 1)], { confirm: lossy })).rejects.toThrow(
      'did not confirm',
    )
  })

  it('keeps a record without a key where it was when kafkajs asks again', async () => {
    const records = Array.from({ length: 5 }, () => ({ topic: 't', key: null, value: 'v' }))
    const { positions, placed } = await send([...records, { topic: 't', key: 'k', value: 'v' }], { asks: 2 })
    expect(positions.slice(0, 5).map(({ partition }) => partition)).toEqual([0, 1, 2, 0, 1])
    expect(placed[1]).toBe(placed[0])
  })

  it('goes by the key, and by the partition where one is named', async () => {
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'].map(key => ({ topic: 't', key, value: key }))
    const { positions } = await send([...keys, { topic: 't', partition: 2, key: 'a', value: 'v' }])
    const expected = keys.map(({ key }) => partitionOf(key, PARTITIONS))
    expect(positions.map(({ partition }) => partition)).toEqual([...expected, 2])
  })

  it('sends in one request where all partitions have one leader', async () => {
    const { requests } = await send([record('t', 0), record('u', 2)], { leaders: [7, 7, 7] })
    expect(requests.map(topicsOf)).toEqual([['t', 'u']])
  })

  it('sends to each leader by a request of its own, and answers in the order given', async () => {
    const records = [record('t', 2), record('u', 0), record('t', 1), record('t', 2), record('u', 1)]
    const { requests, positions } = await send(records, { leaders: [7, 8, 7] })
    expect(requests.map(topicsOf)).toEqual([
      ['t', 'u'],
      ['t', 'u'],
    ])
    expect(positions).toEqual([
      { partition: 2, offset: 100 },
      { partition: 0, offset: 100 },
      { partition: 1, offset: 100 },
      { partition: 2, offset: 101 },
      { partition: 1, offset: 100 },
    ])
  })

  it('sends every record to the same partition, whoever leads it', async () => {
    const keyed = ['a', 'b', 'c', 'd'].map(key => ({ topic: 't', key, value: key }))
    const keyless = Array.from({ length: 5 }, () => ({ topic: 't', key: null, value: 'v' }))
    const partitionsOf = async (leaders: number[]) =>
      (await send([...keyed, ...keyless], { leaders })).positions.map(({ partition }) => partition)
    expect(await partitionsOf([7, 8, 9])).toEqual(await partitionsOf([7, 7, 7]))
  })
})

function record(topic: string, partition: number): OutgoingRecord {
  return { topic, partition, key: 'k', value: 'v' }
}

interface Sending {
  /** Takes something away from what the brokers confirm. */
  readonly confirm?: (confirmed: RecordMetadata[]) => RecordMetadata[]
  /** How often kafkajs tries. */
  readonly asks?: number
  /** Of the partitions of each topic; left out: one node. */
  readonly leaders?: number[]
}

/** Sends to brokers that confirm everything from offset 100 on, through what kafkajs does before it sends. */
async function send(
  records: readonly OutgoingRecord[],
  { confirm = confirmed => confirmed, asks = 1, leaders }: Sending = {},
) {
  const partitioner = recordPartitioner()()
  const partitionMetadata = metadataOf(leaders)
  const nextOffsets = new Map<string, number>()
  const requests: ProducerBatch[] = []
  const placed: Record<string, unknown[]>[] = []
  const sender: Sender = {
    async sendBatch(batch) {
      const confirmed: RecordMetadata[] = []
      const groups: (readonly [string, Record<string, unknown[]>])[] = []
      for (const { topic, messages } of batch.topicMessages ?? []) {
        expect(messages.find(message => (message.value as unknown) === undefined)).toBeUndefined()
        for (let ask = 0; ask < asks; ask++)
          placed.push(groupMessagesPerPartition({ topic, partitionMetadata, messages, partitioner }))
        groups.push([topic, placed.at(-1)!])
      }
      // As kafkajs, it sends when all is placed.
      for (const [topic, byPartition] of groups) {
        for (const [partition, grouped] of Object.entries(byPartition)) {
          const place = `${topic}/${partition}`
          const offset = nextOffsets.get(place) ?? 100
          nextOffsets.set(place, offset + grouped.length)
          const baseOffset = String(offset)
          confirmed.push({ topicName: topic, partition: Number(partition), errorCode: 0, baseOffset })
        }
      }
      requests.push(batch)
      return confirm(confirmed)
    },
  }
  const positions = await sendRecords(sender, records)
  return { positions, requests, placed }
}

function topicsOf(request: ProducerBatch): string[] {
  return (request.topicMessages ?? []).map(({ topic }) => topic)
}
