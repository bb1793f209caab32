import { randomUUID } from 'node:crypto'
import type { Kafka, Producer } from 'kafkajs'
import type { OutgoingRecord, Position } from '../log.ts'
import { recordPartitioner, sendRecords } from './send.ts'
import { openTransactionWriter, type TransactionWriter, writeError } from './transactions.ts'

export interface Appender {
  /** As `Log.append`. */
  append(records: readonly OutgoingRecord[]): Promise<Position[]>
  /** Lets go what it knows of topics, once some were deleted: kafkajs asks for all that it ever wrote to, and fails for every topic where one of them is gone. */
  forgetTopics(): Promise<void>
  close(): Promise<void>
}

/**
 * One record goes through an idempotent producer: a single record is all or nothing by itself, and needs one round trip. Several go
 * through a transaction, under an id of this process alone.
 */
export function kafkaAppender(create: () => Kafka, transactionalIdPrefix: string): Appender {
  const single = singleAppender(create())
  const several = transactionAppender(create(), `${transactionalIdPrefix}-append-${randomUUID()}`)
  return {
    async append(records) {
      if (records.length === 0) return []
      return records.length === 1 ? [await single.append(records[0]!)] : several.append(records)
    },
    async forgetTopics() {
      await Promise.all([single.close(), several.close()])
    },
    async close() {
      await Promise.all([single.close(), several.close()])
    },
  }
}

interface Waiting {
  readonly record: OutgoingRecord
  readonly resolve: (position: Position) => void
  readonly reject: (error: unknown) => void
}

/** The most single records that share a request. */
const SHARED_RECORDS = 500

/**
 * Appends single records; those that come while a request is under way share the next one. kafkajs allows an idempotent producer one request at
 * a time, so without that each caller would wait for all before it.
 */
function singleAppender(kafka: Kafka) {
  let waiting: Waiting[] = []
  let producer: Promise<Producer> | undefined
  let sending: Promise<void> | undefined

  async function connect(): Promise<Producer> {
    const connected = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: recordPartitioner(),
    })
    try {
      await connected.connect()
      return connected
    } catch (error) {
      void connected.disconnect().catch(() => {})
      throw error
    }
  }

  async function drop(): Promise<void> {
    const dropped = producer
    producer = undefined
    await dropped?.then(connected => connected.disconnect()).catch(() => {})
  }

  async function sendWaiting(): Promise<void> {
    while (waiting.length > 0) {
      // One topic at a time: a topic that is missing fails its own records only.
      const { topic } = waiting[0]!.record
      const batch = waiting.filter(({ record }) => record.topic === topic).slice(0, SHARED_RECORDS)
      const taken = new Set(batch)
      waiting = waiting.filter(each => !taken.has(each))
      const records = batch.map(({ record }) => record)
      try {
        producer ??= connect()
        const positions = await sendRecords(await producer, records)
        batch.forEach(({ resolve }, i) => {
          resolve(positions[i]!)
        })
      } catch (error) {
        // After an error its sequence numbers may not be the broker's any more.
        void drop()
        const failure = writeError(error, records, `append to ${topic}`)
        for (const { reject } of batch) reject(failure)
      }
    }
    // In the same step as the look at what waits: whoever appends after it starts anew.
    sending = undefined
  }

  return {
    append: (record: OutgoingRecord) =>
      new Promise<Position>((resolve, reject) => {
        waiting.push({ record, resolve, reject })
        sending ??= sendWaiting()
      }),
    async close() {
      await sending
      await drop()
    },
  }
}

function transactionAppender(kafka: Kafka, transactionalId: string) {
  let writer: Promise<TransactionWriter> | undefined
  let last: Promise<unknown> = Promise.resolve()

  async function drop(): Promise<void> {
    const dropped = writer
    writer = undefined
    await dropped?.then(opened => opened.discard()).catch(() => {})
  }

  async function write(records: readonly OutgoingRecord[]): Promise<Position[]> {
    writer ??= openTransactionWriter(kafka, { transactionalId, mayCommit: () => true })
    try {
      return await (await writer).write(records)
    } catch (error) {
      void drop()
      throw error
    }
  }

  return {
    /** One after the other: a producer has one transaction at a time. */
    append(records: readonly OutgoingRecord[]): Promise<Position[]> {
      const written = last.then(() => write(records))
      last = written.catch(() => {})
      return written
    },
    async close() {
      await last
      await drop()
    },
  }
}
