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
  /** At least one record, in offset order, offsets may have gaps. Must commit before it returns, or throw. */
  process(session: PartitionSession, records: readonly LogRecord[]): Promise<void>
  /** The session is over; nothing of it may be used any more. Called once a session. */
  released(session: PartitionSession): void
}

export interface PartitionSession {
  readonly topic: string
  readonly partition: number
  /** The group's committed offset when the session began; 0 if there was none. */
  readonly committedOffset: number
  /** The end of the partition when the session began: the offset of the next record. */
  readonly endOffset: number
  /**
   * Publishes `records` and moves the group's offset to `nextOffset`, in one transaction.
   * @throws UpswellError LOG_FENCED: someone else owns the partition; LOG_UNAVAILABLE: not known whether it happened. After either the session is dead.
   */
  commit(records: readonly OutgoingRecord[], nextOffset: number): Promise<void>
}

export interface Consumption {
  /** Finishes the batches under way, leaves the group. */
  stop(): Promise<void>
  /** Undefined while all is well; otherwise what is wrong now, for readiness and logs. */
  problem(): string | undefined
  /** Partitions assigned and working now. */
  assignments(): readonly { readonly topic: string; readonly partition: number }[]
}
