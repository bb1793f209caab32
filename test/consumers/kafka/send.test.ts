import type { Message, ProducerBatch, RecordMetadata } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { placements, type Sender, sendRecords } from '../../../src/consumers/kafka/send.ts'
import type { OutgoingRecord } from '../../../src/consumers/log.ts'

const PARTITIONS = 3
const partitionMetadata = Array.from({ length: PARTITIONS }, (_, partitionId) => ({ partitionId })) as never

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
    await expect(send([record('t', 0), record('t', 1)], lossy)).rejects.toThrow('did not confirm')
  })

  it('keeps a record without a key where it was when kafkajs asks again', () => {
    const placed = placements()
    const partitioner = placed.createPartitioner()
    const messages: Message[] = Array.from({ length: 5 }, () => ({ key: null, value: 'v' }))
    const ask = () => messages.map(message => partitioner({ topic: 't', partitionMetadata, message }))
    expect(ask()).toEqual([0, 1, 2, 0, 1])
    expect(ask()).toEqual([0, 1, 2, 0, 1])
  })
})

function record(topic: string, partition: number): OutgoingRecord {
  return { topic, partition, key: 'k', value: 'v' }
}

/** Sends to brokers that confirm everything from offset 100 on, except for what `confirm` takes away. */
async function send(
  records: readonly OutgoingRecord[],
  confirm = (confirmed: RecordMetadata[]): RecordMetadata[] => confirmed,
) {
  const placed = placements()
  const partitioner = placed.createPartitioner()
  const nextOffsets = new Map<string, number>()
  const requests: ProducerBatch[] = []
  const sender: Sender = {
    async sendBatch(batch) {
      requests.push(batch)
      const confirmed = new Map<string, RecordMetadata>()
      for (const { topic, messages } of batch.topicMessages ?? [])
        for (const message of messages) {
          const partition = partitioner({ topic, partitionMetadata, message })
          const place = `${topic}/${partition}`
          const offset = nextOffsets.get(place) ?? 100
          nextOffsets.set(place, offset + 1)
          if (!confirmed.has(place))
            confirmed.set(place, { topicName: topic, partition, errorCode: 0, baseOffset: `${offset}` })
        }
      return confirm([...confirmed.values()])
    },
  }
  const positions = await sendRecords(sender, placed, records)
  return { positions, requests }
}

function topicsOf(request: ProducerBatch): string[] {
  return (request.topicMessages ?? []).map(({ topic }) => topic)
}
