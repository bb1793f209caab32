import { setTimeout as sleep } from 'node:timers/promises'
import { BatchReader } from '../../kafka-wire/batch-reader.ts'
import type { FetchedPartition } from '../../kafka-wire/fetch-answer.ts'
import type { PartitionFetcher } from '../../kafka-wire/fetch-partition.ts'
import { FetchedRecords } from '../../kafka-wire/fetched-records.ts'
import { describeError } from '../../lib/errors.ts'
import type { Logger } from '../../lib/logger.ts'
import type { RecordList } from '../log.ts'
import { asLogError, isProtocolError } from './errors.ts'

/** The committed records of a partition from an offset on, without an end. */
export interface RecordSource {
  /**
   * The next records, at most so many; waits until there is one. Undefined: it was closed. One call at a time; the list that the one before returned is filled anew.
   * @throws UpswellError LOG_UNAVAILABLE, where going on in this way is no use: what comes next was deleted, the topic is gone, it is written in a format that cannot be read
   */
  take(most: number): Promise<RecordList | undefined>
  /** Undefined while all is well; otherwise what keeps it from fetching now. */
  problem(): string | undefined
  close(): void
}

export interface FetchAheadOptions {
  readonly fetcher: Pick<PartitionFetcher, 'topic' | 'partition' | 'fetch' | 'recover' | 'close'>
  readonly logger: Logger
  /** The first offset to read. */
  readonly offset: number
  /** Of one answer. */
  readonly maxBytes: number
  readonly minBytes: number
  readonly maxWaitMs: number
  /** At the end of the log: how long after an answer the next is asked for. */
  readonly pauseMs?: number
}

/** What can hold bytes at a time: the answer that is read, the next, and one more while a call of `take` reaches from one into the next. */
export const ANSWERS_HELD = 3

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 2_000

/**
 * Fetches the next answer while the last one is worked on, where there is more already; only then. At the end of the log a fetch would come back at once with the few
 * records that have come since, and the caller would get batches that are needlessly small: there the next fetch begins when the caller comes back, and `pauseMs` after the last answer
 * at the earliest, and brings all that has come meanwhile. So where records trickle in, each waits a few ms, and brokers and scorers work for many at once; one that comes after
 * a quiet time is there at once.
 *
 * Where a leader moves or a broker is away, it tries again (after 100 ms, doubling to 2 s) until it is closed.
 */
export function fetchAhead(options: FetchAheadOptions): RecordSource {
  return new AheadFetchingSource(options)
}

interface Ahead {
  /** Undefined: it was closed. */
  readonly answer: Promise<Answer | undefined>
  hasArrived: boolean
}

interface Answer {
  readonly reader: BatchReader
  /** The log went on behind it when it was made. */
  readonly hasMore: boolean
}

class AheadFetchingSource implements RecordSource {
  readonly #options: FetchAheadOptions
  readonly #name: string
  readonly #closing = new AbortController()
  readonly #records = new FetchedRecords()
  /** Where the next fetch begins. */
  #position: number
  #current: BatchReader | undefined
  #ahead: Ahead | undefined
  #letGo: (() => void) | undefined
  #problem: string | undefined
  #answeredAt = Number.NEGATIVE_INFINITY

  constructor(options: FetchAheadOptions) {
    this.#options = options
    this.#position = options.offset
    this.#name = `${options.fetcher.topic}/${options.fetcher.partition}`
  }

  problem(): string | undefined {
    return this.#problem
  }

  close(): void {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    // A broker may take its time to answer.
    this.#letGo?.()
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
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.#closing.signal }).catch(() => {})
  }

  #fetchAhead(): Ahead {
    const answer = new Promise<Answer | undefined>((resolve, reject) => {
      this.#letGo = () => resolve(undefined)
      this.#fetchUntilThere().then(resolve, reject)
    })
    const ahead: Ahead = { answer, hasArrived: false }
    // What fails is thrown where it is waited for.
    const arrive = (): void => {
      ahead.hasArrived = true
    }
    answer.then(arrive, arrive)
    return ahead
  }

  async #fetchUntilThere(): Promise<Answer | undefined> {
    let delayMs = FIRST_DELAY_MS
    while (!this.#closing.signal.aborted) {
      const fetched = await this.#fetchOnce()
      if (fetched === 'failed') {
        await sleep(delayMs, undefined, { signal: this.#closing.signal }).catch(() => {})
        delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)
        if (!this.#closing.signal.aborted) await this.#options.fetcher.recover()
        continue
      }
      this.#problem = undefined
      delayMs = FIRST_DELAY_MS
      if (fetched === undefined) continue
      const reader = new BatchReader(fetched, this.#position)
      if (reader.nextOffset === undefined) continue
      this.#position = reader.nextOffset
      return { reader, hasMore: this.#position < fetched.lastStableOffset }
    }
    return undefined
  }

  async #fetchOnce(): Promise<FetchedPartition | 'failed' | undefined> {
    const { fetcher, logger, maxBytes, maxWaitMs, minBytes } = this.#options
    try {
      return await fetcher.fetch({ offset: this.#position, maxBytes, minBytes, maxWaitMs })
    } catch (error) {
      if (this.#closing.signal.aborted) return undefined
      if (isProtocolError(error, 'OFFSET_OUT_OF_RANGE')) throw error
      this.#problem = `${this.#name} cannot be fetched: ${describeError(error)}`
      logger.warn(`${this.#problem}; trying again`)
      return 'failed'
    }
  }
}
