import { randomUUID } from 'node:crypto'
import type { Kafka, Producer } from 'kafkajs'
import { sendRecords } from '../../kafka-wire/produce/send-records.ts'
import { recordPartitioner } from '../../kafka-wire/produce/topic-records.ts'
import { type Deferred, deferred } from '../../lib/deferred.ts'
import { Turns } from '../../lib/turns.ts'
import type { OutgoingRecord, Position } from '../log.ts'
import { partitionOf } from '../partition-of.ts'
import { writeError } from './errors.ts'
import { openTransactionWriter, type TransactionWriter } from './transactions.ts'

export interface Appender {
  /** See `Log.append`. */
  append(records: readonly OutgoingRecord[]): Promise<Position[]>
  /**
   * Call this after topics were deleted. kafkajs asks about all topics that a producer ever wrote to, and
   * fails for every topic if one of them is gone. So the producers are dropped, and later appends open new
   * ones.
   */
  forgetTopics(): Promise<void>
  close(): Promise<void>
}

/**
 * Sends a single record through an idempotent producer: it is all or nothing by itself, and takes one round
 * trip. Several records go in a transaction, under an id that only this process uses.
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
  readonly appended: Deferred<Position>
}

/** At most this many single records share a request. */
const MAX_SHARED_RECORDS = 500

/**
 * Appends single records. Records that come while a request is under way share the next one. kafkajs allows
 * an idempotent producer one request at a time, so otherwise each caller would wait for all earlier ones.
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
      createPartitioner: recordPartitioner(partitionOf),
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
      // One topic at a time: a missing topic fails its own records only.
      const { topic } = waiting[0]!.record
      const batch = waiting.filter(({ record }) => record.topic === topic).slice(0, MAX_SHARED_RECORDS)
      const taken = new Set(batch)
      waiting = waiting.filter(each => !taken.has(each))
      const records = batch.map(({ record }) => record)
      try {
        producer ??= connect()
        const positions = await sendRecords(await producer, records)
        batch.forEach(({ appended }, i) => {
          appended.resolve(positions[i]!)
        })
      } catch (error) {
        // After an error the producer's sequence numbers may differ from the broker's.
        void drop()
        const failure = writeError(error, records, `append to ${topic}`)
        for (const { appended } of batch) appended.reject(failure)
      }
    }
    // No await since `waiting` was found empty: the next append starts a new run.
    sending = undefined
  }

  return {
    append(record: OutgoingRecord): Promise<Position> {
      const appended = deferred<Position>()
      waiting.push({ record, appended })
      sending ??= sendWaiting()
      return appended.promise
    },
    async close() {
      await sending
      await drop()
    },
  }
}

function transactionAppender(kafka: Kafka, transactionalId: string) {
  let writer: Promise<TransactionWriter> | undefined
  // A producer has one transaction at a time.
  const turns = new Turns()

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
    append: (records: readonly OutgoingRecord[]) => turns.take(() => write(records)),
    async close() {
      await turns.settle()
      await drop()
    },
  }
}
