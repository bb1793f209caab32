import type {
  ICustomPartitioner,
  PartitionMetadata,
  ProducerBatch,
  RecordMetadata,
  TopicMessages,
} from 'kafkajs'
import { TopicRecords } from '../../kafka-wire/topic-records.ts'
import type { OutgoingRecord, Position } from '../log.ts'
import { partitionOf } from '../partition-of.ts'
import { mostBytes, sizeBytes } from './records.ts'

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
 *
 * And what goes to several brokers is sent to each by a call of its own. In one call kafkajs would try again as soon as one of them refuses, and send anew, as
 * other records, what is on its way to the others: both would stay, also in a transaction.
 */
export async function sendRecords(sender: Sender, records: readonly OutgoingRecord[]): Promise<Position[]> {
  const positions: Position[] = []
  for (const part of cutBySize(records)) positions.push(...(await sendTogether(sender, part, 0)))
  return positions
}

/** How often what is sent together may be parted, because leaders move. */
const MOST_PARTINGS = 12

/** Returns or throws when nothing is on its way any more, as far as kafkajs tells. */
async function sendTogether(
  sender: Sender,
  records: readonly OutgoingRecord[],
  partings: number,
): Promise<Position[]> {
  const call = new SendCall(records)
  try {
    const confirmed = await sender.sendBatch({ acks: -1, topicMessages: call.topicMessages() })
    return call.positions(confirmed)
  } catch (error) {
    if (!call.isPartedBy(error) || partings === MOST_PARTINGS) throw error
  }
  const positions = new Array<Position>(records.length)
  const sent = await Promise.allSettled(
    call.byLeader().map(async placed => {
      const group = placed.map(({ record }) => record)
      const found = await sendTogether(sender, group, partings + 1)
      for (const [i, { place }] of placed.entries()) positions[place] = found[i]!
    }),
  )
  for (const result of sent) if (result.status === 'rejected') throw result.reason
  return positions
}

interface PlacedRecord {
  readonly record: OutgoingRecord
  /** Among those that were given. */
  readonly place: number
}

/** What is sent by one call of kafkajs. Each time before kafkajs sends, the call looks who leads the records' partitions, and ends where it is more than one node. */
class SendCall {
  readonly #records: readonly OutgoingRecord[]
  readonly #byTopic = new Map<string, TopicRecords>()
  /** Of all tries. */
  readonly #leaders = new Set<number>()
  #isPlacing = false
  #hasBrokenOff = false
  #parted: Error | undefined = undefined

  constructor(records: readonly OutgoingRecord[]) {
    const onPlaced = (topic: TopicRecords): void => this.#placed(topic)
    this.#records = records
    for (const record of records) {
      let topic = this.#byTopic.get(record.topic)
      if (topic === undefined) {
        topic = new TopicRecords(record.topic, onPlaced)
        this.#byTopic.set(record.topic, topic)
      }
      topic.add(record)
    }
  }

  /**
   * Whether it ended with this error because several nodes lead its partitions. Earlier tries may have sent to one of them: what is sent again of a partition is the same batch then,
   * with the same sequence numbers, and the broker knows it.
   */
  isPartedBy(error: unknown): boolean {
    return (
      this.#parted !== undefined &&
      (error === this.#parted || (error instanceof Error && error.cause === this.#parted))
    )
  }

  topicMessages(): TopicMessages[] {
    return Array.from(this.#byTopic.values(), each => ({ topic: each.topic, messages: each.asMessages() }))
  }

  /** @throws Error if a record is not in what was confirmed */
  positions(confirmed: readonly RecordMetadata[]): Position[] {
    const nextOffsets = new Map<string, number>()
    for (const { topicName, partition, baseOffset } of confirmed)
      nextOffsets.set(`${topicName}/${partition}`, Number(baseOffset))
    const positions: Position[] = []
    this.#each((_, topic, i) => {
      const partition = topic.partitionAt(i)
      const name = `${topic.topic}/${partition}`
      const offset = nextOffsets.get(name)
      if (partition === undefined || offset === undefined || !(offset >= 0))
        throw new Error(`the broker did not confirm what was sent to ${name}`)
      nextOffsets.set(name, offset + 1)
      positions.push({ partition, offset })
    })
    return positions
  }

  /** Once it was parted: the records by who leads them, each with the partition that it was given. */
  byLeader(): PlacedRecord[][] {
    const groups = new Map<number | undefined, PlacedRecord[]>()
    let place = 0
    this.#each((record, topic, i) => {
      const placed = { record: { ...record, partition: topic.partitionAt(i)! }, place: place++ }
      const leader = topic.leaderAt(i)
      const group = groups.get(leader)
      if (group === undefined) groups.set(leader, [placed])
      else group.push(placed)
    })
    return [...groups.values()]
  }

  /** `i`: which one of its topic it is. */
  #each(use: (record: OutgoingRecord, topic: TopicRecords, i: number) => void): void {
    const next = new Map<TopicRecords, number>()
    for (const record of this.#records) {
      const topic = this.#byTopic.get(record.topic)!
      const i = next.get(topic) ?? 0
      next.set(topic, i + 1)
      use(record, topic, i)
    }
  }

  /**
   * Called as kafkajs has placed a topic. It sends when it has placed all. Brokers of earlier tries count too, as kafkajs may remember them, and a try that broke off
   * before all was placed: a new call remembers nothing.
   * @throws Error where more than one broker was met
   */
  #placed(topic: TopicRecords): void {
    const topics = [...this.#byTopic.values()]
    if (topic === topics[0]) this.#hasBrokenOff ||= this.#isPlacing
    this.#isPlacing = topic !== topics.at(-1)
    for (const leader of topic.leaders()) this.#leaders.add(leader)
    if (this.#isPlacing || (this.#leaders.size < 2 && !this.#hasBrokenOff)) return
    this.#parted = Object.assign(new Error('several nodes lead what is sent'), { retriable: false })
    throw this.#parted
  }
}

/** The partitioner for a producer that `sendRecords` sends with: the partition that a record names, else `partitionOf(key)`, else (no key) one after the other. */
export function recordPartitioner(): ICustomPartitioner {
  return () => {
    let keyless = 0
    return ({ partitionMetadata, message }) => {
      const partitions = partitionMetadata.length
      const records = message as unknown as TopicRecords
      records.place(
        ({ partition, key }) =>
          partition ?? (key === null ? keyless++ % partitions : partitionOf(key, partitions)),
        partition => leaderIn(partitionMetadata, partition),
      )
      // It asked for all of them: its own answer is not used.
      return 0
    }
  }
}

/** −1 where nobody leads it, or there is no such partition. */
function leaderIn(metadata: readonly PartitionMetadata[], partition: number): number {
  return metadata.find(({ partitionId }) => partitionId === partition)?.leader ?? -1
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
