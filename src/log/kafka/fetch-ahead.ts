import { BatchReader } from '../../kafka-wire/fetch/batch-reader.ts'
import type { FetchedPartition } from '../../kafka-wire/fetch/fetch-answer.ts'
import { FetchedRecords } from '../../kafka-wire/fetch/fetched-records.ts'
import type { PartitionFetcher } from '../../kafka-wire/fetch/partition-fetcher.ts'
import { isProtocolError } from '../../kafka-wire/hooks/protocol-errors.ts'
import { Backoff } from '../../lib/backoff.ts'
import { deferred } from '../../lib/deferred.ts'
import { describeError } from '../../lib/errors.ts'
import type { Outages } from '../../lib/logger.ts'
import { sleepUnlessAborted } from '../../lib/waiting.ts'
import type { RecordList } from '../log.ts'
import { asLogError } from './errors.ts'

/** An endless stream of a partition's committed records, from an offset on. */
export interface RecordSource {
  /**
   * Waits for records and returns at most `most` of them, or undefined after `close`. Call it again only when
   * it has returned: each call fills the same list.
   * @throws UpswellError LOG_UNAVAILABLE, if a retry cannot help: the next records were deleted, the topic is
   * gone, or the format is unknown
   */
  take(most: number): Promise<RecordList | undefined>
  /** The reason why fetches fail now; undefined while they succeed. */
  problem(): string | undefined
  close(): void
}

export interface FetchAheadOptions {
  readonly fetcher: Pick<PartitionFetcher, 'topic' | 'partition' | 'fetch' | 'recover' | 'close'>
  readonly outages: Outages
  /** The first offset to read. */
  readonly offset: number
  /** The size of one answer. */
  readonly maxBytes: number
  readonly minBytes: number
  readonly maxWaitMs: number
  /** At the end of the log: the time from an answer to the next fetch. */
  readonly pauseMs?: number
}

/**
 * Answers in memory at a time: the current one, the next, and a third while `take` reads across two of them.
 */
export const ANSWERS_HELD = 3

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 2_000

/**
 * Fetches the next answer while the caller works on the last one, if the log already has more. If a leader
 * moves or a broker is away, it tries again (after 100 ms, doubling to 2 s) until it is closed.
 */
// At the end of the log it does not fetch ahead. That fetch would return at once with the few records that
// have come since, and the caller would get needlessly small batches. So the next fetch begins when the
// caller comes back, and `pauseMs` after the last answer at the earliest, and brings all records that have
// come by then. If records trickle in, each waits a few ms, and brokers and scorers handle many at once. A
// record after a quiet time arrives at once.
export function fetchAhead(options: FetchAheadOptions): RecordSource {
  return new AheadFetchingSource(options)
}

interface Ahead {
  /** Undefined: the source was closed. */
  readonly answer: Promise<Answer | undefined>
  hasArrived: boolean
}

interface Answer {
  readonly reader: BatchReader
  /** The log had more records after this answer. */
  readonly hasMore: boolean
}

class AheadFetchingSource implements RecordSource {
  readonly #options: FetchAheadOptions
  readonly #name: string
  readonly #part: string
  readonly #closing = new AbortController()
  readonly #records = new FetchedRecords()
  /** The offset of the next fetch. */
  #position: number
  #current: BatchReader | undefined
  #ahead: Ahead | undefined
  /** Ends the wait for the answer under way. */
  #giveUp: (() => void) | undefined
  #problem: string | undefined
  #answeredAt = Number.NEGATIVE_INFINITY

  constructor(options: FetchAheadOptions) {
    this.#options = options
    this.#position = options.offset
    this.#name = `${options.fetcher.topic}/${options.fetcher.partition}`
    this.#part = `${this.#name} cannot be fetched`
  }

  problem(): string | undefined {
    return this.#problem
  }

  close(): void {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#options.outages.works(this.#part)
    // The broker may take long to answer.
    this.#giveUp?.()
    this.#options.fetcher.close()
  }

  async take(most: number): Promise<RecordList | undefined> {
    const records = this.#records
    records.clear()
    try {
      while (!this.#closing.signal.aborted) {
        await this.#current?.read(records, most)
        if (records.length === most) break
        this.#current = undefined
        if (records.length > 0 && this.#ahead?.hasArrived !== true) break
        this.#current = await this.#takeNext()
      }
    } catch (error) {
      throw asLogError(error, `read ${this.#name}`)
    }
    return this.#closing.signal.aborted ? undefined : records
  }

  async #takeNext(): Promise<BatchReader | undefined> {
    if (this.#ahead === undefined) {
      await this.#pause()
      if (this.#closing.signal.aborted) return undefined
      this.#ahead = this.#fetchAhead()
    }
    const answer = await this.#ahead.answer
    this.#answeredAt = performance.now()
    this.#ahead = answer?.hasMore === true ? this.#fetchAhead() : undefined
    return answer?.reader
  }

  async #pause(): Promise<void> {
    const waitMs = this.#answeredAt + (this.#options.pauseMs ?? 0) - performance.now()
    if (waitMs > 0) await sleepUnlessAborted(waitMs, this.#closing.signal)
  }

  #fetchAhead(): Ahead {
    const { promise: answer, reject, resolve } = deferred<Answer | undefined>()
    this.#giveUp = () => resolve(undefined)
    this.#fetchUntilThere().then(resolve, reject)
    const ahead: Ahead = { answer, hasArrived: false }
    // A failure is thrown where `answer` is awaited.
    const arrive = (): void => {
      ahead.hasArrived = true
    }
    answer.then(arrive, arrive)
    return ahead
  }

  async #fetchUntilThere(): Promise<Answer | undefined> {
    const { signal } = this.#closing
    const backoff = new Backoff({ firstMs: FIRST_DELAY_MS, longestMs: LONGEST_DELAY_MS, signal })
    while (!signal.aborted) {
      const fetched = await this.#fetchOnce()
      if (fetched === 'failed') {
        await backoff.wait()
        if (!signal.aborted) await this.#options.fetcher.recover()
        continue
      }
      this.#problem = undefined
      this.#options.outages.works(this.#part)
      backoff.reset()
      if (fetched === undefined) continue
      const reader = new BatchReader(fetched, this.#position)
      if (reader.nextOffset === undefined) continue
      this.#position = reader.nextOffset
      return { reader, hasMore: this.#position < fetched.lastStableOffset }
    }
    return undefined
  }

  async #fetchOnce(): Promise<FetchedPartition | 'failed' | undefined> {
    const { fetcher, outages, maxBytes, maxWaitMs, minBytes } = this.#options
    try {
      return await fetcher.fetch({ offset: this.#position, maxBytes, minBytes, maxWaitMs })
    } catch (error) {
      if (this.#closing.signal.aborted) return undefined
      if (isProtocolError(error, 'OFFSET_OUT_OF_RANGE')) throw error
      this.#problem = `${this.#part}: ${describeError(error)}`
      const { topic, partition } = fetcher
      outages.failed(this.#part, asLogError(error, `read ${this.#name}`), { topic, partition })
      return 'failed'
    }
  }
}
