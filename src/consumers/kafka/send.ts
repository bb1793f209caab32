import type { ICustomPartitioner, ProducerBatch, RecordMetadata } from 'kafkajs'
import { partitionOf } from '../../store/partition-of.ts'
import type { OutgoingRecord, Position } from '../log.ts'
import { mostBytes, sizeBytes } from './records.ts'
import { TopicRecords } from './topic-records.ts'

/** A producer, or a transaction. */
export interface Sender {
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>
}

/**
 * How much is sent of one topic at a time. kafkajs makes one record batch of all that goes to one partition, and a broker refuses a batch
 * above `max.message.bytes` (1 MiB + 12 by default); all of a topic may go to one partition.
 */
const TOPIC_BYTES_AT_ONCE = 900_000

/** By topic, of all that are asked for: the nodes that lead its partitions, by partition. */
export type Leaders = ReadonlyMap<string, readonly number[]>

/**
 * Sends the records, in their order within a partition, and answers with their positions in the order given.
 *
 * Every record must be found in what the brokers confirmed. kafkajs (2.2.4) can report success for records that it never sent: it keeps the
 * answers of the brokers that did well over its retries, and skips those brokers even where they have become leader of what failed before
 * (tulios/kafkajs#1798), and it drops records for a partition that does not exist.
 *
 * And what goes to several brokers is sent to each by a call of its own. In one call kafkajs would try again as soon as one of them refuses, and send anew, as
 * other records, what is on its way to the others: both would stay, also in a transaction.
 *
 * `findLeaders`: undefined if it is not known; then all goes in one call.
 */
export async function sendRecords(
  sender: Sender,
  records: readonly OutgoingRecord[],
  findLeaders: (topics: readonly string[]) => Promise<Leaders | undefined>,
): Promise<Position[]> {
  if (records.length === 0) return []
  const leaders = await findLeaders([...new Set(records.map(({ topic }) => topic))])
  const positions: Position[] = []
  for (const part of cutBySize(records)) positions.push(...(await sendPart(sender, part, leaders)))
  return positions
}

/** Returns or throws when nothing is on its way any more. */
async function sendPart(
  sender: Sender,
  records: readonly OutgoingRecord[],
  leaders: Leaders | undefined,
): Promise<Position[]> {
  if (leaders === undefined || isOneNode(leaders)) return await sendAtOnce(sender, records)
  const positions = new Array<Position>(records.length)
  const sent = await Promise.allSettled(
    Array.from(byLeader(records, leaders).values(), async placed => {
      const found = await sendAtOnce(
        sender,
        placed.map(({ record }) => record),
      )
      for (const [i, { place }] of placed.entries()) positions[place] = found[i]!
    }),
  )
  for (const result of sent) if (result.status === 'rejected') throw result.reason
  return positions
}

async function sendAtOnce(sender: Sender, records: readonly OutgoingRecord[]): Promise<Position[]> {
  const byTopic = groupByTopic(records)
  const topics = [...byTopic.values()]
  const topicMessages = topics.map(each => ({ topic: each.topic, messages: each.asMessages() }))
  const confirmed = await sender.sendBatch({ acks: -1, topicMessages })
  return positionsOf(records, byTopic, confirmed)
}

function isOneNode(leaders: Leaders): boolean {
  let only: number | undefined
  for (const nodes of leaders.values()) {
    for (const node of nodes) {
      if (only !== undefined && node !== only) return false
      only = node
    }
  }
  return true
}

/** As kafkajs has it where a partition has no leader. */
const NOBODY = -1

interface PlacedRecord {
  readonly record: OutgoingRecord
  /** Among those that were given. */
  readonly place: number
}

/** With the partition of each in it, which decides who leads it. */
function byLeader(records: readonly OutgoingRecord[], leaders: Leaders): Map<number, PlacedRecord[]> {
  const groups = new Map<number, PlacedRecord[]>()
  const place = partitionChooser()
  for (const [i, record] of records.entries()) {
    const nodes = leaders.get(record.topic)!
    const partition = place(record, nodes.length)
    const placed = { record: { ...record, partition }, place: i }
    const node = nodes[partition] ?? NOBODY
    const group = groups.get(node)
    if (group === undefined) groups.set(node, [placed])
    else group.push(placed)
  }
  return groups
}

function groupByTopic(records: readonly OutgoingRecord[]): Map<string, TopicRecords> {
  const byTopic = new Map<string, TopicRecords>()
  for (const record of records) {
    let group = byTopic.get(record.topic)
    if (group === undefined) {
      group = new TopicRecords(record.topic)
      byTopic.set(record.topic, group)
    }
    group.add(record)
  }
  return byTopic
}

/** @throws Error if a record is not in what was confirmed */
function positionsOf(
  records: readonly OutgoingRecord[],
  byTopic: ReadonlyMap<string, TopicRecords>,
  confirmed: readonly RecordMetadata[],
): Position[] {
  const places = new Map<string, { next: number; readonly offsets: Map<number, number> }>()
  for (const topic of byTopic.keys()) places.set(topic, { next: 0, offsets: new Map() })
  for (const { topicName, partition, baseOffset } of confirmed)
    places.get(topicName)?.offsets.set(partition, Number(baseOffset))
  return records.map(({ topic }) => {
    const place = places.get(topic)!
    const partition = byTopic.get(topic)!.partitionAt(place.next++)
    const offset = partition === undefined ? undefined : place.offsets.get(partition)
    if (partition === undefined || offset === undefined || !(offset >= 0))
      throw new Error(`the broker did not confirm what was sent to ${topic}/${partition}`)
    place.offsets.set(partition, offset + 1)
    return { partition, offset }
  })
}

/** The partitioner for a producer that `sendRecords` sends with. */
export function recordPartitioner(): ICustomPartitioner {
  return () => {
    const place = partitionChooser()
    return ({ partitionMetadata, message }) => {
      const partitions = partitionMetadata.length
      const records = message as unknown as TopicRecords
      records.place(record => place(record, partitions))
      // It asked for all of them: its own answer is not used.
      return 0
    }
  }
}

/** The partition that a record names, else `partitionOf(key)`, else (no key) one after the other. */
function partitionChooser(): (record: OutgoingRecord, partitions: number) => number {
  let keyless = 0
  return ({ partition, key }, partitions) =>
    partition ?? (key === null ? keyless++ % partitions : partitionOf(key, partitions))
}

function cutBySize(records: readonly OutgoingRecord[]): (readonly OutgoingRecord[])[] {
  if (records.length === 0) return []
  if (isSmall(records)) return [records]
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
  parts.push(part)
  return parts
}

/** Whether they fit by their numbers of characters, without counting bytes. */
function isSmall(records: readonly OutgoingRecord[]): boolean {
  let bytes = 0
  for (const record of records) {
    bytes += mostBytes(record)
    if (bytes > TOPIC_BYTES_AT_ONCE) return false
  }
  return true
}
