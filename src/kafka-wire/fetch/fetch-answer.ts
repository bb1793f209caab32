import type { FetchedBatches } from './batch-reader.ts'
import { readInt64 } from './record-batch.ts'

/** A broker's answer to a Fetch request, with the record batches undecoded. */
export interface FetchAnswer {
  /** ms that the client must wait before its next request. */
  readonly throttleMs: number
  /** 0: no error. */
  readonly errorCode: number
  readonly partitions: readonly FetchedPartition[]
}

/** The record batches of one partition. */
export interface FetchedPartition extends FetchedBatches {
  /** 0: no error. */
  readonly errorCode: number
  /** All transactions that began before this offset are finished. −1 with an error. */
  readonly lastStableOffset: number
}

/**
 * `first`: the first version with transactions. `last`: the last version whose answer has the format below.
 */
const FETCH_VERSIONS = { first: 4, last: 11 } as const

/**
 * Decodes an answer of one of `FETCH_VERSIONS`.
 * @throws RangeError when the answer is cut off
 */
// answer:    throttle_time_ms · (7+: error_code · session_id) · [topic · [partition]]
// partition: partition · error_code · high_watermark · last_stable_offset · (5+: log_start_offset)
//            · [producer_id · first_offset] · (11+: preferred_read_replica) · records
export function decodeFetchAnswer(data: Buffer, version: number): FetchAnswer {
  if (version < FETCH_VERSIONS.first || version > FETCH_VERSIONS.last)
    throw new Error(
      `the broker answers Fetch in version ${version}; ${FETCH_VERSIONS.first} to ${FETCH_VERSIONS.last} can be read`,
    )
  const reader = new AnswerReader(data)
  const throttleMs = reader.int32()
  const errorCode = version >= 7 ? reader.int16() : 0
  if (version >= 7) reader.skip(INT32)
  const partitions = reader
    .array(() => {
      const topic = reader.string()
      return reader.array(() => readPartition(reader, version, topic))
    })
    .flat()
  return { throttleMs, errorCode, partitions }
}

function readPartition(reader: AnswerReader, version: number, topic: string): FetchedPartition {
  const partition = reader.int32()
  const errorCode = reader.int16()
  reader.skip(INT64)
  const lastStableOffset = reader.int64()
  if (version >= 5) reader.skip(INT64)
  const aborted = reader.array(() => ({ producerId: reader.int64(), firstOffset: reader.int64() }))
  // The nearest replica: brokers name one only to clients that name their rack.
  if (version >= 11) reader.skip(INT32)
  return { topic, partition, errorCode, lastStableOffset, aborted, bytes: reader.bytes() }
}

const INT16 = 2
const INT32 = 4
const INT64 = 8

class AnswerReader {
  readonly #data: Buffer
  #at = 0

  constructor(data: Buffer) {
    this.#data = data
  }

  skip(bytes: number): number {
    const at = this.#at
    this.#at += bytes
    return at
  }

  int16(): number {
    return this.#data.readInt16BE(this.skip(INT16))
  }

  int32(): number {
    return this.#data.readInt32BE(this.skip(INT32))
  }

  int64(): number {
    return readInt64(this.#data, this.skip(INT64))
  }

  string(): string {
    const length = this.int16()
    return this.#take(length).toString('utf8')
  }

  /** Empty if it is null. */
  bytes(): Buffer {
    return this.#take(this.int32())
  }

  /** Empty if it is null. */
  array<T>(read: () => T): T[] {
    const count = Math.max(0, this.int32())
    const items: T[] = []
    while (items.length < count) items.push(read())
    return items
  }

  #take(length: number): Buffer {
    const from = this.skip(Math.max(0, length))
    if (this.#at > this.#data.length)
      throw new RangeError(`the answer ends at byte ${this.#data.length}, before byte ${this.#at}`)
    return this.#data.subarray(from, this.#at)
  }
}
