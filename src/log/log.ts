/**
 * The log port: topics, their partitions, and records. Groups read them, with one owner for each partition,
 * and write records atomically with the consumed offset. Adapters: Kafka for production, LMDB for the
 * embedded default.
 */
export interface Log {
  /** @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE */
  partitions(topic: string): Promise<number>

  /**
   * Appends records, all or none, in the order given within a partition. Resolves when they are durable. A
   * record without `partition` goes to `partitionOf(key)`.
   * @throws UpswellError LOG_UNAVAILABLE
   */
  append(records: readonly OutgoingRecord[]): Promise<Position[]>

  /** Starts reading. Resolves at the first join of the group (Kafka) or at once (embedded). */
  consume(options: ConsumeOptions): Promise<Consumption>

  /** All committed records of a topic up to its present end, by partition and offset. For tools and tests. */
  readAll(topic: string): AsyncIterable<LogRecord>

  /**
   * The committed records of the stretches, one stretch after the other, in offset order. Records that
   * retention or compaction deleted are left out. It moves no group's offsets.
   * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE
   */
  read(topic: string, stretches: readonly Stretch[]): AsyncIterable<LogRecord>

  /** Partition → the offsets that can be read now. @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE */
  ranges(topic: string): Promise<ReadonlyMap<number, OffsetRange>>

  /** The names of all topics. @throws UpswellError LOG_UNAVAILABLE */
  topics(): Promise<string[]>

  /**
   * Creates the missing topics and leaves existing ones unchanged.
   * @throws UpswellError LOG_UNAVAILABLE, INVALID_SETTINGS
   */
  createTopics(topics: readonly TopicToCreate[]): Promise<CreatedTopics>

  /** Deletes the topics that exist, with all their records. @throws UpswellError LOG_UNAVAILABLE */
  deleteTopics(topics: readonly string[]): Promise<void>

  /** The state of a group in a topic. @throws UpswellError LOG_UNAVAILABLE */
  group(group: string, topic: string): Promise<GroupState>

  /**
   * Deletes a group with its offsets, if it exists.
   * @throws UpswellError LOG_UNAVAILABLE, also while it has members
   */
  deleteGroup(group: string): Promise<void>

  ping(): Promise<void>
  close(): Promise<void>
}

export interface LogRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** ms */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /**
   * The headers by name. The last value of a repeated header counts, as for Java's `lastHeader`. Null is
   * empty.
   */
  readonly headers: Readonly<Record<string, Buffer>>
  /** All of them, as they came. */
  readonly headerList: readonly Header[]
  /** Key and value as ranges of the fetched bytes, for readers that need no views. Some logs have none. */
  readonly span?: RecordSpan
}

/** The bytes of the name, and of the value. Kafka's headers have an order, repeat, and may have no value. */
export type Header = readonly [name: Buffer, value: Buffer | null]

/**
 * Records in offset order. It may make each record when it is asked for, so that nobody keeps thousands. An
 * array fits.
 */
export interface RecordList extends Iterable<LogRecord> {
  readonly length: number
  /** Like `Array.at`. */
  at(index: number): LogRecord | undefined
}

/** Offsets into `bytes`; the ends are excluded. A key or value that is null begins at −1. */
export interface RecordSpan {
  readonly bytes: Buffer
  readonly keyFrom: number
  readonly keyTo: number
  readonly valueFrom: number
  readonly valueTo: number
  readonly hasHeaders: boolean
}

export interface OutgoingRecord {
  readonly topic: string
  readonly partition?: number
  readonly key: string | Buffer | null
  readonly value: string | Buffer | null
  /** Headers of another record that this one passes on. They are written as they are, before `headers`. */
  readonly carriedHeaders?: readonly Header[]
  readonly headers?: Readonly<Record<string, string | Buffer>>
  /** ms; the time of the log's clock if left out. */
  readonly timestamp?: number
}

export interface OffsetRange {
  /** The first offset that still exists. */
  readonly first: number
  /** The offset of the next record. Records below it may belong to unfinished transactions. */
  readonly end: number
}

export interface Stretch {
  readonly partition: number
  /** Included. */
  readonly from: number
  /** Excluded. */
  readonly to: number
}

export interface GroupState {
  /** Whether a process consumes as this group now. */
  readonly isConsuming: boolean
  /** Partition → the committed offset. Partitions without one are left out. */
  readonly committed: ReadonlyMap<number, number>
  /** Partition → the text that was committed with the offset. Partitions without one are left out. */
  readonly metadata: ReadonlyMap<number, string>
}

export interface TopicToCreate {
  readonly name: string
  readonly partitions: number
  /** The broker's default if left out. */
  readonly replicationFactor?: number
  /** As in `kafka-topics.sh --config`. */
  readonly config?: Readonly<Record<string, string>>
}

export interface CreatedTopics {
  readonly created: readonly string[]
  /** They were there before, perhaps with another number of partitions. */
  readonly existing: readonly string[]
}

export interface Position {
  readonly partition: number
  readonly offset: number
}

export interface ConsumeOptions {
  readonly group: string
  readonly topics: readonly string[]
  readonly handler: PartitionHandler
  /** The most records in one call of `process`. */
  readonly batchSize: number
}

/**
 * A group's handling of a partition. The adapter calls `assigned`, then `process` for batch after batch, one
 * call at a time for a partition. If either throws, the adapter ends the session, waits (longer each time),
 * fences again, and calls `assigned` with a new session.
 */
export interface PartitionHandler {
  /** This process owns the partition, and every earlier owner is fenced. Returns the offset to read from. */
  assigned(session: PartitionSession): Promise<number>
  /**
   * Gets at least one record, in offset order; offsets may have gaps. The handler commits before it returns,
   * or throws. If it returns while a commit is under way, it calls `lose` if that commit fails. A call that
   * returns after `lose` counts as failed. The list is valid until it returns; single records may be kept.
   */
  readonly process: (session: PartitionSession, records: RecordList) => Promise<void>
  /** The session is over and may not be used any more. Called once for each session. */
  released(session: PartitionSession): void
}

export interface PartitionSession {
  readonly topic: string
  readonly partition: number
  /** The group's committed offset when the session began; 0 if there was none. */
  readonly committedOffset: number
  /** The text that was committed with that offset. */
  readonly committedMetadata?: string | undefined
  /** The first offset that existed when the session began. Retention has deleted all records before it. */
  readonly firstOffset: number
  /** The offset of the next record when the session began. */
  readonly endOffset: number
  /** Commits are refused: the partition has another owner, or something failed. */
  readonly isOver: boolean
  /**
   * Publishes `records` and moves the group's offset to `nextOffset`, in one transaction. `metadata` is a
   * short text that is stored with the offset. After an error the session is over.
   * @throws UpswellError LOG_FENCED: another process owns the partition; LOG_UNAVAILABLE: the outcome is
   * unknown
   */
  commit(records: readonly OutgoingRecord[], nextOffset: number, metadata?: string): Promise<void>
  /**
   * Ends the session like an error from `process`, for failures between two calls. Does nothing once it is
   * over.
   */
  lose(reason: unknown): void
}

export interface Consumption {
  /** Finishes the current batches and leaves the group. */
  stop(): Promise<void>
  /** What is wrong now, for readiness and messages; undefined while all is well. */
  problem(): string | undefined
  /**
   * How long it waits already for its group: it has not joined, or the group distributes its partitions, ms.
   * 0: it does not wait.
   */
  waitingMs(): number
  /** The partitions that are being processed now. */
  assignments(): readonly { readonly topic: string; readonly partition: number }[]
}
