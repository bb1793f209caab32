import { deferred } from '../../lib/deferred.ts'
import { UpswellError } from '../../lib/errors.ts'
import type { OffsetRange, OutgoingRecord, PartitionSession } from '../log.ts'
import { type LogMeter, meterCommit } from '../log-meter.ts'
import type { TransactionWriter } from './transactions.ts'

/** The reason of a session that ended on purpose; it is not reported. */
export const OVER = new UpswellError('LOG_FENCED', 'the session is over')

/** A group's committed offset in a partition, and the text that was committed with it. */
export interface CommittedOffset {
  readonly committed: number
  readonly metadata?: string | undefined
}

/**
 * A session from the moment when all earlier owners of the partition are fenced. Once over, it stays over.
 */
export class LiveSession implements PartitionSession {
  readonly topic: string
  readonly partition: number
  readonly committedOffset: number
  readonly committedMetadata: string | undefined
  readonly firstOffset: number
  readonly endOffset: number
  readonly #group: string
  readonly #writer: TransactionWriter
  readonly #meter: LogMeter | undefined
  readonly #ended = deferred<unknown>()
  #isOver = false

  constructor(
    { topic, partition }: { readonly topic: string; readonly partition: number },
    group: string,
    { committed, metadata, first, end }: OffsetRange & CommittedOffset,
    writer: TransactionWriter,
    meter?: LogMeter,
  ) {
    this.topic = topic
    this.partition = partition
    this.committedOffset = committed
    this.committedMetadata = metadata
    this.firstOffset = first
    this.endOffset = end
    this.#group = group
    this.#writer = writer
    this.#meter = meter
  }

  /** Resolves with the reason. */
  get ended(): Promise<unknown> {
    return this.#ended.promise
  }

  get isOver(): boolean {
    return this.#isOver
  }

  end(reason: unknown): void {
    this.#isOver = true
    this.#ended.resolve(reason)
  }

  lose(reason: unknown): void {
    if (!this.#isOver) this.end(reason)
  }

  async commit(records: readonly OutgoingRecord[], nextOffset: number, metadata?: string): Promise<void> {
    if (this.#isOver) throw OVER
    const { topic, partition } = this
    try {
      const consumed = { group: this.#group, topic, partition, nextOffset, metadata }
      await meterCommit(this.#meter, this.#group, () => this.#writer.write(records, consumed))
    } catch (error) {
      this.end(error)
      throw error
    }
  }
}
