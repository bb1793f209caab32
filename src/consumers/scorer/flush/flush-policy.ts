import type { DirtyAccounts } from './dirty-accounts.ts'

/**
 * When the store is written. Until then memory is ahead of it; after a crash the difference is folded again.
 */
export interface FlushTiming {
  /** From the start of one flush to the start of the next. */
  readonly intervalMs: number
  readonly now: () => number
}

/** The most accounts of one flush: a larger one would hold up the other partitions. */
const MAX_ACCOUNTS = 10_000
/** During a backlog nobody waits for the newest scores: publishing those in between is not worth the work. */
const CATCHING_UP_INTERVAL_MS = 5_000
/** A flush that is late by this many intervals no longer waits for the flushes of other partitions. */
const MAX_INTERVALS = 2

/**
 * The flushes of all partitions of one process. They take turns: side by side, each would take as long as
 * all.
 */
export class FlushSchedule {
  readonly timing: FlushTiming
  #running = 0

  constructor(timing: FlushTiming) {
    this.timing = timing
  }

  get isRunning(): boolean {
    return this.#running > 0
  }

  async during(flush: () => Promise<void>): Promise<void> {
    this.#running++
    try {
      await flush()
    } finally {
      this.#running--
    }
  }
}

/** Decides when one partition is flushed. */
export class FlushPolicy {
  readonly #schedule: FlushSchedule | undefined
  #flushedAt = Number.NEGATIVE_INFINITY
  #steppedAt = Number.NEGATIVE_INFINITY

  /** `schedule` undefined: each step is flushed. */
  constructor(schedule: FlushSchedule | undefined) {
    this.#schedule = schedule
  }

  /** When the last flush started, ms of the schedule's clock. */
  get flushedAt(): number {
    return this.#flushedAt
  }

  /** Call after each step, when its commit is no longer waited for. */
  onStep(): void {
    if (this.#schedule !== undefined) this.#steppedAt = this.#schedule.timing.now()
  }

  /**
   * @param isBehind the records that were in the log at the start of the session are not all folded
   * @param isFull the accounts take all the memory that they may
   */
  isDue(dirty: DirtyAccounts, isBehind: boolean, isFull: boolean): boolean {
    if (this.#schedule === undefined || isFull || dirty.accounts.size >= MAX_ACCOUNTS) return true
    const { intervalMs, now } = this.#schedule.timing
    const time = now()
    // The log may end in offsets without a record: if none comes for an interval, its end is reached.
    const isCatchingUp = isBehind && Math.abs(time - this.#steppedAt) < intervalMs
    const currentIntervalMs = Math.max(intervalMs, isCatchingUp ? CATCHING_UP_INTERVAL_MS : 0)
    // The absolute value: the clock may be set back.
    const passedMs = Math.abs(time - this.#flushedAt)
    if (passedMs < currentIntervalMs) return false
    return !this.#schedule.isRunning || passedMs >= MAX_INTERVALS * currentIntervalMs
  }

  async during(flush: () => Promise<void>): Promise<void> {
    if (this.#schedule === undefined) return await flush()
    this.#flushedAt = this.#schedule.timing.now()
    await this.#schedule.during(flush)
  }
}
