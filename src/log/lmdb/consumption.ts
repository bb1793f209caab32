import { setImmediate, setTimeout } from 'node:timers/promises'
import { describeError } from '../../lib/errors.ts'
import type { Consumption, LogRecord, PartitionHandler, PartitionSession } from '../log.ts'

const FIRST_BACKOFF_MS = 100
const LONGEST_BACKOFF_MS = 5_000

export interface OpenSession {
  readonly session: PartitionSession
  /** Why it was lost between two batches; undefined while it was not. */
  lost(): { readonly reason: unknown } | undefined
}

/** One partition of the embedded log, as one group reads it. */
export interface PartitionSource {
  readonly topic: string
  readonly partition: number
  /** Begins a session at the group's committed offset. @throws UpswellError LOG_FENCED, LOG_UNAVAILABLE */
  open(): OpenSession
  /** Ends it: its commits are refused from now on. */
  close(session: PartitionSession): void
  /** The next records, `limit` at most; none if the end was reached. */
  read(fromOffset: number, limit: number): LogRecord[]
  /** Resolves when there may be a record at `offset` or behind it, or when `isOver` answers true: asked when the session is lost, and now and then. */
  waitFor(offset: number, isOver: () => boolean): Promise<void>
}

export interface ConsumeProblem {
  readonly topic: string
  readonly partition: number
  readonly error: unknown
  readonly retryInMs: number
}

export interface ConsumptionOptions {
  readonly sources: readonly PartitionSource[]
  readonly handler: PartitionHandler
  readonly batchSize: number
  readonly onProblem: (problem: ConsumeProblem) => void
  /** Aborting it stops the consumption, as `stop` does. */
  readonly stopping: AbortController
}

/** Reads every source in a loop of its own until it is stopped. */
export function startConsumption(options: ConsumptionOptions): Consumption {
  const { stopping } = options
  const loops = options.sources.map(source => new PartitionLoop(source, options))
  const ended = Promise.all(loops.map(loop => loop.run()))
  return {
    stop: async () => {
      stopping.abort()
      await ended
    },
    problem: () => {
      const failing = loops.find(loop => loop.problem !== undefined)
      const waiting = loops.find(loop => !loop.isAssigned)
      return (
        failing?.problem ??
        (waiting && `${waiting.source.topic} partition ${waiting.source.partition} is not taken yet`)
      )
    },
    assignments: () =>
      loops.filter(loop => loop.isAssigned).map(({ source: { topic, partition } }) => ({ topic, partition })),
  }
}

/**
 * One partition: a session (assigned, then batch after batch, then released), and after a throw a wait and the next session.
 * A problem stands until a batch went well or nothing is left to read, and so does the growing backoff: a batch that always fails is assigned well each time.
 */
class PartitionLoop {
  readonly source: PartitionSource
  readonly #options: ConsumptionOptions
  readonly #stopping: AbortSignal
  #backoffMs = FIRST_BACKOFF_MS
  problem: string | undefined
  isAssigned = false

  constructor(source: PartitionSource, options: ConsumptionOptions) {
    this.source = source
    this.#options = options
    this.#stopping = options.stopping.signal
  }

  /** Never rejects. */
  async run(): Promise<void> {
    while (!this.#stopping.aborted) {
      try {
        await this.#runSession()
      } catch (thrown) {
        await this.#backOff(thrown)
      }
    }
  }

  async #runSession(): Promise<void> {
    const opened = this.source.open()
    const { session } = opened
    try {
      const offset = await this.#options.handler.assigned(session)
      this.isAssigned = true
      await this.#runBatches(opened, offset)
    } finally {
      this.isAssigned = false
      this.source.close(session)
      this.#options.handler.released(session)
    }
  }

  async #runBatches({ session, lost }: OpenSession, from: number): Promise<void> {
    let offset = from
    while (!this.#stopping.aborted) {
      const loss = lost()
      if (loss !== undefined) throw loss.reason
      const records = this.source.read(offset, this.#options.batchSize)
      const last = records.at(-1)
      if (last === undefined) {
        this.#recovered()
        await this.source.waitFor(offset, () => this.#stopping.aborted || lost() !== undefined)
        continue
      }
      await this.#options.handler.process(session, records)
      this.#recovered()
      offset = last.offset + 1
      // A handler whose promises are all settled would keep timers and sockets from their turn.
      await setImmediate()
    }
  }

  #recovered(): void {
    this.problem = undefined
    this.#backoffMs = FIRST_BACKOFF_MS
  }

  async #backOff(error: unknown): Promise<void> {
    const { topic, partition } = this.source
    const retryInMs = this.#backoffMs
    this.#backoffMs = Math.min(retryInMs * 2, LONGEST_BACKOFF_MS)
    this.problem = `${topic}/${partition}: ${describeError(error)}`
    this.#options.onProblem({ topic, partition, error, retryInMs })
    await setTimeout(retryInMs, undefined, { signal: this.#stopping }).catch(() => {})
  }
}
