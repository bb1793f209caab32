import type { RecordMetadata, TopicMessages } from 'kafkajs'
import { type ProducedRecord, TopicRecords } from './topic-records.ts'

export interface RecordPosition {
  readonly partition: number
  readonly offset: number
}

export interface PlacedRecord {
  readonly record: ProducedRecord
  /** Its index among the records of the call. */
  readonly index: number
}

/**
 * The records that one call of kafkajs sends. Before each attempt, it looks who leads the records'
 * partitions. If that is more than one node, the call fails and is to be split.
 */
export class SendCall {
  readonly #records: readonly ProducedRecord[]
  readonly #byTopic = new Map<string, TopicRecords>()
  /** Leaders met in all attempts. */
  readonly #leaders = new Set<number>()
  /** kafkajs has placed some topics of the attempt, but not all. */
  #isPlacing = false
  /** An attempt ended before all topics were placed. */
  #wasInterrupted = false
  #split: Error | undefined = undefined

  constructor(records: readonly ProducedRecord[]) {
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
   * Whether the call failed with this error because several nodes lead its partitions. An earlier attempt may
   * have sent to one of them. The same batch of a partition then goes out again with the same sequence
   * numbers, and the broker recognizes it.
   */
  isSplitBy(error: unknown): boolean {
    return (
      this.#split !== undefined &&
      (error === this.#split || (error instanceof Error && error.cause === this.#split))
    )
  }

  topicMessages(): TopicMessages[] {
    return Array.from(this.#byTopic.values(), each => ({ topic: each.topic, messages: each.asMessages() }))
  }

  /** The records' positions, in their order. @throws Error when the brokers did not confirm a record */
  positions(confirmed: readonly RecordMetadata[]): RecordPosition[] {
    const nextOffsets = new Map<string, number>()
    for (const { topicName, partition, baseOffset } of confirmed)
      nextOffsets.set(`${topicName}/${partition}`, Number(baseOffset))
    const positions: RecordPosition[] = []
    this.#each((_, topic, i) => {
      const partition = topic.partitionAt(i)
      const name = `${topic.topic}/${partition}`
      const offset = nextOffsets.get(name)
      if (partition === undefined || offset === undefined || !(offset >= 0))
        throw new Error(`the broker did not confirm the records for ${name}`)
      nextOffsets.set(name, offset + 1)
      positions.push({ partition, offset })
    })
    return positions
  }

  /** After a split: the records by leader, each with the partition that it got. */
  byLeader(): PlacedRecord[][] {
    const groups = new Map<number | undefined, PlacedRecord[]>()
    let index = 0
    this.#each((record, topic, i) => {
      const placed = { record: { ...record, partition: topic.partitionAt(i)! }, index: index++ }
      const leader = topic.leaderAt(i)
      const group = groups.get(leader)
      if (group === undefined) groups.set(leader, [placed])
      else group.push(placed)
    })
    return [...groups.values()]
  }

  /** `i` is the record's index within its topic. */
  #each(use: (record: ProducedRecord, topic: TopicRecords, i: number) => void): void {
    const next = new Map<TopicRecords, number>()
    for (const record of this.#records) {
      const topic = this.#byTopic.get(record.topic)!
      const i = next.get(topic) ?? 0
      next.set(topic, i + 1)
      use(record, topic, i)
    }
  }

  /**
   * kafkajs has placed a topic; it sends once it has placed all. Leaders of earlier attempts count too, since
   * kafkajs may remember them. So does an attempt that ended before all was placed. A new call remembers
   * nothing.
   * @throws Error when the attempts met more than one leader
   */
  #placed(topic: TopicRecords): void {
    const topics = [...this.#byTopic.values()]
    if (topic === topics[0]) this.#wasInterrupted ||= this.#isPlacing
    this.#isPlacing = topic !== topics.at(-1)
    for (const leader of topic.leaders()) this.#leaders.add(leader)
    if (this.#isPlacing || (this.#leaders.size < 2 && !this.#wasInterrupted)) return
    this.#split = Object.assign(new Error('several nodes lead the partitions of these records'), {
      retriable: false,
    })
    throw this.#split
  }
}
