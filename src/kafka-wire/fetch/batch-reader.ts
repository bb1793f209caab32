import { decompress } from './compression.ts'
import type { FetchedRecords } from './fetched-records.ts'
import { endOfBatch, type RecordBatchHead, readBatchHead } from './record-batch.ts'
import { RecordCursor } from './record-cursor.ts'
import { readVarint, varintSize } from './varint.ts'

export interface FetchedBatches {
  readonly topic: string
  readonly partition: number
  /** Record batches. The first may begin before the requested offset; the last may be cut off. */
  readonly bytes: Buffer
  /** In any order. */
  readonly aborted: readonly AbortedTransaction[]
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/**
 * Reads the committed records of an answer in offset order, as many at a time as the caller wants. Only the
 * batch under way is decompressed.
 */
// It leaves aborted records out by the Java consumer's rule. A transactional batch is aborted if its producer
// has an aborted transaction that began at or before the batch's last offset, and whose abort marker has not
// come yet. Brokers list aborted transactions in the order in which they ended, so they are sorted first.
export class BatchReader {
  /** The whole batches end here: the next fetch begins at this offset. Undefined: no batch is whole. */
  readonly nextOffset: number | undefined
  readonly #batches: FetchedBatches
  readonly #from: number
  readonly #to: number
  /** Latest first. */
  readonly #upcoming: AbortedTransaction[]
  readonly #aborting = new Set<number>()
  #at = 0
  #cursor: RecordCursor | undefined
  /** The unpacked bytes of the batch under way; 0: it is not compressed. */
  #unpacked = 0
  #unpackedInRead = 0

  /**
   * Reads the offsets from `from` up to `to`, excluded.
   * @throws Error when a batch has an unknown format
   */
  constructor(batches: FetchedBatches, from: number, to = Number.POSITIVE_INFINITY) {
    this.#batches = batches
    this.#from = from
    this.#to = to
    this.#upcoming = batches.aborted.toSorted((a, b) => b.firstOffset - a.firstOffset)
    this.nextOffset = offsetAfter(batches.bytes)
  }

  /** The answer's bytes, and what the records of the last `read` and the batch under way take unpacked. */
  get heldBytes(): number {
    return this.#batches.bytes.length + this.#unpackedInRead
  }

  /**
   * Adds records until `into` is full at `most`. If it is not afterwards, all are read.
   * @throws Error when a batch is malformed or has an unknown compression
   */
  async read(into: FetchedRecords, most: number): Promise<void> {
    this.#unpackedInRead = this.#cursor === undefined ? 0 : this.#unpacked
    while (!into.isFull(most)) {
      this.#cursor ??= await this.#openNext()
      if (this.#cursor === undefined) return
      this.#cursor.read(into, most, this.#from, this.#to)
      if (this.#cursor.isAtEnd) this.#cursor = undefined
    }
  }

  async #openNext(): Promise<RecordCursor | undefined> {
    const head = this.#nextReadable()
    if (head === undefined) return undefined
    const { topic, partition, bytes } = this.#batches
    const { baseOffset, count, from, isAppendTime } = head
    const isCompressed = head.compression !== 0
    const records = isCompressed ? await this.#unpack(head) : bytes
    this.#unpacked = isCompressed ? records.length : 0
    this.#unpackedInRead += this.#unpacked
    const baseTimestamp = isAppendTime ? head.maxTimestamp : head.baseTimestamp
    const context = { topic, partition, bytes: records, baseTimestamp }
    return new RecordCursor(context, { baseOffset, isAppendTime, at: isCompressed ? 0 : from, count })
  }

  async #unpack({ baseOffset, compression, from, lastOffset, to }: RecordBatchHead): Promise<Buffer> {
    const { topic, partition, bytes } = this.#batches
    try {
      return await decompress(compression, bytes.subarray(from, to))
    } catch (error) {
      throw new Error(
        `the record batch at offsets ${baseOffset} to ${lastOffset} of ${topic}/${partition} cannot be unpacked: ${(error as Error).message}. Let its writer send smaller batches (batch.size), and go on as docs/runbook.md says ("A record batch cannot be unpacked")`,
        { cause: error },
      )
    }
  }

  #nextReadable(): RecordBatchHead | undefined {
    const { bytes } = this.#batches
    for (;;) {
      const end = endOfBatch(bytes, this.#at)
      if (end === undefined) return undefined
      const head = readBatchHead(bytes, this.#at, end)
      this.#at = end
      if (this.#isReadable(head)) return head
    }
  }

  #isReadable(head: RecordBatchHead): boolean {
    const { isControl, isTransactional, lastOffset, producerId } = head
    while (this.#upcoming.length > 0 && this.#upcoming.at(-1)!.firstOffset <= lastOffset)
      this.#aborting.add(this.#upcoming.pop()!.producerId)
    if (isControl) {
      if (isAbortMarker(this.#batches.bytes, head)) this.#aborting.delete(producerId)
      return false
    }
    if (isTransactional && this.#aborting.has(producerId)) return false
    return head.count > 0 && lastOffset >= this.#from && head.baseOffset < this.#to
  }
}

/** The offset after the last whole batch. Compaction may have removed the last records of that batch. */
function offsetAfter(bytes: Buffer): number | undefined {
  let nextOffset: number | undefined
  let at = 0
  for (;;) {
    const end = endOfBatch(bytes, at)
    if (end === undefined) return nextOffset
    nextOffset = readBatchHead(bytes, at, end).lastOffset + 1
    at = end
  }
}

const ABORT = 0

/** A marker's key is its version (int16) and its type (int16). After compaction the batch may be empty. */
function isAbortMarker(bytes: Buffer, { count, from, to }: RecordBatchHead): boolean {
  if (count < 1) return false
  let at = from + varintSize(bytes, from)
  // After the attributes come the deltas of time and offset, then the key's length.
  at += 1
  at += varintSize(bytes, at)
  at += varintSize(bytes, at)
  const keyLength = readVarint(bytes, at)
  at += varintSize(bytes, at)
  return keyLength >= 4 && at + 4 <= to && bytes.readInt16BE(at + 2) === ABORT
}
