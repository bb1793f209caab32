import type { ICustomPartitioner, Message, PartitionMetadata } from 'kafkajs'

/** A record to be sent. */
export interface ProducedRecord {
  readonly topic: string
  readonly partition?: number
  readonly key: string | Buffer | null
  readonly value: string | Buffer | null
  /** Written as they are, before `headers`: names may repeat, and null is kept. */
  readonly carriedHeaders?: readonly (readonly [name: Buffer, value: Buffer | null])[]
  readonly headers?: Readonly<Record<string, string | Buffer>>
  /** ms; the broker's own clock if left out. */
  readonly timestamp?: number
}

/**
 * The records of one topic that are sent together, disguised as the list of messages that kafkajs wants. The
 * list groups itself by partition.
 */
// kafkajs 2.2.4 asks its partitioner about each message, and copies the list of the partition's messages each
// time. For the thousand records of a batch that makes 4 MB of lists. Here its `reduce` over the messages,
// which it calls before each attempt to send, asks the partitioner once. The partitioner
// (`recordPartitioner`) tells this object which partitions there are and who leads them, and `reduce` returns
// the finished groups.
export class TopicRecords {
  readonly topic: string
  readonly #onPlaced: (placed: TopicRecords) => void
  readonly #records: ProducedRecord[] = []
  /** Record → partition. Empty until they are placed. */
  #partitions: number[] = []
  /** Partition → its records in their order. Undefined until they are placed. */
  #groups: Record<number, ProducedRecord[]> | undefined = undefined
  /** Partition of the groups → the node that leads it now. */
  #leaders: ReadonlyMap<number, number> = new Map()

  /**
   * `onPlaced` is called before each attempt of kafkajs to send; if it throws, the call fails with that
   * error.
   */
  constructor(topic: string, onPlaced: (placed: TopicRecords) => void = () => {}) {
    this.topic = topic
    this.#onPlaced = onPlaced
  }

  add(record: ProducedRecord): void {
    this.#records.push(record)
  }

  /** This object under the type that kafkajs wants. */
  asMessages(): Message[] {
    return this as unknown as Message[]
  }

  /** kafkajs looks for a message without a value. There is none. */
  find(): undefined {
    return undefined
  }

  /** `ask` is kafkajs's step for one message, which asks the partitioner. */
  reduce(ask: (groups: object, message: unknown) => unknown): Record<number, ProducedRecord[]> {
    ask({}, this)
    this.#onPlaced(this)
    return this.#groups!
  }

  /**
   * For the partitioner. In later attempts the records keep their partitions, whichever nodes lead them then.
   */
  place(partitionOf: (record: ProducedRecord) => number, leaderOf: (partition: number) => number): void {
    this.#groups ??= this.#group(partitionOf)
    this.#leaders = new Map(Object.keys(this.#groups).map(key => [Number(key), leaderOf(Number(key))]))
  }

  /** The nodes that lead the records' partitions. */
  leaders(): ReadonlySet<number> {
    return new Set(this.#leaders.values())
  }

  /** The i-th record's partition. Undefined: it was never placed. */
  partitionAt(i: number): number | undefined {
    return this.#partitions[i]
  }

  /** The leader of the i-th record's partition. Undefined: it was never placed. */
  leaderAt(i: number): number | undefined {
    return this.#leaders.get(this.#partitions[i]!)
  }

  #group(partitionOf: (record: ProducedRecord) => number): Record<number, ProducedRecord[]> {
    const groups: Record<number, ProducedRecord[]> = {}
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

/**
 * The partitioner for a producer that `sendRecords` sends with. It takes the partition that a record names,
 * else `partitionOf(key)`. Records without a key go to the partitions in rotation.
 */
export function recordPartitioner(
  partitionOf: (key: string | Buffer, partitions: number) => number,
): ICustomPartitioner {
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
      // `TopicRecords` placed all records: nobody uses this answer.
      return 0
    }
  }
}

/** −1: the partition has no leader, or does not exist. */
function leaderIn(metadata: readonly PartitionMetadata[], partition: number): number {
  return metadata.find(({ partitionId }) => partitionId === partition)?.leader ?? -1
}
