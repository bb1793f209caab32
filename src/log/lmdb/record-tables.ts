import type { LmdbEnvironment, LmdbTable, PreparedWrite } from '../../lib/lmdb/lmdb-environment.ts'
import type { GroupState, LogRecord, OutgoingRecord, Position } from '../log.ts'
import { partitionOf } from '../partition-of.ts'
import type { EmbeddedTopic } from './lmdb-topics.ts'
import { decodeStoredRecord, encodeStoredRecord } from './record-codec.ts'

/** Enough for 2⁴⁸ records a partition. */
const OFFSET_BYTES = 6

export interface TopicPartition {
  readonly topic: EmbeddedTopic
  readonly partition: number
}

/**
 * The tables of records, partition ends and committed offsets. Call the methods within a read or a write of
 * the environment.
 */
export class EmbeddedRecords {
  /** Topic, partition, offset → record. */
  readonly #records: LmdbTable
  /** Topic, partition → the offset of the next record. */
  readonly #ends: LmdbTable
  /** Topic, partition, group → the committed offset and its metadata. */
  readonly #committed: LmdbTable
  readonly #maxReadBytes: number

  /** @param maxReadBytes a read returns at most about this much, however many records were asked for */
  constructor(environment: LmdbEnvironment, maxReadBytes: number) {
    this.#maxReadBytes = maxReadBytes
    this.#records = environment.table('log-records')
    this.#ends = environment.table('log-ends')
    this.#committed = environment.table('log-committed')
  }

  /** The offset of the next record. */
  end(topicPartition: TopicPartition): number {
    return this.#endAt(partitionPrefix(topicPartition))
  }

  read(topicPartition: TopicPartition, fromOffset: number, limit: number): LogRecord[] {
    const { topic, partition } = topicPartition
    const prefix = partitionPrefix(topicPartition)
    const range = this.#records.getRange({
      start: Buffer.concat([prefix, encodeOffset(fromOffset)]),
      end: partitionPrefix({ topic, partition: partition + 1 }),
      limit,
    })
    const records: LogRecord[] = []
    let bytes = 0
    for (const { key, value } of range) {
      records.push(
        decodeStoredRecord(value, topic.name, partition, decodeOffset(key.subarray(prefix.length))),
      )
      bytes += value.length
      if (bytes >= this.#maxReadBytes) break
    }
    return records
  }

  /** 0: the group has never committed. */
  committed(topicPartition: TopicPartition, group: string): number {
    return decodeOffset(this.#committed.get(committedKey(topicPartition, group)))
  }

  /** Undefined: the offset was committed without metadata. */
  committedMetadata(topicPartition: TopicPartition, group: string): string | undefined {
    return decodeMetadata(this.#committed.get(committedKey(topicPartition, group)))
  }

  /** Partitions in which the group has never committed are left out. */
  committedOffsets(topic: EmbeddedTopic, group: string): Pick<GroupState, 'committed' | 'metadata'> {
    const committed = new Map<number, number>()
    const metadata = new Map<number, string>()
    for (let partition = 0; partition < topic.partitions; partition++) {
      const bytes = this.#committed.get(committedKey({ topic, partition }, group))
      if (bytes === undefined) continue
      committed.set(partition, decodeOffset(bytes))
      const text = decodeMetadata(bytes)
      if (text !== undefined) metadata.set(partition, text)
    }
    return { committed, metadata }
  }

  /** Removes the group's offsets in all topics. */
  prepareForget(group: string): PreparedWrite {
    const name = Buffer.from(group)
    return {
      check: () => {},
      apply: () => {
        for (const key of Array.from(this.#committed.getKeys()))
          if (key.subarray(PREFIX_BYTES).equals(name)) this.#committed.remove(key)
      },
    }
  }

  /** Removes up to `limit` records of a topic, or all without one. Returns whether some may be left. */
  prepareRemoveRecords(topic: EmbeddedTopic, limit?: number): PreparedWrite<boolean> {
    return {
      check: () => {},
      apply: () => {
        const options = limit === undefined ? {} : { limit }
        const keys = Array.from(this.#records.getKeys({ ...topicRange(topic), ...options }))
        for (const key of keys) this.#records.remove(key)
        return keys.length === limit
      },
    }
  }

  /** Removes a topic's partition ends and all groups' offsets in it. */
  prepareRemoveOffsets(topic: EmbeddedTopic): PreparedWrite {
    return {
      check: () => {},
      apply: () => {
        for (const table of [this.#ends, this.#committed])
          for (const key of Array.from(table.getKeys(topicRange(topic)))) table.remove(key)
      },
    }
  }

  prepareCommitted(
    topicPartition: TopicPartition,
    group: string,
    offset: number,
    metadata = '',
  ): PreparedWrite {
    const key = committedKey(topicPartition, group)
    const value = Buffer.concat([encodeOffset(offset), Buffer.from(metadata)])
    return {
      check: () => {},
      apply: () => {
        this.#committed.put(key, value)
      },
    }
  }

  /** `topics` has the topic of every record. Returns the positions in the order of the records. */
  prepareAppend(
    records: readonly OutgoingRecord[],
    topics: ReadonlyMap<string, EmbeddedTopic>,
  ): PreparedWrite<Position[]> {
    const now = Date.now()
    const runs = new Map<string, AppendRun>()
    const appends = records.map(record => {
      const topic = topics.get(record.topic)!
      const partition = partitionFor(record, topic)
      const run = runOf(runs, { topic, partition })
      return { partition, run, value: encodeStoredRecord(record, record.timestamp ?? now) }
    })
    return {
      check: () => {},
      apply: () => {
        for (const run of runs.values()) run.offset = this.#endAt(run.prefix)
        const positions = appends.map(({ partition, run, value }) => {
          const offset = run.offset++
          this.#records.put(Buffer.concat([run.prefix, encodeOffset(offset)]), value)
          return { partition, offset }
        })
        for (const run of runs.values()) this.#ends.put(run.prefix, encodeOffset(run.offset))
        return positions
      },
    }
  }

  #endAt(prefix: Buffer): number {
    return decodeOffset(this.#ends.get(prefix))
  }
}

/** The records of one append that go to the same partition. */
interface AppendRun {
  readonly prefix: Buffer
  /**
   * The next record's offset. It is read within the transaction: another process may have appended before.
   */
  offset: number
}

function runOf(runs: Map<string, AppendRun>, topicPartition: TopicPartition): AppendRun {
  const name = `${topicPartition.partition}/${topicPartition.topic.name}`
  const run = runs.get(name) ?? { prefix: partitionPrefix(topicPartition), offset: 0 }
  runs.set(name, run)
  return run
}

/** A record without partition and key goes to partition 0. */
function partitionFor(record: OutgoingRecord, topic: EmbeddedTopic): number {
  const partition = record.partition ?? (record.key === null ? 0 : partitionOf(record.key, topic.partitions))
  if (partition < 0 || partition >= topic.partitions) {
    throw new Error(`Topic ${topic.name} has ${topic.partitions} partitions, and no partition ${partition}`)
  }
  return partition
}

const PREFIX_BYTES = 8

function topicRange({ number }: EmbeddedTopic): { start: Buffer; end: Buffer } {
  const [start, end] = [Buffer.allocUnsafe(4), Buffer.allocUnsafe(4)]
  start.writeUInt32BE(number)
  end.writeUInt32BE(number + 1)
  return { start, end }
}

function partitionPrefix({ topic, partition }: TopicPartition): Buffer {
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES)
  prefix.writeUInt32BE(topic.number, 0)
  prefix.writeUInt32BE(partition, 4)
  return prefix
}

function committedKey(topicPartition: TopicPartition, group: string): Buffer {
  return Buffer.concat([partitionPrefix(topicPartition), Buffer.from(group)])
}

function encodeOffset(offset: number): Buffer {
  const bytes = Buffer.allocUnsafe(OFFSET_BYTES)
  bytes.writeUIntBE(offset, 0, OFFSET_BYTES)
  return bytes
}

function decodeOffset(bytes: Buffer | undefined): number {
  return bytes === undefined ? 0 : bytes.readUIntBE(0, OFFSET_BYTES)
}

/** The bytes after the offset. */
function decodeMetadata(bytes: Buffer | undefined): string | undefined {
  return bytes === undefined || bytes.length === OFFSET_BYTES
    ? undefined
    : bytes.toString('utf8', OFFSET_BYTES)
}
