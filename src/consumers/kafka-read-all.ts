import { randomUUID } from 'node:crypto'
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import type { KafkaAdmin, OffsetRange } from './kafka-admin.ts'
import { asLogError } from './kafka-errors.ts'
import { toLogRecord } from './kafka-records.ts'
import type { LogRecord } from './log.ts'

export interface ReadAllContext {
  readonly createKafka: () => Kafka
  readonly admin: KafkaAdmin
  readonly groupPrefix: string
}

interface Stretch extends OffsetRange {
  readonly partition: number
}

/**
 * All committed records of a topic from its beginning to the end that it has now, partition by partition.
 *
 * kafkajs reads only as a member of a group, so this joins one of its own and deletes it afterwards. All partitions but one are paused. A partition is done when kafkajs
 * is past the end that it had at first; batches that hold nothing to be read (transaction markers, aborted records) count. Where a transaction is
 * not finished, it is awaited for a while.
 * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE
 */
export async function* readAllRecords(context: ReadAllContext, topic: string): AsyncGenerator<LogRecord> {
  const stretches = await stretchesOf(context.admin, topic)
  if (stretches.length === 0) return
  let crashes = 0
  const group = `${context.groupPrefix}read-all-${randomUUID()}`
  const consumer = context.createKafka().consumer({
    groupId: group,
    maxWaitTimeInMs: 50,
    allowAutoTopicCreation: false,
    retry: { restartOnFailure: async () => ++crashes <= MOST_CRASHES },
  })
  const reader = new StretchReader(consumer, topic, stretches)
  try {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ autoCommit: false, eachBatch: async payload => reader.handOver(payload) })
    for (let records = await reader.take(); records !== undefined; records = await reader.take())
      yield* records
  } catch (error) {
    throw asLogError(error, `read ${topic}`)
  } finally {
    await consumer.disconnect().catch(() => {})
    // It holds no offsets, so the broker would forget it as well, only later.
    await context.admin.deleteGroup(group).catch(() => {})
  }
}

async function stretchesOf(admin: KafkaAdmin, topic: string): Promise<Stretch[]> {
  return [...(await admin.offsets(topic))]
    .map(([partition, range]) => ({ partition, ...range }))
    .filter(({ first, end }) => first < end)
    .sort((a, b) => a.partition - b.partition)
}

/** kafkajs gives up over things that pass, such as a coordinator that is loading; it is started again this often. */
const MOST_CRASHES = 5
/** Somewhat longer than our own transactions may last. */
const TRANSACTION_PATIENCE_MS = 12_000
/** Between two fetches there are no more than some 50 ms, unless the broker was away. */
const FETCHES_APART_MS = 5_000
/** Batches that are fetched ahead of the caller, each of 1 MiB at most. */
const MOST_AHEAD = 4

/** Reads one stretch after the other. A caller who is slow pauses the fetching, never kafkajs: it must send heartbeats. */
class StretchReader {
  readonly #consumer: Consumer
  readonly #topic: string
  readonly #stretches: readonly Stretch[]
  readonly #ahead: (readonly LogRecord[])[] = []
  #index = 0
  #position: number
  #isPaused = false
  #idleSince = Number.POSITIVE_INFINITY
  #fetchedAt = 0
  #failure: { readonly error: unknown } | undefined
  #wake: () => void = () => {}

  constructor(consumer: Consumer, topic: string, stretches: readonly Stretch[]) {
    this.#consumer = consumer
    this.#topic = topic
    this.#stretches = stretches
    this.#position = stretches[0]!.first
    const { CRASH, END_BATCH_PROCESS, FETCH, GROUP_JOIN } = consumer.events
    consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#pause(payload.memberAssignment[topic] ?? [])
      this.#fetchCurrent()
    })
    consumer.on(END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
      if (partition === this.#current?.partition) this.#advanceTo(Number(lastOffset) + 1)
    })
    consumer.on(FETCH, () => this.#awaitTransactions())
    consumer.on(CRASH, ({ payload }) => {
      if (payload.restart) return
      this.#failure = payload
      this.#wake()
    })
  }

  get #current(): Stretch | undefined {
    return this.#stretches[this.#index]
  }

  /** The next records; undefined after the last. @throws what made kafkajs give up */
  async take(): Promise<readonly LogRecord[] | undefined> {
    while (true) {
      const records = this.#ahead.shift()
      if (this.#isPaused && this.#ahead.length < MOST_AHEAD) this.#fetchCurrent()
      if (records !== undefined) return records
      if (this.#current === undefined) return undefined
      if (this.#failure !== undefined) throw this.#failure.error
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  handOver({ batch }: EachBatchPayload): void {
    const stretch = this.#current
    if (batch.partition !== stretch?.partition) return
    const records = batch.messages
      .map(message => toLogRecord(this.#topic, stretch.partition, message))
      .filter(({ offset }) => offset >= this.#position && offset < stretch.end)
    if (records.length === 0) return
    this.#position = records.at(-1)!.offset + 1
    this.#ahead.push(records)
    this.#wake()
    if (this.#ahead.length < MOST_AHEAD) return
    this.#pause([stretch.partition])
    this.#isPaused = true
  }

  /** kafkajs is done with everything below. */
  #advanceTo(position: number): void {
    this.#idleSince = Number.POSITIVE_INFINITY
    this.#position = Math.max(this.#position, position)
    if (this.#position >= this.#current!.end) this.#nextStretch()
  }

  #nextStretch(): void {
    this.#pause([this.#current!.partition])
    this.#index++
    this.#position = this.#current?.first ?? 0
    if (this.#current === undefined) this.#wake()
    else this.#fetchCurrent()
  }

  /** Called after every fetch. One after the other that brings nothing means that the rest belongs to an open transaction, and is not committed. */
  #awaitTransactions(): void {
    const now = performance.now()
    if (this.#isPaused || now - this.#fetchedAt > FETCHES_APART_MS) this.#idleSince = Number.POSITIVE_INFINITY
    this.#fetchedAt = now
    this.#idleSince = Math.min(this.#idleSince, now)
    if (now - this.#idleSince < TRANSACTION_PATIENCE_MS || this.#current === undefined) return
    this.#idleSince = Number.POSITIVE_INFINITY
    this.#nextStretch()
  }

  #pause(partitions: readonly number[]): void {
    this.#consumer.pause([{ topic: this.#topic, partitions: [...partitions] }])
  }

  #fetchCurrent(): void {
    const partition = this.#current?.partition
    if (partition === undefined) return
    this.#isPaused = false
    this.#consumer.seek({ topic: this.#topic, partition, offset: String(this.#position) })
    this.#consumer.resume([{ topic: this.#topic, partitions: [partition] }])
  }
}
