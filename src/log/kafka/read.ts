import type { Kafka } from 'kafkajs'
import { BatchReader } from '../../kafka-wire/fetch/batch-reader.ts'
import type { FetchedPartition } from '../../kafka-wire/fetch/fetch-answer.ts'
import { FetchedRecords } from '../../kafka-wire/fetch/fetched-records.ts'
import { flattenChunks } from '../../kafka-wire/fetch/flatten-chunks.ts'
import { PartitionFetcher } from '../../kafka-wire/fetch/partition-fetcher.ts'
import { createCluster } from '../../kafka-wire/hooks/kafkajs-cluster.ts'
import { isProtocolError } from '../../kafka-wire/hooks/protocol-errors.ts'
import { Backoff } from '../../lib/backoff.ts'
import { UpswellError } from '../../lib/errors.ts'
import { clipStretches, wholeStretches } from '../clip-stretches.ts'
import type { LogRecord, Stretch } from '../log.ts'
import type { KafkaAdmin } from './admin.ts'
import { asLogError, topicsMissing } from './errors.ts'

export interface ReadContext {
  readonly createKafka: () => Kafka
  readonly admin: KafkaAdmin
}

/**
 * The committed records of the stretches, or of the whole topic as it is now, one stretch after the other. It
 * waits for unfinished transactions for a while, then leaves their records out.
 * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE
 */
// It asks the partitions' leaders directly, on its own connections: a hundred records take 25 ms. A kafkajs
// consumer would first join a group, which brokers delay by 3 s by default
// (group.initial.rebalance.delay.ms).
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

/** Fetches ahead: the next fetch is under way while the caller works on the last answer. */
async function* readStretch(
  reader: StretchReader,
  { from, to }: Stretch,
): AsyncGenerator<readonly LogRecord[], void, undefined> {
  let next = reader.fetch(from)
  for (;;) {
    const { batches, nextOffset } = await next
    if (nextOffset < to) {
      next = reader.fetch(nextOffset)
      // A reader that stops early does not need its failure.
      next.catch(() => {})
    }
    for (let records = await decode(batches); records.length > 0; records = await decode(batches))
      yield records
    if (nextOffset >= to) return
  }
}

/** At most this many records are decoded at a time. More would only be more objects that wait. */
const CHUNK_RECORDS = 500

/** Empty: all records are decoded. */
async function decode(batches: BatchReader | undefined): Promise<readonly LogRecord[]> {
  const records = new FetchedRecords(FETCH_BYTES)
  await batches?.read(records, CHUNK_RECORDS)
  return [...records]
}

interface Fetched {
  /** Undefined: there are no records. */
  readonly batches?: BatchReader
  /** All records before this offset are read. */
  readonly nextOffset: number
}

const FETCH_BYTES = 1024 * 1024
const FETCH_WAIT_MS = 250
/** Longer than a transaction of this adapter may last (10 s). */
const PATIENCE_MS = 12_000
/** Enough for a leader that moves or a broker that is away for a moment: 3 s in all. */
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

  /** Reads from `position` on. It waits for an unfinished transaction, but not for ever. */
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
        `Kafka returned no record of ${this.#name} at offset ${position} for ${PATIENCE_MS / 1_000} s, though the partition reaches offset ${answer?.lastStableOffset ?? to}`,
        { canRetry: true },
      )
    }
  }

  get #name(): string {
    return `${this.#fetcher.topic}/${this.#fetcher.partition}`
  }

  /** Undefined: the answer leaves the partition out, as brokers do for clients that they slow down. */
  async #fetchPatiently(offset: number): Promise<FetchedPartition | 'deleted' | undefined> {
    const backoff = new Backoff({ firstMs: FIRST_DELAY_MS })
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
        await backoff.wait()
        await this.#fetcher.recover()
      }
    }
  }

  /** The first offset that is left, after retention has deleted `position`. */
  async #firstLeft(position: number): Promise<number> {
    const { topic, partition } = this.#fetcher
    const range = (await this.#admin.offsets(topic)).get(partition)
    if (range !== undefined && range.first > position) return range.first
    throw new UpswellError(
      'LOG_UNAVAILABLE',
      `${this.#name} has no offset ${position}, but ${range?.first} to ${range?.end}: was the topic deleted and created again?`,
      { canRetry: true },
    )
  }
}
