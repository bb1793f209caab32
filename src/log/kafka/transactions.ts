import type { Kafka, Transaction } from 'kafkajs'
import { isProtocolError } from '../../kafka-wire/hooks/protocol-errors.ts'
import { sendRecords } from '../../kafka-wire/produce/send-records.ts'
import { recordPartitioner } from '../../kafka-wire/produce/topic-records.ts'
import { Backoff } from '../../lib/backoff.ts'
import { UpswellError } from '../../lib/errors.ts'
import { settlesWithin } from '../../lib/waiting.ts'
import type { OutgoingRecord, Position } from '../log.ts'
import { partitionOf } from '../partition-of.ts'
import { asLogError, writeError } from './errors.ts'

/**
 * Writes transactions under one transactional id. Only the writer that was opened last, in any process, can
 * commit.
 *
 * After an error from `write`, discard the writer and open another, which aborts the unfinished transaction.
 * A kafkajs producer whose commit failed can neither commit nor abort any more.
 */
export interface TransactionWriter {
  /**
   * Writes the records, and moves the group's offset if one is given, all or nothing.
   * @throws UpswellError LOG_FENCED, LOG_UNAVAILABLE, TOPIC_MISSING
   */
  write(records: readonly OutgoingRecord[], groupOffset?: GroupOffset): Promise<Position[]>
  /** Closes the connections. The next writer of the id, or the broker, aborts an unfinished transaction. */
  discard(): Promise<void>
}

export interface GroupOffset {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly nextOffset: number
  readonly metadata?: string | undefined
}

export interface TransactionOptions {
  readonly transactionalId: string
  /**
   * Called before a transaction begins and before it is committed. If it returns false, the transaction is
   * aborted and the write throws LOG_FENCED.
   */
  readonly mayCommit: () => boolean
}

/**
 * After this time the broker aborts a transaction. Until then a stuck one holds up every reader of its
 * partitions.
 */
export const TRANSACTION_TIMEOUT_MS = 10_000

/**
 * The broker still writes the markers of a commit when the next transaction begins, and answers
 * CONCURRENT_TRANSACTIONS. So the first retry must come soon. Small transactions a second on a busy machine:
 * 4–6 with kafkajs's 300 ms, 60 with 10 ms, 90 with 5 ms, 118 with 2 ms.
 */
const RETRY = { initialRetryTime: 2, maxRetryTime: 500, retries: 12 }

/**
 * Opens a writer. When this resolves, all earlier writers of the id are fenced and their transactions
 * aborted.
 */
export async function openTransactionWriter(
  kafka: Kafka,
  { transactionalId, mayCommit }: TransactionOptions,
): Promise<TransactionWriter> {
  const producer = kafka.producer({
    transactionalId,
    transactionTimeout: TRANSACTION_TIMEOUT_MS,
    idempotent: true,
    allowAutoTopicCreation: false,
    createPartitioner: recordPartitioner(partitionOf),
    retry: RETRY,
  })
  const discard = () => producer.disconnect().catch(() => {})
  try {
    await producer.connect()
    // kafkajs takes over the id when the first transaction begins, not when it connects. This one stays
    // empty.
    const fencing = await producer.transaction()
    await fencing.abort()
  } catch (error) {
    void discard()
    throw asLogError(error, `take over the transactional id ${transactionalId}`)
  }

  /**
   * Sends records and offset side by side. Each takes two requests: one to the coordinator and one that
   * writes. Brokers answer a connection's requests in order, so the coordinator sees both in order too. If
   * one fails, the other is still awaited.
   */
  async function fill(
    transaction: Transaction,
    records: readonly OutgoingRecord[],
    groupOffset: GroupOffset | undefined,
  ): Promise<Position[]> {
    const [sent, moved] = await Promise.allSettled([
      sendRecords(transaction, records),
      groupOffset === undefined ? undefined : sendGroupOffset(transaction, groupOffset),
    ])
    if (sent.status === 'rejected') throw sent.reason
    if (moved.status === 'rejected') throw moved.reason
    return sent.value
  }

  async function write(records: readonly OutgoingRecord[], groupOffset?: GroupOffset): Promise<Position[]> {
    if (!mayCommit()) throw notTheOwner(transactionalId)
    const transaction = await producer.transaction()
    const positions = await fill(transaction, records, groupOffset).catch(async error => {
      // An open transaction holds up every reader of its partitions until the broker aborts it.
      await settlesWithin(
        ABORT_TIMEOUT_MS,
        transaction.abort().catch(() => {}),
      )
      throw error
    })
    if (!mayCommit()) {
      await transaction.abort()
      throw notTheOwner(transactionalId)
    }
    await transaction.commit()
    return positions
  }

  return {
    discard,
    write: (records, groupOffset) =>
      write(records, groupOffset).catch(error => {
        throw writeError(error, records, `commit a transaction of ${transactionalId}`)
      }),
  }
}

const ABORT_TIMEOUT_MS = 1_000
const OFFSET_ATTEMPTS = 12

/**
 * kafkajs adds the group to the transaction without a retry. As the first call of a transaction this met
 * CONCURRENT_TRANSACTIONS 14 times of 30; after records were sent, it does not. The failed call has changed
 * nothing, so it may be repeated.
 */
async function sendGroupOffset(transaction: Transaction, offset: GroupOffset): Promise<void> {
  const { group, topic, partition, nextOffset, metadata } = offset
  // kafkajs passes the partitions through unchanged; its types leave the metadata out.
  const committed = { partition, offset: String(nextOffset), ...(metadata === undefined ? {} : { metadata }) }
  const backoff = new Backoff({ firstMs: RETRY.initialRetryTime, longestMs: RETRY.maxRetryTime })
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction.sendOffsets({
        consumerGroupId: group,
        topics: [{ topic, partitions: [committed] }],
      })
    } catch (error) {
      if (attempt === OFFSET_ATTEMPTS || !isProtocolError(error, 'CONCURRENT_TRANSACTIONS')) throw error
      await backoff.wait()
    }
  }
}

function notTheOwner(transactionalId: string): UpswellError {
  return new UpswellError(
    'LOG_FENCED',
    `${transactionalId} may not commit: the session is over, or the group has rebalanced`,
  )
}
