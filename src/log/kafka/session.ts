import { UpswellError } from '../../lib/errors.ts'
import type { OffsetRange, OutgoingRecord, PartitionSession } from '../log.ts'
import type { TransactionWriter } from './transactions.ts'

/** Why a session ended of which nothing is to be told. */
export const OVER = new UpswellError('LOG_FENCED', 'the session is over')

/** Where a group stands in a partition, and what was committed with that. */
export interface CommittedOffset {
  readonly committed: number
  readonly metadata?: string | undefined
}

/** A session, from the moment its partition's earlier owners are fenced until it ends, which is for ever. */
export class LiveSession implements PartitionSession {
  readonly topic: string
  readonly partition: number
  readonly committedOffset: number
  readonly committedMetadata: string | undefined
  readonly firstOffset: number
  readonly endOffset: number
  /** Resolves with the reason. */
  readonly ended: Promise<unknown>
  readonly #group: string
  readonly #writer: TransactionWriter
  #resolveEnded: (reason: unknown) => void = () => {}
  #isOver = false

  constructor(
    { topic, partition }: { readonly topic: string; readonly partition: number },
    group: string,
    { committed, metadata, first, end }: OffsetRange & CommittedOffset,
    writer: TransactionWriter,
  ) {
    this.topic = topic
    this.partition = partition
    this.committedOffset = committed
    this.committedMetadata = metadata
    this.firstOffset = first
    this.endOffset = end
    this.#group = group
    this.#writer = writer
    this.ended = new Promise(resolve => {
      this.#resolveEnded = resolve
    })
  }

  get isOver(): boolean {
    return this.#isOver
  }

  end(reason: unknown): void {
    this.#isOver = true
    this.#resolveEnded(reason)
  }

  lose(reason: unknown): void {
    if (!this.#isOver) this.end(reason)
  }

  async commit(records: readonly OutgoingRecord[], nextOffset: number, metadata?: string): Promise<void> {
    if (this.#isOver) throw OVER
    const { topic, partition } = this
    try {
      await this.#writer.write(records, { group: this.#group, topic, partition, nextOffset, metadata })
    } catch (error) {
      this.end(error)
      throw error
    }
  }
}
