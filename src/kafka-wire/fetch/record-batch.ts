/** The head of a record batch (magic 2), as brokers keep it on disk and send it. */
export interface RecordBatchHead {
  readonly baseOffset: number
  readonly lastOffset: number
  /** 0: none; otherwise see `decompress`. */
  readonly compression: number
  readonly isAppendTime: boolean
  readonly isTransactional: boolean
  /** The batch holds the marker of a finished transaction. */
  readonly isControl: boolean
  /** ms */
  readonly baseTimestamp: number
  /** ms; with `isAppendTime` the time of every record. */
  readonly maxTimestamp: number
  /** −1: no producer id. */
  readonly producerId: number
  readonly count: number
  /** The bytes of the records; `to` is where the next batch begins. */
  readonly from: number
  readonly to: number
}

const LENGTH_AT = 8
const LENGTH_END = 12
const MAGIC_AT = 16
const MAGIC = 2
const HEAD_BYTES = 61
const COMPRESSION_MASK = 0x07
const APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

/**
 * The end of the batch that begins at `at`. Undefined: it is cut off, as brokers may do with an answer's last
 * batch.
 * @throws Error when the format is unknown
 */
export function endOfBatch(bytes: Buffer, at: number): number | undefined {
  if (at + MAGIC_AT >= bytes.length) return undefined
  const magic = bytes[at + MAGIC_AT]
  if (magic !== MAGIC)
    throw new Error(
      `a record batch has the format (magic) ${magic}; only ${MAGIC} can be read, which Kafka writes since 0.11. Copy the records to a new topic with a newer client`,
    )
  const end = at + LENGTH_END + bytes.readInt32BE(at + LENGTH_AT)
  if (end < at + HEAD_BYTES) throw new Error(`a record batch claims a size of ${end - at} bytes`)
  return end <= bytes.length ? end : undefined
}

/**
 * Reads the head of a whole batch that ends at `to`. Like kafkajs, it leaves checksums to TCP and the broker.
 */
export function readBatchHead(bytes: Buffer, at: number, to: number): RecordBatchHead {
  const attributes = bytes.readInt16BE(at + 21)
  const baseOffset = readInt64(bytes, at)
  return {
    baseOffset,
    lastOffset: baseOffset + bytes.readInt32BE(at + 23),
    compression: attributes & COMPRESSION_MASK,
    isAppendTime: (attributes & APPEND_TIME) !== 0,
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
    baseTimestamp: readInt64(bytes, at + 27),
    maxTimestamp: readInt64(bytes, at + 35),
    producerId: readInt64(bytes, at + 43),
    count: bytes.readInt32BE(at + 57),
    from: at + HEAD_BYTES,
    to,
  }
}

/** Offsets, times and producer ids count up from 0, so a number holds them exactly. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}
