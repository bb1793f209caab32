import type { Message } from 'kafkajs'
import type { OutgoingRecord } from '../log/log.ts'

/**
 * The records of one topic that are sent together, as what kafkajs (2.2.4) takes for its list of messages. kafkajs asks a partitioner for each message, and makes a new list
 * of the messages of its partition each time: for the thousand records of a batch that is 4 MB of lists. So this list groups itself: kafkajs' `reduce` over it, before it
 * sends and before it tries again, asks the partitioner once, which tells it which partitions there are and who leads them, and then has the groups as they are to be.
 */
export class TopicRecords {
  readonly topic: string
  readonly #onPlaced: (placed: TopicRecords) => void
  readonly #records: OutgoingRecord[] = []
  /** Of each record; empty until they are placed. */
  #partitions: number[] = []
  /** By partition, in the order of the records. Undefined until they are placed. */
  #groups: Record<number, OutgoingRecord[]> | undefined = undefined
  /** By partition of the groups: the node that leads it now. */
  #leaders: ReadonlyMap<number, number> = new Map()

  /** `onPlaced`: called each time before kafkajs sends; what it throws ends the call. */
  constructor(topic: string, onPlaced: (placed: TopicRecords) => void = () => {}) {
    this.topic = topic
    this.#onPlaced = onPlaced
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

  /** `ask`: kafkajs' step, which asks the partitioner. */
  reduce(ask: (groups: object, message: unknown) => unknown): Record<number, OutgoingRecord[]> {
    ask({}, this)
    this.#onPlaced(this)
    return this.#groups!
  }

  /** For the partitioner. When kafkajs tries again the records stay where they were, whoever leads them then. */
  place(partitionOf: (record: OutgoingRecord) => number, leaderOf: (partition: number) => number): void {
    this.#groups ??= this.#group(partitionOf)
    this.#leaders = new Map(Object.keys(this.#groups).map(key => [Number(key), leaderOf(Number(key))]))
  }

  /** Who leads what is sent: each node once. */
  leaders(): ReadonlySet<number> {
    return new Set(this.#leaders.values())
  }

  /** Of the i-th record; undefined: it was never placed. */
  partitionAt(i: number): number | undefined {
    return this.#partitions[i]
  }

  /** Of the i-th record's partition; undefined: it was never placed. */
  leaderAt(i: number): number | undefined {
    return this.#leaders.get(this.#partitions[i]!)
  }

  #group(partitionOf: (record: OutgoingRecord) => number): Record<number, OutgoingRecord[]> {
    const groups: Record<number, OutgoingRecord[]> = {}
    this.#partitions = this.#records.map(record => {
      const partition = partitionOf(record)
      const group = groups[partition]
      if (group === undefined) groups[partition] = [record]
      else group.push(record)
      return partition
    })
    return groups
  }
}
