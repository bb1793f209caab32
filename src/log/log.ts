/**
 * The log port: topics of partitions of records, read by groups, one owner a partition; written atomically together with
 * the offset that was consumed. Kafka in production, LMDB in the embedded default.
 */
export interface Log {
  /** @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE */
  partitions(topic: string): Promise<number>

  /**
   * Appends records, all or none, in the order given within a partition, and answers when they are durable.
   * Without `partition` a record goes where `partitionOf(key)` says.
   * @throws UpswellError LOG_UNAVAILABLE
   */
  append(records: readonly OutgoingRecord[]): Promise<Position[]>

  /** Starts reading; returns when the group was joined for the first time (Kafka) or at once (embedded). */
  consume(options: ConsumeOptions): Promise<Consumption>

  /** All committed records of a topic from the beginning to its present end, partition by partition in offset order. For tools and tests. */
  readAll(topic: string): AsyncIterable<LogRecord>

  /**
   * The committed records of the stretches, one stretch after the other, in offset order; what retention or compaction took away is left out. It belongs to no
   * group that matters, and moves nobody's offsets.
   * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE
   */
  read(topic: string, stretches: readonly Stretch[]): AsyncIterable<LogRecord>

  /** By partition: what can be read now. @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE */
  ranges(topic: string): Promise<ReadonlyMap<number, OffsetRange>>

  /** The names of all topics. @throws UpswellError LOG_UNAVAILABLE */
  topics(): Promise<string[]>

  /** Makes those that are missing; existing ones are only looked at. @throws UpswellError LOG_UNAVAILABLE, INVALID_SETTINGS */
  createTopics(topics: readonly TopicToCreate[]): Promise<CreatedTopics>

  /** Deletes topics with all their records; those that are not there are passed over. @throws UpswellError LOG_UNAVAILABLE */
  deleteTopics(topics: readonly string[]): Promise<void>

  /** Where a group stands in a topic. @throws UpswellError LOG_UNAVAILABLE */
  group(group: string, topic: string): Promise<GroupState>

  /** Forgets a group and its offsets; one that is not there is passed over. @throws UpswellError LOG_UNAVAILABLE, also while it has members */
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
  readonly headers: Readonly<Record<string, Buffer>>
  /** Where key and value lie in what was fetched, for readers that need no views of their own; logs that have no such place leave it out. */
  readonly span?: RecordSpan
}

/** Records in offset order, of which each is made when it is asked for: whoever goes over thousands of them keeps none. An array is one, too. */
export interface RecordList extends Iterable<LogRecord> {
  readonly length: number
  /** Undefined beyond the last. Negative: counted from the end, as with `Array.at`. */
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
  readonly headers?: Readonly<Record<string, string | Buffer>>
  /** ms; the log's own clock if left out. */
  readonly timestamp?: number
}

export interface OffsetRange {
  /** The first offset that is still there. */
  readonly first: number
  /** The offset that the next record gets. What lies below it may belong to transactions that are not finished. */
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
  /** Whether somebody consumes as this group now. */
  readonly isConsuming: boolean
  /** By partition: the committed offset. Partitions without one are left out. */
  readonly committed: ReadonlyMap<number, number>
  /** By partition: what was committed with the offset; those without are left out. */
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
  readonly existing: readonly string[]
  /** Existing with another number of partitions than asked for; they were left alone, since more partitions would move accounts. */
  readonly different: readonly {
    readonly name: string
    readonly partitions: number
    readonly wanted: number
  }[]
}

export interface Position {
  readonly partition: number
  readonly offset: number
}

export interface ConsumeOptions {
  readonly group: string
  readonly topics: readonly string[]
  readonly handler: PartitionHandler
  /** The most records handed over at once. */
  readonly batchSize: number
}

/**
 * What a group does with a partition. The adapter calls `assigned`, then `process` for batch after batch, never two calls at
 * a time for one partition. If either throws, it forgets the session, waits (with backoff), fences again and calls `assigned` again.
 */
export interface PartitionHandler {
  /** The partition is ours and every earlier owner is fenced. Returns the offset to read from. */
  assigned(session: PartitionSession): Promise<number>
  /** At least one record, in offset order, offsets may have gaps. Commits before it returns, or throws; one that leaves a commit under way calls `lose` if that fails. The list is of no use any more then; records of it may be kept. */
  readonly process: (session: PartitionSession, records: RecordList) => Promise<void>
  /** The session is over; nothing of it may be used any more. Called once a session. */
  released(session: PartitionSession): void
}

export interface PartitionSession {
  readonly topic: string
  readonly partition: number
  /** The group's committed offset when the session began; 0 if there was none. */
  readonly committedOffset: number
  /** What was committed with that offset; undefined: nothing. */
  readonly committedMetadata?: string | undefined
  /** The first offset of the partition that was there when the session began: what lay before was deleted by retention. */
  readonly firstOffset: number
  /** The end of the partition when the session began: the offset of the next record. */
  readonly endOffset: number
  /**
   * Publishes `records` and moves the group's offset to `nextOffset`, in one transaction. `metadata`: a short text that is kept with the offset.
   * @throws UpswellError LOG_FENCED: someone else owns the partition; LOG_UNAVAILABLE: not known whether it happened. After either the session is dead.
   */
  commit(records: readonly OutgoingRecord[], nextOffset: number, metadata?: string): Promise<void>
  /** Ends the session as a throw from `process` does, for what goes wrong between two calls. Once it is over, nothing happens. */
  lose(reason: unknown): void
}

export interface Consumption {
  /** Finishes the batches under way, leaves the group. */
  stop(): Promise<void>
  /** Undefined while all is well; otherwise what is wrong now, for readiness and logs. */
  problem(): string | undefined
  /** Partitions assigned and working now. */
  assignments(): readonly { readonly topic: string; readonly partition: number }[]
}
