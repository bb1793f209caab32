import type { OutgoingRecord, PartitionSession } from '../../log/log.ts'

/** What one batch publishes. */
export interface BatchOutputs {
  readonly outputs: readonly OutgoingRecord[]
  /** Behind the batch. */
  readonly nextOffset: number
  /** Of the offset. */
  readonly metadata: string
  /** Called once it is committed. */
  readonly onCommitted: () => void
}

/** So many batches may wait for a commit that is under way. More of them would make transactions larger, and more to fold again, for little. */
const MOST_WAITING = 2

/**
 * The commits of a partition, in order, one at a time. The next batches are folded while one is under way; what they publish waits, and goes out together in the next one. So a
 * scorer need not wait for the brokers, and makes fewer transactions the slower they are.
 *
 * Memory is ahead of the log meanwhile. Where a commit fails, what waits is dropped and the session is lost: memory is of no use any more, and all of it is folded again.
 * The first commit of a session is waited for: a session that can commit nothing is to be seen as failed at once.
 */
export class PendingCommits {
  readonly #session: PartitionSession
  #waiting: BatchOutputs[] = []
  #underWay: Promise<void> | undefined
  #hasCommitted = false
  #failure: { readonly error: unknown } | undefined

  constructor(session: PartitionSession) {
    this.#session = session
  }

  /** Returns when the next batch may be folded. @throws what an earlier commit failed with, or the session's first one */
  async add(batch: BatchOutputs): Promise<void> {
    this.#throwIfFailed()
    this.#waiting.push(batch)
    if (this.#underWay === undefined) this.#begin()
    if (this.#hasCommitted && this.#waiting.length < MOST_WAITING) return
    await this.#underWay
    this.#throwIfFailed()
  }

  /** Returns when all that was added is committed. @throws what a commit failed with */
  async settle(): Promise<void> {
    while (this.#underWay !== undefined) await this.#underWay
    this.#throwIfFailed()
  }

  #begin(): void {
    const batches = this.#waiting
    this.#waiting = []
    this.#underWay = this.#commit(batches).then(() => {
      this.#underWay = undefined
      if (this.#waiting.length > 0) this.#begin()
    })
  }

  /** Does not throw. */
  async #commit(batches: readonly BatchOutputs[]): Promise<void> {
    const { nextOffset, metadata } = batches.at(-1)!
    try {
      await this.#session.commit(
        batches.flatMap(({ outputs }) => outputs),
        nextOffset,
        metadata,
      )
      this.#hasCommitted = true
      for (const { onCommitted } of batches) onCommitted()
    } catch (error) {
      this.#failure = { error }
      this.#waiting = []
      this.#session.lose(error)
    }
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
