import { createRequire } from 'node:module'

/**
 * Corrects how kafkajs (2.2.4) leaves out the records of aborted transactions.
 *
 * Its own filter wants the list of aborted transactions ordered by their first offset, but brokers list them as they ended; and it takes only one transaction from
 * the list per record. So where transactions overlap, or a fetch begins within several, aborted records pass as committed. Seen: ten outputs twice after a
 * rebalance in which two partitions' transactions were aborted. This does what the Java consumer does, on every fetch response as it is decoded, and leaves kafkajs' filter nothing to do.
 */
export function hideAbortedRecords(): void {
  for (const version of FETCH_VERSIONS) {
    const response = require(
      `kafkajs/src/protocol/requests/fetch/v${version}/response.js`,
    ) as FetchResponseModule
    const { decode } = response
    if (corrected.has(decode)) continue
    const decodeCorrectly = async (data: Buffer): Promise<FetchResponse> => {
      const decoded = await decode(data)
      for (const { partitions } of decoded.responses) partitions.forEach(markAborted)
      return decoded
    }
    corrected.add(decodeCorrectly)
    response.decode = decodeCorrectly
  }
}

/** From the first that knows of transactions to the last that kafkajs speaks. */
const FETCH_VERSIONS = [4, 5, 6, 7, 8, 9, 10, 11] as const

const require = createRequire(import.meta.url)
const corrected = new WeakSet<object>()

interface FetchResponseModule {
  decode(data: Buffer): Promise<FetchResponse>
}

interface FetchResponse {
  readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[]
}

export interface FetchedPartition {
  abortedTransactions: readonly AbortedTransaction[]
  readonly messages: readonly FetchedMessage[]
}

export interface AbortedTransaction {
  readonly producerId: string
  readonly firstOffset: string
}

export interface FetchedMessage {
  readonly offset: string
  readonly key: Buffer | null
  /** kafkajs hands no such message over, but counts it as read. */
  isControlRecord: boolean
  readonly batchContext: {
    readonly producerId: string
    readonly inTransaction: boolean
    readonly isControlBatch: boolean
  }
}

/** Marks what was aborted as a control record. */
export function markAborted(partition: FetchedPartition): void {
  if (partition.abortedTransactions.length === 0) return
  const upcoming = partition.abortedTransactions.toSorted(
    (a, b) => Number(b.firstOffset) - Number(a.firstOffset),
  )
  const aborting = new Set<string>()
  for (const message of partition.messages) {
    while (upcoming.length > 0 && Number(upcoming.at(-1)!.firstOffset) <= Number(message.offset))
      aborting.add(upcoming.pop()!.producerId)
    const { producerId, inTransaction, isControlBatch } = message.batchContext
    if (isControlBatch) {
      if (isAbortMarker(message)) aborting.delete(producerId)
    } else if (inTransaction && aborting.has(producerId)) {
      message.isControlRecord = true
    }
  }
  partition.abortedTransactions = []
}

const ABORT = 0

/** The key of a control record: its version (int16), then its type (int16). */
function isAbortMarker({ key }: FetchedMessage): boolean {
  return key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT
}
