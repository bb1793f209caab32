import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaMessage } from 'kafkajs'
import { describeError, UpswellError } from '../../errors.ts'
import type { LogRecord, OffsetRange, PartitionHandler } from '../log.ts'
import type { Logger } from '../logger.ts'
import { toLogRecord } from './records.ts'
import { LiveSession, OVER } from './session.ts'
import { settlesWithin } from './time.ts'
import type { TransactionWriter } from './transactions.ts'

export interface PartitionContext {
  readonly topic: string
  readonly partition: number
  readonly group: string
  readonly handler: PartitionHandler
  readonly batchSize: number
  readonly log: Logger
  /** Settled once the owner of an earlier generation in this process has let go: a handler gets one call at a time for a partition. */
  readonly predecessor: Promise<void>
  /** Fences every earlier writer of the partition, in any process. */
  openWriter(mayCommit: () => boolean): Promise<TransactionWriter>
  groupOffset(): Promise<OffsetRange & { readonly committed: number }>
  /** Lets the consumer fetch the partition from this offset on. */
  resume(offset: number): void
  /** Stops fetching the partition, at once. */
  pause(): void
}

/** What was fetched of the partition at once. */
export interface FetchedBatch {
  /** What was asked for; the first message may lie behind it, where records were compacted away or cannot be read. */
  readonly fetchedOffset: number
  /** The last offset that the messages and what was left out of them reach. */
  readonly lastOffset: number
  readonly messages: readonly KafkaMessage[]
  /** The next fetch shall begin behind this offset. */
  resolve(offset: string): void
  /** False: the consumer stops. */
  mayGoOn(): boolean
}

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 5_000
/** A session that has lived this long without a failure is well, even if no record came. */
const WELL_AFTER_MS = 2_000
/** How long kafkajs waits for the work on a batch. It fetches nothing and sends no heartbeat meanwhile. */
const TURN_MS = 1_000

/**
 * A partition from the moment a generation of the group assigned it to this consumer until that generation is over.
 *
 * It goes through sessions, one at a time, each through these phases:
 *
 * - **opening**: the partition is paused. A new writer fences all earlier ones; then the group's offset is read (not before: a transaction of
 *   the earlier owner may have been on its way), the handler is told, and the consumer is sent to the offset that the handler named.
 * - **working**: what is fetched goes to the handler, chunk by chunk. `#position` is the offset that comes next; a batch that begins behind it would leave
 *   records out, and ends the session as an error does.
 * - **lost**: something failed, the handler threw, or a commit is unclear. The partition is paused again, the session can commit no more, a call of the handler that is
 *   still under way is awaited, and the handler is told. After a while (100 ms, doubling to 5 s) the next session opens.
 *
 * `end` leads from any phase to **over**, the last: at once where the group has joined anew (the commits of a call under way are then refused), or after the call under way.
 */
export class PartitionOwner {
  /** Resolves when nothing of it runs any more and the handler has let go. */
  readonly ended: Promise<void>
  readonly topic: string
  readonly partition: number

  readonly #context: PartitionContext
  readonly #name: string
  readonly #over = new AbortController()
  #session: LiveSession | undefined
  #position = 0
  #call: Promise<unknown> | undefined
  #isBusy = false
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
    const since = this.#workingSince
    if (since !== undefined && performance.now() - since > WELL_AFTER_MS) return undefined
    return (
      this.#failure ??
      (since === undefined ? `${this.topic} partition ${this.partition} is not taken yet` : undefined)
    )
  }

  /**
   * Hands a batch to the handler, chunk by chunk, until the session ends. Returns when it is through, or after a turn's time: then it goes on by itself, with the partition
   * paused, and kafkajs can send heartbeats and fetch the other partitions. Does not throw.
   */
  async work(batch: FetchedBatch): Promise<void> {
    const session = this.#session
    if (session === undefined || !this.isWorking() || this.#isBusy) return
    if (batch.fetchedOffset > this.#position) {
      this.lose(new Error(`offsets ${this.#position} to ${batch.fetchedOffset - 1} were passed over`))
      return
    }
    this.#isBusy = true
    const done = this.#workThrough(session, batch).finally(() => {
      this.#isBusy = false
    })
    if ((await settlesWithin(TURN_MS, done)) || !this.#isWorkingIn(session)) return
    this.#context.pause()
    void done.then(() => {
      if (this.#isWorkingIn(session)) this.#resume()
    })
  }

  async #workThrough(session: LiveSession, batch: FetchedBatch): Promise<void> {
    const { batchSize } = this.#context
    const messages = batch.messages.filter(({ offset }) => Number(offset) >= this.#position)
    for (let start = 0; start < messages.length; start += batchSize) {
      if (!batch.mayGoOn() || this.#over.signal.aborted || session.isOver) return
      const chunk = messages.slice(start, start + batchSize)
      if (!(await this.#process(session, chunk))) return
      batch.resolve(chunk.at(-1)!.offset)
      this.#position = Number(chunk.at(-1)!.offset) + 1
    }
    // kafkajs goes on behind the transaction markers at the end of the batch once its last message is resolved.
    const last = batch.messages.at(-1)
    if (messages.length === 0 && last !== undefined) batch.resolve(last.offset)
    this.skipTo(batch.lastOffset + 1)
  }

  /** False: the session is over. */
  async #process(session: LiveSession, messages: readonly KafkaMessage[]): Promise<boolean> {
    const records = messages.map(message => toLogRecord(this.topic, this.partition, message))
    try {
      this.#call = this.#callHandler(session, records)
      await this.#call
    } catch (error) {
      this.lose(error)
    } finally {
      this.#call = undefined
    }
    if (session.isOver) return false
    this.#hasProgressed = true
    this.#failure = undefined
    return true
  }

  async #callHandler(session: LiveSession, records: readonly LogRecord[]): Promise<void> {
    await this.#context.handler.process(session, records)
  }

  /** There is nothing to read before `nextOffset`: markers and aborted records only. */
  skipTo(nextOffset: number): void {
    this.#position = Math.max(this.#position, nextOffset)
  }

  /** Ends the session; the next one opens after a while. */
  lose(reason: unknown): void {
    this.#stopWorking()
    this.#session?.end(reason)
  }

  /** Ends all. With `afterCall` a call of the handler that is under way may still commit. */
  end(when: 'at-once' | 'after-call'): void {
    this.#over.abort()
    this.#stopWorking()
    if (when === 'at-once' || this.#call === undefined) this.#session?.end(OVER)
    else void this.#call.catch(() => {}).then(() => this.#session?.end(OVER))
  }

  #isWorkingIn(session: LiveSession): boolean {
    return this.isWorking() && this.#session === session && !session.isOver
  }

  #resume(): void {
    try {
      this.#context.resume(this.#position)
    } catch (error) {
      this.lose(error)
    }
  }

  #stopWorking(): void {
    if (this.#workingSince === undefined) return
    this.#workingSince = undefined
    this.#context.pause()
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
      this.#context.log.warn(`${this.#failure}; trying again`)
      await sleep(delayMs, undefined, { signal: this.#over.signal }).catch(() => {})
      delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)
    }
  }

  async #awaitPredecessor(): Promise<void> {
    const { log, predecessor } = this.#context
    if (!(await settlesWithin(WELL_AFTER_MS, predecessor))) {
      this.#failure = `${this.#name}: a call of the handler from the assignment before is still under way`
      log.warn(`${this.#failure}; waiting for it`)
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
      this.#position = offset
      const since = performance.now()
      this.#workingSince = since
      this.#resume()
      const reason = await session.ended
      this.#stopWorking()
      if (performance.now() - since > WELL_AFTER_MS) this.#hasProgressed = true
      await this.#call?.catch(() => {})
      return reason
    } catch (error) {
      return error
    } finally {
      this.#session = undefined
      session?.end(OVER)
      if (wasTold) this.#release(session!)
      void writer?.discard()
    }
  }

  #release(session: LiveSession): void {
    try {
      this.#context.handler.released(session)
    } catch (error) {
      this.#context.log.error(`${this.#name}: the handler failed to let go: ${describeError(error)}`)
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
      this.#context.log.error(
        `${this.#name}: it should be read from offset ${offset}, but begins at ${first}; what lay between was deleted by retention and is lost`,
      )
    else
      this.#context.log.warn(
        `${this.#name}: it begins at offset ${first}; retention has deleted what was before`,
      )
    return first
  }
}
