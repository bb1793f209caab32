import type { ProducerBatch, RecordMetadata } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { internal } from '../../../src/kafka-wire/hooks/internals.ts'
import { type Sender, sendRecords } from '../../../src/kafka-wire/produce/send-records.ts'
import { type ProducedRecord, recordPartitioner } from '../../../src/kafka-wire/produce/topic-records.ts'

const groupMessagesPerPartition = internal<
  (batch: {
    readonly topic: string
    readonly partitionMetadata: unknown
    readonly messages: unknown
    readonly partitioner: unknown
  }) => Record<string, unknown[]>
>('producer/groupMessagesPerPartition.js')

const PARTITIONS = 3
const metadataOf = (leaders = [7, 7, 7]) =>
  Array.from({ length: PARTITIONS }, (_, partitionId) => ({ partitionId, leader: leaders[partitionId] }))

const partitionOf = (key: string | Buffer, partitions: number): number =>
  key.toString().charCodeAt(0) % partitions

describe('sending to Kafka', () => {
  it('returns the position of every record, in the order given', async () => {
    const records = [record('t', 2), record('t', 0), record('u', 2), record('t', 2)]
    const { positions } = await send(records)
    expect(positions).toEqual([
      { partition: 2, offset: 100 },
      { partition: 0, offset: 100 },
      { partition: 2, offset: 100 },
      { partition: 2, offset: 101 },
    ])
  })

  it('sends all records in one request, with each topic once', async () => {
    const { requests } = await send([record('t', 0), record('u', 0), record('t', 1)])
    expect(requests.map(topicsOf)).toEqual([['t', 'u']])
  })

  it('splits records that exceed one record batch, and keeps their order', async () => {
    const records = Array.from({ length: 25 }, (_, i) => ({
      ...record('t', 0),
      value: `${i}`.padEnd(100_000),
    }))
    const { requests, positions } = await send(records)
    expect(requests.length).toBe(4)
    expect(positions.map(({ offset }) => offset)).toEqual(records.map((_, i) => 100 + i))
  })

  it('sends a record alone if it exceeds that size by itself', async () => {
    const large = { ...record('t', 0), value: Buffer.alloc(950_000) }
    const { requests } = await send([record('t', 0), large, record('t', 0)])
    expect(requests.length).toBe(3)
  })

  it('fails if the brokers did not confirm a partition', async () => {
    const lossy = (confirmed: RecordMetadata[]) => confirmed.filter(({ partition }) => partition !== 1)
    await expect(send([record('t', 0), record('t', 1)], { confirm: lossy })).rejects.toThrow(
      'did not confirm',
    )
  })

  it('keeps the partition of a record without a key when kafkajs asks again', async () => {
    const records = Array.from({ length: 5 }, () => ({ topic: 't', key: null, value: 'v' }))
    const { positions, placed } = await send([...records, { topic: 't', key: 'k', value: 'v' }], { asks: 2 })
    expect(positions.slice(0, 5).map(({ partition }) => partition)).toEqual([0, 1, 2, 0, 1])
    expect(placed[1]).toBe(placed[0])
  })

  it('chooses the partition by the key, unless the record names one', async () => {
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'].map(key => ({ topic: 't', key, value: key }))
    const { positions } = await send([...keys, { topic: 't', partition: 2, key: 'a', value: 'v' }])
    const expected = keys.map(({ key }) => partitionOf(key, PARTITIONS))
    expect(positions.map(({ partition }) => partition)).toEqual([...expected, 2])
  })

  it('sends one request if all partitions have the same leader', async () => {
    const { requests } = await send([record('t', 0), record('u', 2)], { leaders: [7, 7, 7] })
    expect(requests.map(topicsOf)).toEqual([['t', 'u']])
  })

  it('sends each leader its own request, and returns positions in the order given', async () => {
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

  it('sends every record to the same partition, whichever node leads it', async () => {
    const keyed = ['a', 'b', 'c', 'd'].map(key => ({ topic: 't', key, value: key }))
    const keyless = Array.from({ length: 5 }, () => ({ topic: 't', key: null, value: 'v' }))
    const partitionsOf = async (leaders: number[]) =>
      (await send([...keyed, ...keyless], { leaders })).positions.map(({ partition }) => partition)
    expect(await partitionsOf([7, 8, 9])).toEqual(await partitionsOf([7, 7, 7]))
  })
})

function record(topic: string, partition: number): ProducedRecord {
  return { topic, partition, key: 'k', value: 'v' }
}

interface Sending {
  /** Removes some of the brokers' confirmations. */
  readonly confirm?: (confirmed: RecordMetadata[]) => RecordMetadata[]
  /** How many attempts kafkajs makes. */
  readonly asks?: number
  /** Partition → its leader, for each topic. Left out: one node leads all. */
  readonly leaders?: number[]
}

/** Sends through kafkajs's grouping to brokers that confirm everything, with offsets from 100 on. */
async function send(
  records: readonly ProducedRecord[],
  { confirm = confirmed => confirmed, asks = 1, leaders }: Sending = {},
) {
  const partitioner = recordPartitioner(partitionOf)()
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
      // Like kafkajs, it sends when all topics are placed.
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
