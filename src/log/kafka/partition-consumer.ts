import { Backoff } from '../../lib/backoff.ts'
import { describeError, UpswellError } from '../../lib/errors.ts'
import type { Logger, Outages } from '../../lib/logger.ts'
import { settlesWithin } from '../../lib/waiting.ts'
import type { OffsetRange, PartitionHandler, RecordList } from '../log.ts'
import type { LogMeter, PositionInPartition } from '../log-meter.ts'
import type { RecordSource } from './fetch-ahead.ts'
import { type CommittedOffset, LiveSession, OVER } from './session.ts'
import type { TransactionWriter } from './transactions.ts'

export interface PartitionContext {
  readonly topic: string
  readonly partition: number
  readonly group: string
  readonly handler: PartitionHandler
  readonly batchSize: number
  readonly logger: Logger
  readonly meter?: LogMeter | undefined
  readonly outages: Outages
  /**
   * Settles when this process's owner from an earlier generation has ended: a handler gets one call at a time
   * for a partition.
   */
  readonly predecessor: Promise<void>
  /** Fences every earlier writer of the partition, in any process. */
  openWriter(mayCommit: () => boolean): Promise<TransactionWriter>
  groupOffset(): Promise<OffsetRange & CommittedOffset>
  /** Fetches the partition from `offset` on. */
  openSource(offset: number): RecordSource
}

const FIRST_DELAY_MS = 100
/** Short: after an outage, reading continues within a few seconds. */
const LONGEST_DELAY_MS = 2_000
/** A session without a failure for this long counts as healthy, even if no record came. */
const WELL_AFTER_MS = 2_000

/**
 * Owns a partition from its assignment until that generation of the group is over. It goes through sessions,
 * one at a time; after a session fails, the next one opens after a wait (100 ms, doubling to 2 s).
 */
// Phases of a session:
//   opening  A new writer fences all earlier ones. Only then is the group's offset read, since a transaction
//            of the earlier owner may have been on its way. `assigned` tells the handler, which returns the
//            offset to read from.
//   working  The partition is fetched from that offset on (fetch-ahead.ts), and the handler processes batch
//            after batch. If a broker is away or no longer leads the partition, the fetch retries. A record
//            that was deleted before it was read ends the session like any error.
//   lost     Something failed, the handler threw, or a commit is unclear. Nothing more is fetched or
//            committed. The handler's current call is awaited, then `released` is called.
//
// From outside:
//   hold     The group is about to distribute its partitions again. The session lives on, but hands over
//            nothing.
//   end      Leads from any phase to "over", the last: at once if the group has joined again (commits of the
//            current call are then refused), or after the current call.
export class PartitionConsumer {
  /** Resolves when nothing runs any more and the handler has released the partition. */
  readonly ended: Promise<void>
  readonly topic: string
  readonly partition: number

  readonly #context: PartitionContext
  readonly #name: string
  readonly #over = new AbortController()
  #session: LiveSession | undefined
  #source: RecordSource | undefined
  #call: Promise<unknown> | undefined
  #isHeld = false
  #workingSince: number | undefined
  #hasProgressed = false
  #failure: string | undefined
  #position: PositionInPartition | undefined

  constructor(context: PartitionContext) {
    this.#context = context
    this.topic = context.topic
    this.partition = context.partition
    this.#name = `${context.topic}/${context.partition}`
    this.ended = this.#run().finally(() => context.outages.works(this.#name))
  }

  isWorking(): boolean {
    return this.#workingSince !== undefined
  }

  /**
   * How far the partition is processed; undefined: not known yet. It outlasts a session: the lag must be seen
   * while the next one cannot begin.
   */
  position(): PositionInPartition | undefined {
    const position = this.#position
    if (position === undefined || this.#call !== undefined) return position
    // The last offsets may hold no record, only the ends of transactions.
    return { ...position, next: this.#source?.waitsAt() ?? position.next }
  }

  problem(): string | undefined {
    const stalled = this.#source?.problem()
    if (stalled !== undefined) return stalled
    const since = this.#workingSince
    if (since !== undefined && performance.now() - since > WELL_AFTER_MS) return undefined
    return (
      this.#failure ??
      (since === undefined ? `${this.topic} partition ${this.partition} is not taken yet` : undefined)
    )
  }

  /** Hands over nothing more after the current call. */
  hold(): void {
    this.#isHeld = true
    this.#source?.close()
  }

  /** With `after-call` the handler's current call may still commit. */
  end(when: 'at-once' | 'after-call'): void {
    this.#over.abort()
    this.#workingSince = undefined
    if (when === 'at-once' || this.#call === undefined) this.#session?.end(OVER)
    else void this.#call.catch(() => {}).then(() => this.#session?.end(OVER))
  }

  async #run(): Promise<void> {
    await this.#awaitPredecessor()
    const { signal } = this.#over
    const backoff = new Backoff({ firstMs: FIRST_DELAY_MS, longestMs: LONGEST_DELAY_MS, signal })
    while (!signal.aborted) {
      this.#hasProgressed = false
      const reason = await this.#runSession()
      if (signal.aborted) return
      if (this.#hasProgressed) backoff.reset()
      this.#failure = `${this.#name}: ${describeError(reason)}`
      const { topic, partition } = this
      this.#context.meter?.sessionLost(this.#context.group, reason)
      this.#context.outages.failed(this.#name, reason, { topic, partition })
      await backoff.wait()
    }
  }

  async #awaitPredecessor(): Promise<void> {
    const { logger, predecessor, topic, partition } = this.#context
    if (!(await settlesWithin(WELL_AFTER_MS, predecessor))) {
      this.#failure = `${this.#name}: the handler's call from the last assignment is still running`
      logger.info(
        `${this.#name}: the handler's call from the last assignment is still running; waiting for it`,
        {
          topic,
          partition,
        },
      )
      await predecessor
    }
    this.#failure = undefined
  }

  /** Runs one session from the fence to the release. Returns the reason why it ended. */
  async #runSession(): Promise<unknown> {
    const { group, handler, topic, partition } = this.#context
    let session: LiveSession | undefined
    let writer: TransactionWriter | undefined
    let isAssigned = false
    let well: NodeJS.Timeout | undefined
    try {
      writer = await this.#context.openWriter(() => session !== undefined && !session.isOver)
      const range = await this.#context.groupOffset()
      this.#position ??= { next: range.committed, newestAt: undefined, beganEven: false }
      session = new LiveSession({ topic, partition }, group, range, writer, this.#context.meter)
      this.#session = session
      if (this.#over.signal.aborted) return OVER
      isAssigned = true
      const offset = this.#withinRange(await handler.assigned(session), range)
      if (this.#over.signal.aborted) return OVER
      if (session.isOver) return await session.ended
      const since = performance.now()
      this.#workingSince = since
      this.#position = { next: offset, newestAt: undefined, beganEven: offset >= range.end }
      well = setTimeout(() => this.#context.outages.works(this.#name), WELL_AFTER_MS).unref()
      await this.#work(session, offset)
      const reason = await session.ended
      if (performance.now() - since > WELL_AFTER_MS) this.#hasProgressed = true
      return reason
    } catch (error) {
      return error
    } finally {
      clearTimeout(well)
      this.#workingSince = undefined
      this.#session = undefined
      session?.end(OVER)
      if (isAssigned) this.#release(session!)
      void writer?.discard()
    }
  }

  /** Hands over batch after batch until the session ends or `hold` is called. Does not throw. */
  async #work(session: LiveSession, offset: number): Promise<void> {
    if (this.#isHeld) return
    const source = this.#context.openSource(offset)
    this.#source = source
    void session.ended.then(() => {
      this.#workingSince = undefined
      source.close()
    })
    try {
      for (;;) {
        const records = await source.take(this.#context.batchSize)
        if (records === undefined || session.isOver || this.#isHeld || this.#over.signal.aborted) return
        await this.#process(session, records)
      }
    } catch (error) {
      session.end(error)
    } finally {
      this.#source = undefined
      source.close()
    }
  }

  async #process(session: LiveSession, records: RecordList): Promise<void> {
    const { length } = records
    const { offset, timestamp } = records.at(-1)!
    try {
      this.#call = this.#callHandler(session, records)
      await this.#call
    } finally {
      this.#call = undefined
    }
    if (session.isOver) return
    const beganEven = this.#position?.beganEven === true
    this.#position = { next: offset + 1, newestAt: timestamp, beganEven }
    this.#context.meter?.processed(this.#context.group, length)
    this.#hasProgressed = true
    this.#failure = undefined
    this.#context.outages.works(this.#name)
  }

  async #callHandler(session: LiveSession, records: RecordList): Promise<void> {
    await this.#context.handler.process(session, records)
  }

  #release(session: LiveSession): void {
    try {
      this.#context.handler.released(session)
    } catch (error) {
      const { topic, partition } = this
      this.#context.logger.error(`${this.#name}: the handler failed to release it: ${describeError(error)}`, {
        topic,
        partition,
      })
    }
  }

  #withinRange(offset: number, { first, end }: OffsetRange): number {
    if (offset > end)
      throw new UpswellError(
        'LOG_UNAVAILABLE',
        `it should be read from offset ${offset}, but ends at ${end}: was the topic deleted and created again?`,
        { canRetry: true, needsPerson: true },
      )
    if (offset >= first) return offset
    const { topic, partition } = this
    if (offset > 0)
      this.#context.logger.error(
        `${this.#name}: it should be read from offset ${offset}, but begins at ${first}; retention has deleted the records between, and they are lost`,
        { topic, partition },
      )
    else
      this.#context.logger.warn(
        `${this.#name}: it begins at offset ${first}; retention has deleted the records before it`,
        { topic, partition },
      )
    return first
  }
}
