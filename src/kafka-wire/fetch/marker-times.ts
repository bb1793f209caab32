import { endOfBatch, type RecordBatchHead, readBatchHead } from './record-batch.ts'

/** The marker that ends a transaction. Its leader writes it, with its own clock. */
export interface MarkerTime {
  /** ms, by the leader's clock. */
  readonly time: number
  /** The offset of the last record that the transaction wrote into this partition. */
  readonly lastRecordOffset: number
}

/** The transactions that end in these batches, in the order of their markers. */
export function markerTimes(bytes: Buffer): MarkerTime[] {
  const found: MarkerTime[] = []
  const open = new Map<number, RecordBatchHead>()
  for (let at = 0, end = endOfBatch(bytes, 0); end !== undefined; at = end, end = endOfBatch(bytes, at)) {
    const head = readBatchHead(bytes, at, end)
    if (!head.isControl) {
      if (head.isTransactional) open.set(head.producerId, head)
      continue
    }
    const last = open.get(head.producerId)
    if (last !== undefined) found.push({ time: head.maxTimestamp, lastRecordOffset: last.lastOffset })
    open.delete(head.producerId)
  }
  return found
}
