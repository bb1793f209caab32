import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka, Transaction } from 'kafkajs'
import { UpswellError } from '../../lib/errors.ts'
import type { OutgoingRecord, Position } from '../log.ts'
import { asLogError, isProtocolError, topicsMissing } from './errors.ts'
import { recordPartitioner, sendRecords } from './send.ts'
import { settlesWithin } from './time.ts'

/**
 * The writer of transactions under one transactional id. Of all that were opened with that id, in any process, only the last can commit.
 *
 * It is good for as long as nothing fails: a kafkajs producer whose commit failed can neither commit nor abort any more, so after an error from `write`
 * discard it and open another, which aborts what this one left undone.
 */
export interface TransactionWriter {
  /**
   * Writes the records, and moves the group's offset if there is one, all or nothing.
   * @throws UpswellError LOG_FENCED, LOG_UNAVAILABLE, TOPIC_MISSING
   */
  write(records: readonly OutgoingRecord[], groupOffset?: GroupOffset): Promise<Position[]>
  /** Lets the connections go; whatever is unfinished is aborted by the next writer of the id, or by the broker. */
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
  /** Asked before a transaction begins and before it is committed; with false it is aborted, and the write throws LOG_FENCED. */
  readonly mayCommit: () => boolean
}

/** A transaction that is stuck for longer holds every reader of its partitions back; the broker aborts it. */
const TRANSACTION_TIMEOUT_MS = 10_000

/**
 * After a commit the broker is still writing its markers while the next transaction begins, and answers CONCURRENT_TRANSACTIONS: the first try again
 * must be soon. Small transactions a second, on a busy machine: 4–6 with kafkajs' 300 ms, 60 with 10 ms, 90 with 5 ms, 118 with 2 ms.
 */
const RETRY = { initialRetryTime: 2, maxRetryTime: 500, retries: 12 }

/** Opens a writer: when this returns, every earlier one of the id is fenced, and its unfinished transaction is aborted. */
export async function openTransactionWriter(
  kafka: Kafka,
  { transactionalId, mayCommit }: TransactionOptions,
): Promise<TransactionWriter> {
  const producer = kafka.producer({
    transactionalId,
    transactionTimeout: TRANSACTION_TIMEOUT_MS,
    idempotent: true,
    allowAutoTopicCreation: false,
    createPartitioner: recordPartitioner(),
    retry: RETRY,
  })
  const discard = () => producer.disconnect().catch(() => {})
  try {
    await producer.connect()
    // kafkajs takes the id over when it begins the first transaction, not when it connects; this one stays empty.
    const fencing = await producer.transaction()
    await fencing.abort()
  } catch (error) {
    void discard()
    throw asLogError(error, `take over the transactional id ${transactionalId}`)
  }

  /**
   * Records and offset go side by side: each is two requests, one that tells the coordinator and one that writes. A broker answers a connection's requests in
   * turn, so that the coordinator hears of both in turn too. Neither is left behind when the other fails.
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
      // Left open, it holds every reader of its partitions back until the broker gives it up.
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

/** What a failed write of these records is to its caller. */
export function writeError(thrown: unknown, records: readonly OutgoingRecord[], doing: string): UpswellError {
  if (isProtocolError(thrown, 'UNKNOWN_TOPIC_OR_PARTITION'))
    return topicsMissing([...new Set(records.map(({ topic }) => topic))])
  return asLogError(thrown, doing)
}

const ABORT_TIMEOUT_MS = 1_000
const OFFSET_ATTEMPTS = 12

/**
 * kafkajs adds the group to the transaction without trying again. Where records were sent before, the transaction is known to have begun; as the first call
 * it met CONCURRENT_TRANSACTIONS 14 times of 30. Nothing has happened then, so the same call may be made again.
 */
async function sendGroupOffset(transaction: Transaction, offset: GroupOffset): Promise<void> {
  const { group, topic, partition, nextOffset, metadata } = offset
  // kafkajs hands the partitions through as they are; its types leave the metadata out.
  const committed = { partition, offset: String(nextOffset), ...(metadata === undefined ? {} : { metadata }) }
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction.sendOffsets({
        consumerGroupId: group,
        topics: [{ topic, partitions: [committed] }],
      })
    } catch (error) {
      if (attempt === OFFSET_ATTEMPTS || !isProtocolError(error, 'CONCURRENT_TRANSACTIONS')) throw error
      await sleep(Math.min(2 ** attempt, RETRY.maxRetryTime))
    }
  }
}

function notTheOwner(transactionalId: string): UpswellError {
  return new UpswellError(
    'LOG_FENCED',
    `${transactionalId} may not commit: the session is over, or the group has joined anew`,
  )
}
