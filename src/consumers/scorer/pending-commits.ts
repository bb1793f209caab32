import type { OutgoingRecord, PartitionSession } from '../../log/log.ts'

/** What one step publishes. */
export interface StepOutputs {
  readonly outputs: readonly OutgoingRecord[]
  /** The offset after the step. */
  readonly nextOffset: number
  /** A text that the log keeps with the offset. */
  readonly metadata: string
  /** Called after the commit. */
  readonly onCommitted: () => void
}

/**
 * How many steps may wait for a running commit. More would make transactions larger, and leave more to
 * refold, for little gain.
 */
const MOST_WAITING = 2

/**
 * The commits of a partition, in order, one at a time. While one runs, the next steps are folded, and their
 * outputs go into the next commit together. If a commit fails, the waiting outputs are dropped and the
 * session is lost. The first commit of a session is awaited: a session that cannot commit must fail at once.
 */
export class PendingCommits {
  readonly #session: PartitionSession
  #waiting: StepOutputs[] = []
  #underWay: Promise<void> | undefined
  #hasCommitted = false
  #failure: { readonly error: unknown } | undefined

  constructor(session: PartitionSession) {
    this.#session = session
  }

  /**
   * Returns when the next step may be folded. @throws the error of an earlier commit, or of the session's
   * first one
   */
  async add(step: StepOutputs): Promise<void> {
    this.#throwIfFailed()
    this.#waiting.push(step)
    if (this.#underWay === undefined) this.#begin()
    if (this.#hasCommitted && this.#waiting.length < MOST_WAITING) return
    await this.#underWay
    this.#throwIfFailed()
  }

  /** Returns when everything that was added is committed. @throws the error of a commit */
  async settle(): Promise<void> {
    while (this.#underWay !== undefined) await this.#underWay
    this.#throwIfFailed()
  }

  #begin(): void {
    const steps = this.#waiting
    this.#waiting = []
    this.#underWay = this.#commit(steps).then(() => {
      this.#underWay = undefined
      if (this.#waiting.length > 0) this.#begin()
    })
  }

  /** Does not throw. */
  async #commit(steps: readonly StepOutputs[]): Promise<void> {
    const { nextOffset, metadata } = steps.at(-1)!
    try {
      await this.#session.commit(
        steps.flatMap(({ outputs }) => outputs),
        nextOffset,
        metadata,
      )
      this.#hasCommitted = true
      for (const { onCommitted } of steps) onCommitted()
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
