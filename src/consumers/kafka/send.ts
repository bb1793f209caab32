import type { ICustomPartitioner, Message, ProducerBatch, RecordMetadata } from 'kafkajs'
import { partitionOf } from '../../store/partition-of.ts'
import type { OutgoingRecord, Position } from '../log.ts'
import { sizeBytes, toMessage } from './records.ts'

/** A producer, or a transaction. */
export interface Sender {
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>
}

/**
 * How much is sent of one topic at a time. kafkajs makes one record batch of all that goes to one partition, and a broker refuses a batch
 * above `max.message.bytes` (1 MiB + 12 by default); all of a topic may go to one partition.
 */
const TOPIC_BYTES_AT_ONCE = 900_000

/**
 * Sends the records, in their order within a partition, and answers with their positions in the order given.
 *
 * Every record must be found in what the brokers confirmed. kafkajs (2.2.4) can report success for records that it never sent: it keeps the
 * answers of the brokers that did well over its retries, and skips those brokers even where they have become leader of what failed before
 * (tulios/kafkajs#1798), and it drops records for a partition that does not exist.
 */
export async function sendRecords(
  sender: Sender,
  placements: Placements,
  records: readonly OutgoingRecord[],
): Promise<Position[]> {
  const positions: Position[] = []
  for (const part of cutBySize(records)) {
    const messages = part.map(toMessage)
    const confirmed = await sender.sendBatch({ acks: -1, topicMessages: groupByTopic(part, messages) })
    const nextOffsets = new Map(
      confirmed.map(({ topicName, partition, baseOffset }) => [
        `${topicName}/${partition}`,
        Number(baseOffset),
      ]),
    )
    part.forEach(({ topic }, i) => {
      const partition = placements.of(messages[i]!)
      const offset = nextOffsets.get(`${topic}/${partition}`)
      if (partition === undefined || offset === undefined || !(offset >= 0))
        throw new Error(`the broker did not confirm what was sent to ${topic}/${partition}`)
      nextOffsets.set(`${topic}/${partition}`, offset + 1)
      positions.push({ partition, offset })
    })
  }
  return positions
}

/** Where kafkajs' partitioner put each message: the answers of the brokers know only partitions. */
export interface Placements {
  readonly createPartitioner: ICustomPartitioner
  of(message: Message): number | undefined
}

/** The partitioner for a producer: the partition that a record names, else `partitionOf(key)`, else (no key) one after the other. */
export function placements(): Placements {
  const placed = new WeakMap<Message, number>()
  let keyless = 0
  return {
    of: message => placed.get(message),
    createPartitioner:
      () =>
      ({ partitionMetadata, message }) => {
        const partitions = partitionMetadata.length
        // kafkajs asks again when it tries again; the record must not move meanwhile.
        const partition =
          placed.get(message) ??
          message.partition ??
          (message.key == null ? keyless++ % partitions : partitionOf(message.key, partitions))
        placed.set(message, partition)
        return partition
      },
  }
}

function cutBySize(records: readonly OutgoingRecord[]): (readonly OutgoingRecord[])[] {
  const parts: OutgoingRecord[][] = []
  let part: OutgoingRecord[] = []
  let bytesByTopic = new Map<string, number>()
  for (const record of records) {
    const bytes = sizeBytes(record)
    const sofar = bytesByTopic.get(record.topic) ?? 0
    if (sofar > 0 && sofar + bytes > TOPIC_BYTES_AT_ONCE) {
      parts.push(part)
      part = []
      bytesByTopic = new Map()
    }
    part.push(record)
    bytesByTopic.set(record.topic, (bytesByTopic.get(record.topic) ?? 0) + bytes)
  }
  if (part.length > 0) parts.push(part)
  return parts
}

function groupByTopic(records: readonly OutgoingRecord[], messages: readonly Message[]) {
  const byTopic = new Map<string, Message[]>()
  records.forEach(({ topic }, i) => {
    const group = byTopic.get(topic)
    if (group === undefined) byTopic.set(topic, [messages[i]!])
    else group.push(messages[i]!)
  })
  return [...byTopic].map(([topic, grouped]) => ({ topic, messages: grouped }))
}
