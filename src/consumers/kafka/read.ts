import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { UpswellError } from '../../errors.ts'
import { clipStretches, wholeStretches } from '../clip-stretches.ts'
import type { LogRecord, Stretch } from '../log.ts'
import type { KafkaAdmin } from './admin.ts'
import {
  type BatchedMessage,
  createCluster,
  type FetchAnswer,
  type KafkaCluster,
  READ_COMMITTED,
} from './cluster.ts'
import { asLogError, isProtocolError, topicsMissing } from './errors.ts'
import { toLogRecord } from './records.ts'

export interface ReadContext {
  readonly createKafka: () => Kafka
  readonly admin: KafkaAdmin
}

/**
 * The committed records of the stretches, or of the whole topic as it is now, one stretch after the other.
 *
 * It asks the partitions' leaders itself, on a connection of its own: a hundred records are there after 25 ms. A kafkajs consumer would have to join a group first,
 * which a broker holds back for 3 s by default (group.initial.rebalance.delay.ms). Aborted records and compression are kafkajs' as it is corrected here
 * (aborted.ts, compression.ts). What belongs to a transaction that is not finished is awaited for a while, then left out.
 * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE
 */
export async function* readRecords(
  { createKafka, admin }: ReadContext,
  topic: string,
  asked?: readonly Stretch[],
): AsyncGenerator<LogRecord> {
  const ranges = await admin.offsets(topic)
  const stretches = clipStretches(topic, asked ?? wholeStretches(ranges), ranges)
  if (stretches.length === 0) return
  const cluster = createCluster(createKafka(), { allowAutoTopicCreation: false })
  try {
    await cluster.connect()
    await cluster.addTargetTopic(topic)
    for (const stretch of stretches)
      yield* readStretch(new PartitionFetcher(cluster, admin, topic, stretch), stretch)
  } catch (error) {
    if (isProtocolError(error, 'UNKNOWN_TOPIC_OR_PARTITION')) throw topicsMissing([topic])
    throw asLogError(error, `read ${topic}`)
  } finally {
    void cluster.disconnect().catch(() => {})
  }
}

/** The next fetch is on its way while the caller works on the last. */
async function* readStretch(
  fetcher: PartitionFetcher,
  { from, to }: Stretch,
): AsyncGenerator<LogRecord, void, undefined> {
  let next = fetcher.fetch(from)
  for (;;) {
    const { records, nextOffset } = await next
    if (nextOffset < to) {
      next = fetcher.fetch(nextOffset)
      // Whoever stops reading does not hear of it.
      next.catch(() => {})
    }
    yield* records
    if (nextOffset >= to) return
  }
}

interface Fetched {
  readonly records: readonly LogRecord[]
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

/** Fetches from one partition, within one stretch. */
class PartitionFetcher {
  readonly #cluster: KafkaCluster
  readonly #admin: KafkaAdmin
  readonly #topic: string
  readonly #stretch: Stretch

  constructor(cluster: KafkaCluster, admin: KafkaAdmin, topic: string, stretch: Stretch) {
    this.#cluster = cluster
    this.#admin = admin
    this.#topic = topic
    this.#stretch = stretch
  }

  /** What there is at this offset and behind it: waits for a transaction that is not finished, but not for ever. */
  async fetch(position: number): Promise<Fetched> {
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      const answer = await this.#fetchPatiently(position)
      if (answer === 'deleted') return { records: [], nextOffset: await this.#firstLeft(position) }
      if (answer !== undefined && answer.messages.length > 0) return this.#read(position, answer.messages)
      if (performance.now() < deadline) continue
      if (answer !== undefined && Number(answer.lastStableOffset) <= position)
        return { records: [], nextOffset: this.#stretch.to }
      throw new UpswellError(
        'LOG_UNAVAILABLE',
        `Kafka gave nothing of ${this.#name} at offset ${position} for ${PATIENCE_MS / 1_000} s, though it goes on to ${answer?.lastStableOffset ?? this.#stretch.to}`,
        { canRetry: true },
      )
    }
  }

  get #name(): string {
    return `${this.#topic}/${this.#stretch.partition}`
  }

  #read(position: number, messages: readonly BatchedMessage[]): Fetched {
    const { partition, to } = this.#stretch
    const records = messages
      .filter(
        ({ isControlRecord, offset }) =>
          !isControlRecord && Number(offset) >= position && Number(offset) < to,
      )
      .map(message => toLogRecord(this.#topic, partition, message))
    return { records, nextOffset: endOf(messages.at(-1)!) }
  }

  async #fetchPatiently(position: number): Promise<PartitionAnswer | 'deleted' | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#fetchOnce(position)
      } catch (error) {
        if (isProtocolError(error, 'OFFSET_OUT_OF_RANGE')) return 'deleted'
        if (attempt === ATTEMPTS) throw error
        await sleep(FIRST_DELAY_MS * 2 ** (attempt - 1))
        // Fails for good where the topic is gone; a broker that is away may be back at the next attempt.
        await this.#cluster.refreshMetadata().catch((failure: unknown) => {
          if (isProtocolError(failure, 'UNKNOWN_TOPIC_OR_PARTITION')) throw failure
        })
      }
    }
  }

  /** Undefined: the broker answered without the partition, as it does to those whom it slows down. */
  async #fetchOnce(position: number): Promise<PartitionAnswer | undefined> {
    const { partition } = this.#stretch
    const [nodeId] = Object.keys(this.#cluster.findLeaderForPartitions(this.#topic, [partition]))
    if (nodeId === undefined) throw new Error(`nobody leads ${this.#name}`)
    const broker = await this.#cluster.findBroker({ nodeId })
    const { responses } = await broker.fetch({
      isolationLevel: READ_COMMITTED,
      maxWaitTime: FETCH_WAIT_MS,
      minBytes: 1,
      maxBytes: FETCH_BYTES,
      topics: [
        {
          topic: this.#topic,
          partitions: [{ partition, fetchOffset: String(position), maxBytes: FETCH_BYTES }],
        },
      ],
    })
    return responses[0]?.partitions[0]
  }

  /** Retention went past this offset meanwhile. */
  async #firstLeft(position: number): Promise<number> {
    const range = (await this.#admin.offsets(this.#topic)).get(this.#stretch.partition)
    if (range !== undefined && range.first > position) return range.first
    throw new UpswellError(
      'LOG_UNAVAILABLE',
      `${this.#name} has no offset ${position}, but ${range?.first} to ${range?.end}: was the topic deleted and made anew?`,
      { canRetry: true },
    )
  }
}

type PartitionAnswer = FetchAnswer['responses'][number]['partitions'][number]

/** The offset behind the batch that the message is in; compaction may have taken its last messages away. */
function endOf({ offset, batchContext }: BatchedMessage): number {
  const { firstOffset, lastOffsetDelta } = batchContext
  return Math.max(Number(offset), Number(firstOffset) + lastOffsetDelta) + 1
}
