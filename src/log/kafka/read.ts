import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { BatchReader } from '../../kafka-wire/batch-reader.ts'
import { createCluster } from '../../kafka-wire/cluster.ts'
import type { FetchedPartition } from '../../kafka-wire/fetch-answer.ts'
import { PartitionFetcher } from '../../kafka-wire/fetch-partition.ts'
import { FetchedRecords } from '../../kafka-wire/fetched-records.ts'
import { flattenChunks } from '../../kafka-wire/flatten-chunks.ts'
import { UpswellError } from '../../lib/errors.ts'
import { clipStretches, wholeStretches } from '../clip-stretches.ts'
import type { LogRecord, Stretch } from '../log.ts'
import type { KafkaAdmin } from './admin.ts'
import { asLogError, isProtocolError, topicsMissing } from './errors.ts'

export interface ReadContext {
  readonly createKafka: () => Kafka
  readonly admin: KafkaAdmin
}

/**
 * The committed records of the stretches, or of the whole topic as it is now, one stretch after the other.
 *
 * It asks the partitions' leaders itself, on connections of its own: a hundred records are there after 25 ms. A kafkajs consumer would have to join a group first,
 * which a broker holds back for 3 s by default (group.initial.rebalance.delay.ms). What belongs to a transaction that is not finished is awaited for a while, then left out.
 * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE
 */
export function readRecords(
  context: ReadContext,
  topic: string,
  asked?: readonly Stretch[],
): AsyncIterableIterator<LogRecord, void> {
  return flattenChunks(readChunks(context, topic, asked))
}

async function* readChunks(
  { createKafka, admin }: ReadContext,
  topic: string,
  asked: readonly Stretch[] | undefined,
): AsyncGenerator<readonly LogRecord[], void> {
  const ranges = await admin.offsets(topic)
  const stretches = clipStretches(topic, asked ?? wholeStretches(ranges), ranges)
  if (stretches.length === 0) return
  const cluster = createCluster(createKafka(), { allowAutoTopicCreation: false })
  try {
    await cluster.connect()
    for (const stretch of stretches) {
      const fetcher = new PartitionFetcher(cluster, topic, stretch.partition)
      try {
        yield* readStretch(new StretchReader(fetcher, admin, stretch), stretch)
      } finally {
        fetcher.close()
      }
    }
  } catch (error) {
    if (isProtocolError(error, 'UNKNOWN_TOPIC_OR_PARTITION')) throw topicsMissing([topic])
    throw asLogError(error, `read ${topic}`)
  } finally {
    void cluster.disconnect().catch(() => {})
  }
}

/** The next fetch is on its way while the caller works on the last. */
async function* readStretch(
  reader: StretchReader,
  { from, to }: Stretch,
): AsyncGenerator<readonly LogRecord[], void, undefined> {
  let next = reader.fetch(from)
  for (;;) {
    const { batches, nextOffset } = await next
    if (nextOffset < to) {
      next = reader.fetch(nextOffset)
      // Whoever stops reading does not hear of it.
      next.catch(() => {})
    }
    for (let records = await decode(batches); records.length > 0; records = await decode(batches))
      yield records
    if (nextOffset >= to) return
  }
}

/** So many records are decoded at a time; more are only more objects that wait. */
const DECODED_AT_ONCE = 500

/** Empty: all are decoded. */
async function decode(batches: BatchReader | undefined): Promise<readonly LogRecord[]> {
  const records = new FetchedRecords()
  await batches?.read(records, DECODED_AT_ONCE)
  return [...records]
}

interface Fetched {
  /** Undefined: nothing. */
  readonly batches?: BatchReader
  /** Nothing is left to read before it. */
  readonly nextOffset: number
}

const FETCH_BYTES = 1024 * 1024
const FETCH_WAIT_MS = 250
/** Somewhat longer than our own transactions may last. */
const PATIENCE_MS = 12_000
/** A leader that moves, or a broker that is away for a moment: 3 s in all. */
const ATTEMPTS = 6
const FIRST_DELAY_MS = 100

/** Fetches one stretch of one partition. */
class StretchReader {
  readonly #fetcher: PartitionFetcher
  readonly #admin: KafkaAdmin
  readonly #stretch: Stretch

  constructor(fetcher: PartitionFetcher, admin: KafkaAdmin, stretch: Stretch) {
    this.#fetcher = fetcher
    this.#admin = admin
    this.#stretch = stretch
  }

  /** What there is at this offset and behind it: waits for a transaction that is not finished, but not for ever. */
  async fetch(position: number): Promise<Fetched> {
    const { to } = this.#stretch
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      const answer = await this.#fetchPatiently(position)
      if (answer === 'deleted') return { nextOffset: await this.#firstLeft(position) }
      const batches = answer === undefined ? undefined : new BatchReader(answer, position, to)
      if (batches?.nextOffset !== undefined) return { batches, nextOffset: batches.nextOffset }
      if (performance.now() < deadline) continue
      if (answer !== undefined && answer.lastStableOffset <= position) return { nextOffset: to }
      throw new UpswellError(
        'LOG_UNAVAILABLE',
        `Kafka gave nothing of ${this.#name} at offset ${position} for ${PATIENCE_MS / 1_000} s, though it goes on to ${answer?.lastStableOffset ?? to}`,
        { canRetry: true },
      )
    }
  }

  get #name(): string {
    return `${this.#fetcher.topic}/${this.#fetcher.partition}`
  }

  /** Undefined: the broker answered without the partition, as it does to those whom it slows down. */
  async #fetchPatiently(offset: number): Promise<FetchedPartition | 'deleted' | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#fetcher.fetch({
          offset,
          maxBytes: FETCH_BYTES,
          minBytes: 1,
          maxWaitMs: FETCH_WAIT_MS,
        })
      } catch (error) {
        if (isProtocolError(error, 'OFFSET_OUT_OF_RANGE')) return 'deleted'
        if (attempt === ATTEMPTS) throw error
        await sleep(FIRST_DELAY_MS * 2 ** (attempt - 1))
        await this.#fetcher.recover()
      }
    }
  }

  /** Retention went past this offset meanwhile. */
  async #firstLeft(position: number): Promise<number> {
    const { topic, partition } = this.#fetcher
    const range = (await this.#admin.offsets(topic)).get(partition)
    if (range !== undefined && range.first > position) return range.first
    throw new UpswellError(
      'LOG_UNAVAILABLE',
      `${this.#name} has no offset ${position}, but ${range?.first} to ${range?.end}: was the topic deleted and made anew?`,
      { canRetry: true },
    )
  }
}
