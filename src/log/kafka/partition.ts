import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, UpswellError } from '../../lib/errors.ts'
import type { Logger } from '../../lib/logger.ts'
import type { OffsetRange, PartitionHandler, RecordList } from '../log.ts'
import type { RecordSource } from './fetch-ahead.ts'
import { type CommittedOffset, LiveSession, OVER } from './session.ts'
import { settlesWithin } from './time.ts'
import type { TransactionWriter } from './transactions.ts'

export interface PartitionContext {
  readonly topic: string
  readonly partition: number
  readonly group: string
  readonly handler: PartitionHandler
  readonly batchSize: number
  readonly logger: Logger
  /** Settled once the owner of an earlier generation in this process has let go: a handler gets one call at a time for a partition. */
  readonly predecessor: Promise<void>
  /** Fences every earlier writer of the partition, in any process. */
  openWriter(mayCommit: () => boolean): Promise<TransactionWriter>
  groupOffset(): Promise<OffsetRange & CommittedOffset>
  /** Fetches the partition from this offset on. */
  openSource(offset: number): RecordSource
}

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 5_000
/** A session that has lived this long without a failure is well, even if no record came. */
const WELL_AFTER_MS = 2_000

/**
 * A partition from the moment a generation of the group assigned it to this consumer until that generation is over.
 *
 * It goes through sessions, one at a time, each through these phases:
 *
 * - **opening**: a new writer fences all earlier ones; then the group's offset is read (not before: a transaction of
 *   the earlier owner may have been on its way), and the handler is told and names the offset to read from.
 * - **working**: the partition is fetched from that offset on (fetch-ahead.ts), and what comes goes to the handler, chunk by chunk. A broker that is away or no longer leads
 *   the partition is waited for; a record that was deleted before it was read ends the session as an error does.
 * - **lost**: something failed, the handler threw, or a commit is unclear. Nothing is fetched any more, the session can commit no more, a call of the handler that is
 *   still under way is awaited, and the handler is told. After a while (100 ms, doubling to 5 s) the next session opens.
 *
 * `hold` lets a session be, but hands nothing more over: the group is about to share out its partitions anew.
 * `end` leads from any phase to **over**, the last: at once where the group has joined anew (the commits of a call under way are then refused), or after the call under way.
 */
export class PartitionConsumer {
  /** Resolves when nothing of it runs any more and the handler has let go. */
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

  constructor(context: PartitionContext) {
    this.#context = context
    this.topic = context.topic
    this.partition = context.partition
    this.#name = `${context.topic}/${context.partition}`
    this.ended = this.#run()
  }

  isWorking(): boolean {
    return this.#workingSince !== undefined
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

  /** After the call under way nothing more is handed over. */
  hold(): void {
    this.#isHeld = true
    this.#source?.close()
  }

  /** Ends all. With `afterCall` a call of the handler that is under way may still commit. */
  end(when: 'at-once' | 'after-call'): void {
    this.#over.abort()
    this.#workingSince = undefined
    if (when === 'at-once' || this.#call === undefined) this.#session?.end(OVER)
    else void this.#call.catch(() => {}).then(() => this.#session?.end(OVER))
  }

  async #run(): Promise<void> {
    await this.#awaitPredecessor()
    let delayMs = FIRST_DELAY_MS
    while (!this.#over.signal.aborted) {
      this.#hasProgressed = false
      const reason = await this.#holdSession()
      if (this.#over.signal.aborted) return
      if (this.#hasProgressed) delayMs = FIRST_DELAY_MS
      this.#failure = `${this.#name}: ${describeError(reason)}`
      this.#context.logger.warn(`${this.#failure}; trying again`)
      await sleep(delayMs, undefined, { signal: this.#over.signal }).catch(() => {})
      delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)
    }
  }

  async #awaitPredecessor(): Promise<void> {
    const { logger, predecessor } = this.#context
    if (!(await settlesWithin(WELL_AFTER_MS, predecessor))) {
      this.#failure = `${this.#name}: a call of the handler from the assignment before is still under way`
      logger.warn(`${this.#failure}; waiting for it`)
      await predecessor
    }
    this.#failure = undefined
  }

  /** One session from the fence to the release. Answers why it ended. */
  async #holdSession(): Promise<unknown> {
    const { group, handler, topic, partition } = this.#context
    let session: LiveSession | undefined
    let writer: TransactionWriter | undefined
    let wasTold = false
    try {
      writer = await this.#context.openWriter(() => session !== undefined && !session.isOver)
      const range = await this.#context.groupOffset()
      session = new LiveSession({ topic, partition }, group, range, writer)
      this.#session = session
      if (this.#over.signal.aborted) return OVER
      wasTold = true
      const offset = this.#withinRange(await handler.assigned(session), range)
      if (this.#over.signal.aborted) return OVER
      if (session.isOver) return await session.ended
      const since = performance.now()
      this.#workingSince = since
      await this.#work(session, offset)
      const reason = await session.ended
      if (performance.now() - since > WELL_AFTER_MS) this.#hasProgressed = true
      return reason
    } catch (error) {
      return error
    } finally {
      this.#workingSince = undefined
      this.#session = undefined
      session?.end(OVER)
      if (wasTold) this.#release(session!)
      void writer?.discard()
    }
  }

  /** Hands over chunk after chunk, until the session ends or the owner is held. Does not throw. */
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
    try {
      this.#call = this.#callHandler(session, records)
      await this.#call
    } finally {
      this.#call = undefined
    }
    if (session.isOver) return
    this.#hasProgressed = true
    this.#failure = undefined
  }

  async #callHandler(session: LiveSession, records: RecordList): Promise<void> {
    await this.#context.handler.process(session, records)
  }

  #release(session: LiveSession): void {
    try {
      this.#context.handler.released(session)
    } catch (error) {
      this.#context.logger.error(`${this.#name}: the handler failed to let go: ${describeError(error)}`)
    }
  }

  #withinRange(offset: number, { first, end }: OffsetRange): number {
    if (offset > end)
      throw new UpswellError(
        'LOG_UNAVAILABLE',
        `it should be read from offset ${offset}, but ends at ${end}: was the topic deleted and made anew?`,
        { canRetry: true },
      )
    if (offset >= first) return offset
    if (offset > 0)
      this.#context.logger.error(
        `${this.#name}: it should be read from offset ${offset}, but begins at ${first}; what lay between was deleted by retention and is lost`,
      )
    else
      this.#context.logger.warn(
        `${this.#name}: it begins at offset ${first}; retention has deleted what was before`,
      )
    return first
  }
}
