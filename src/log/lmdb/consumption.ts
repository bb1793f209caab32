import { setImmediate } from 'node:timers/promises'
import { Backoff } from '../../lib/backoff.ts'
import { describeError } from '../../lib/errors.ts'
import type { Consumption, LogRecord, PartitionHandler, PartitionSession } from '../log.ts'
import type { LogMeter, PositionInPartition, ReadPosition } from '../log-meter.ts'

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 5_000

export interface OpenSession {
  readonly session: PartitionSession
  /** The reason if the session was lost between two batches. */
  lost(): { readonly reason: unknown } | undefined
}

/** One partition of the embedded log for one group. */
export interface PartitionSource {
  readonly topic: string
  readonly partition: number
  /** Opens a session at the group's committed offset. @throws UpswellError LOG_FENCED, LOG_UNAVAILABLE */
  open(): OpenSession
  /** Ends the session: its commits are refused from now on. */
  close(session: PartitionSession): void
  /** The next records, at most `limit`. Empty at the end of the log. */
  read(fromOffset: number, limit: number): LogRecord[]
  /**
   * Resolves when there may be a record at or after `offset`, or `isOver` returns true. It is called when the
   * session is lost, and now and then.
   */
  waitFor(offset: number, isOver: () => boolean): Promise<void>
}

export interface ConsumeProblem {
  readonly topic: string
  readonly partition: number
  readonly error: unknown
  readonly retryInMs: number
}

export interface ConsumptionOptions {
  readonly group: string
  readonly sources: readonly PartitionSource[]
  readonly handler: PartitionHandler
  readonly batchSize: number
  readonly onProblem: (problem: ConsumeProblem) => void
  /** Called after each batch that succeeded, and at the end of the log. */
  readonly onWell?: (source: Pick<PartitionSource, 'topic' | 'partition'>) => void
  /** Aborting it stops the consumption, as `stop` does. */
  readonly stopping: AbortController
  readonly meter?: LogMeter | undefined
}

/** Reads each source in its own loop until it is stopped. */
export function startConsumption(options: ConsumptionOptions): Consumption {
  const { stopping } = options
  const loops = options.sources.map(source => new PartitionLoop(source, options))
  const ended = Promise.all(loops.map(loop => loop.run()))
  const stopMetering = options.meter?.consuming(() =>
    loops.map(({ position }) => position).filter(position => position !== undefined),
  )
  return {
    stop: async () => {
      stopping.abort()
      stopMetering?.()
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
    // One process alone has all partitions.
    waitingMs: () => 0,
    assignments: () =>
      loops.filter(loop => loop.isAssigned).map(({ source: { topic, partition } }) => ({ topic, partition })),
  }
}

/**
 * Runs one partition's sessions: assigned, then batch after batch, then released. After an error it waits and
 * opens the next session. The problem and the growing wait last until a batch succeeds or nothing is left to
 * read: a batch that always fails is assigned successfully each time.
 */
class PartitionLoop {
  readonly source: PartitionSource
  readonly #options: ConsumptionOptions
  readonly #stopping: AbortSignal
  readonly #backoff: Backoff
  problem: string | undefined
  isAssigned = false
  /**
   * How far the partition is processed; undefined: not known yet. It outlasts a session: the lag must be seen
   * while the next one cannot begin.
   */
  position: ReadPosition | undefined

  constructor(source: PartitionSource, options: ConsumptionOptions) {
    this.source = source
    this.#options = options
    this.#stopping = options.stopping.signal
    this.#backoff = new Backoff({
      firstMs: FIRST_DELAY_MS,
      longestMs: LONGEST_DELAY_MS,
      signal: this.#stopping,
    })
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
    this.position ??= this.#positionAt({
      next: session.committedOffset,
      newestAt: undefined,
      beganEven: false,
    })
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
    const { group, meter } = this.#options
    let offset = from
    const beganEven = from >= session.endOffset
    this.position = this.#positionAt({ next: from, newestAt: undefined, beganEven })
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
      // A handler may return early when its session was lost meanwhile: that is no success.
      if (lost() === undefined) {
        this.#recovered()
        meter?.processed(group, records.length)
      }
      offset = last.offset + 1
      this.position = this.#positionAt({ next: offset, newestAt: last.timestamp, beganEven })
      // If all promises of a handler are settled already, timers and sockets would never run.
      await setImmediate()
    }
  }

  #positionAt(position: PositionInPartition): ReadPosition {
    const { topic, partition } = this.source
    return { group: this.#options.group, topic, partition, ...position }
  }

  #recovered(): void {
    this.problem = undefined
    this.#backoff.reset()
    this.#options.onWell?.(this.source)
  }

  async #backOff(error: unknown): Promise<void> {
    const { topic, partition } = this.source
    this.#options.meter?.sessionLost(this.#options.group, error)
    this.problem = `${topic}/${partition}: ${describeError(error)}`
    this.#options.onProblem({ topic, partition, error, retryInMs: this.#backoff.nextMs })
    await this.#backoff.wait()
  }
}
