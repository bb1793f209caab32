import type { Message } from 'kafkajs'
import type { OutgoingRecord } from '../log.ts'

/**
 * The records of one topic that are sent together, as what kafkajs (2.2.4) takes for its list of messages. kafkajs asks a partitioner for each message, and makes a new list
 * of the messages of its partition each time: for the thousand records of a batch that is 4 MB of lists. So this list groups itself: kafkajs' `reduce` over it asks
 * the partitioner once, which tells it how many partitions there are, and then has the groups as they are to be.
 */
export class TopicRecords {
  readonly topic: string
  readonly #records: OutgoingRecord[] = []
  /** Of each record; empty until they are placed. */
  #partitions: number[] = []
  /** By partition, in the order of the records. Undefined until they are placed. */
  #groups: Record<number, OutgoingRecord[]> | undefined = undefined

  constructor(topic: string) {
    this.topic = topic
  }

  get size(): number {
    return this.#records.length
  }

  add(record: OutgoingRecord): void {
    this.#records.push(record)
  }

  /** As kafkajs is handed it. */
  asMessages(): Message[] {
    return this as unknown as Message[]
  }

  /** kafkajs looks for a message with no value at all, which no record is. */
  find(): undefined {
    return undefined
  }

  /** `ask`: kafkajs' step, which asks the partitioner. When kafkajs tries again the records stay where they were. */
  reduce(ask: (groups: object, message: unknown) => unknown): Record<number, OutgoingRecord[]> {
    if (this.#groups === undefined) ask({}, this)
    return this.#groups!
  }

  /** For the partitioner. */
  place(partitionOf: (record: OutgoingRecord) => number): void {
    const groups: Record<number, OutgoingRecord[]> = {}
    this.#partitions = this.#records.map(record => {
      const partition = partitionOf(record)
      const group = groups[partition]
      if (group === undefined) groups[partition] = [record]
      else group.push(record)
      return partition
    })
    this.#groups = groups
  }

  /** Of the i-th record; undefined: it was never placed. */
  partitionAt(i: number): number | undefined {
    return this.#partitions[i]
  }
}
