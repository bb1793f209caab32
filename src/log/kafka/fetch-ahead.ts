import { BatchReader } from '../../kafka-wire/fetch/batch-reader.ts'
import type { FetchedPartition } from '../../kafka-wire/fetch/fetch-answer.ts'
import { FetchedRecords } from '../../kafka-wire/fetch/fetched-records.ts'
import type { PartitionFetcher } from '../../kafka-wire/fetch/partition-fetcher.ts'
import { isProtocolError } from '../../kafka-wire/hooks/protocol-errors.ts'
import { Backoff } from '../../lib/backoff.ts'
import type { ByteQuota, Lease } from '../../lib/byte-quota.ts'
import { deferred } from '../../lib/deferred.ts'
import { describeError } from '../../lib/errors.ts'
import type { Outages } from '../../lib/logger.ts'
import { sleepUnlessAborted } from '../../lib/waiting.ts'
import type { RecordList } from '../log.ts'
import type { LogMeter } from '../log-meter.ts'
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
  /**
   * The offset of the next record, while `take` waits for it; undefined: records before it may not be taken
   * yet.
   */
  waitsAt(): number | undefined
  close(): void
}

export interface FetchAheadOptions {
  readonly fetcher: Pick<PartitionFetcher, 'topic' | 'partition' | 'fetch' | 'recover' | 'close'>
  readonly outages: Outages
  /** The first offset to read. */
  readonly offset: number
  /** For the answers of all partitions. */
  readonly quota: ByteQuota
  /** The size of one answer. */
  readonly maxBytes: number
  readonly minBytes: number
  readonly maxWaitMs: number
  /** At the end of the log: the time from an answer to the next fetch. */
  readonly pauseMs?: number
  readonly meter?: LogMeter | undefined
}

/**
 * Answers in memory at a time: the current one, the next, and a third while `take` reads across two of them.
 */
export const ANSWERS_HELD = 3
/** The answers that the records of one `take` are from. */
const ANSWERS_PER_TAKE = 2

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
  readonly lease: Lease
  /** The log had more records after this answer. */
  readonly hasMore: boolean
}

class AheadFetchingSource implements RecordSource {
  readonly #options: FetchAheadOptions
  readonly #name: string
  readonly #part: string
  readonly #closing = new AbortController()
  readonly #records: FetchedRecords
  /** The offset of the next fetch. */
  #position: number
  #current: Answer | undefined
  /** Answers that are read to their end, but whose records the caller may still use. */
  #used: Lease[] = []
  /** What the fetch under way may bring. */
  #underWay: Lease | undefined
  #ahead: Ahead | undefined
  /** Ends the wait for the answer under way. */
  #giveUp: (() => void) | undefined
  #problem: string | undefined
  #answeredAt = Number.NEGATIVE_INFINITY

  constructor(options: FetchAheadOptions) {
    this.#options = options
    // Unpacked, an answer may be many times as large.
    this.#records = new FetchedRecords(options.maxBytes)
    this.#position = options.offset
    this.#name = `${options.fetcher.topic}/${options.fetcher.partition}`
    this.#part = `${this.#name} cannot be fetched`
  }

  problem(): string | undefined {
    return this.#problem
  }

  waitsAt(): number | undefined {
    const hasRecords = this.#current !== undefined || this.#ahead?.hasArrived === true
    return hasRecords || this.#records.length > 0 ? undefined : this.#position
  }

  close(): void {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#options.outages.works(this.#part)
    // The broker may take long to answer.
    this.#giveUp?.()
    this.#options.fetcher.close()
    this.#releaseUsed()
    this.#current?.lease.release()
    this.#current = undefined
    this.#underWay?.release()
  }

  async take(most: number): Promise<RecordList | undefined> {
    const records = this.#records
    records.clear()
    this.#releaseUsed()
    try {
      while (!this.#closing.signal.aborted) {
        await this.#current?.reader.read(records, most)
        this.#current?.lease.resize(this.#current.reader.heldBytes)
        if (records.isFull(most)) break
        this.#endCurrent()
        // The next answer may need the room of those that brought nothing.
        if (records.length === 0) this.#releaseUsed()
        else if (this.#ahead?.hasArrived !== true || this.#used.length === ANSWERS_PER_TAKE) break
        this.#current = await this.#takeNext()
      }
    } catch (error) {
      throw asLogError(error, `read ${this.#name}`)
    }
    return this.#closing.signal.aborted ? undefined : records
  }

  #endCurrent(): void {
    if (this.#current !== undefined) this.#used.push(this.#current.lease)
    this.#current = undefined
  }

  #releaseUsed(): void {
    for (const lease of this.#used) lease.release()
    this.#used = []
  }

  async #takeNext(): Promise<Answer | undefined> {
    if (this.#ahead === undefined) {
      await this.#pause()
      if (this.#closing.signal.aborted) return undefined
      this.#ahead = this.#fetchAhead()
    }
    const answer = await this.#ahead.answer
    this.#answeredAt = performance.now()
    this.#ahead = answer?.hasMore === true ? this.#fetchAhead() : undefined
    return answer
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
      const lease = await this.#options.quota.lease(this.#options.maxBytes)
      const answer = await this.#fetchLeased(lease).catch((error: unknown) => {
        lease.release()
        throw error
      })
      if (typeof answer === 'object') return answer
      lease.release()
      if (answer === 'failed') {
        await backoff.wait()
        if (!signal.aborted) await this.#options.fetcher.recover()
        continue
      }
      this.#problem = undefined
      this.#options.outages.works(this.#part)
      backoff.reset()
    }
    return undefined
  }

  async #fetchLeased(lease: Lease): Promise<Answer | 'failed' | undefined> {
    if (this.#closing.signal.aborted) return undefined
    this.#underWay = lease
    const fetched = await this.#fetchOnce()
    if (fetched === 'failed' || fetched === undefined) return fetched
    if (this.#closing.signal.aborted) return undefined
    const reader = new BatchReader(fetched, this.#position)
    if (reader.nextOffset === undefined) return undefined
    this.#problem = undefined
    lease.resize(fetched.bytes.length)
    this.#position = reader.nextOffset
    return { reader, lease, hasMore: this.#position < fetched.lastStableOffset }
  }

  async #fetchOnce(): Promise<FetchedPartition | 'failed' | undefined> {
    const { fetcher, outages, maxBytes, maxWaitMs, meter, minBytes } = this.#options
    try {
      const fetched = await fetcher.fetch({ offset: this.#position, maxBytes, minBytes, maxWaitMs })
      if (fetched !== undefined) meter?.fetched(fetcher.topic, fetched.bytes.length)
      return fetched
    } catch (error) {
      if (this.#closing.signal.aborted) return undefined
      meter?.fetchFailed(fetcher.topic)
      if (isProtocolError(error, 'OFFSET_OUT_OF_RANGE')) throw error
      this.#problem = `${this.#part}: ${describeError(error)}`
      const { topic, partition } = fetcher
      outages.failed(this.#part, asLogError(error, `read ${this.#name}`), { topic, partition })
      return 'failed'
    }
  }
}
