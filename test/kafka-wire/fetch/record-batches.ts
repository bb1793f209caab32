import { createRequire } from 'node:module'

/** The contents of a test's record. */
export interface RecordToEncode {
  readonly offsetDelta: number
  readonly timestampDelta: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Names may repeat. */
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[]
}

export interface BatchToEncode {
  readonly baseOffset: number
  readonly records: readonly RecordToEncode[]
  /** The last record's, if left out. */
  readonly lastOffsetDelta?: number
  readonly baseTimestamp?: number
  readonly maxTimestamp?: number
  readonly producerId?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly isAppendTime?: boolean
  readonly compression?: 0 | 1 | 2 | 3 | 4
  /** Compresses the records. */
  readonly compress?: (records: Buffer) => Buffer
}

/** A record batch (magic 2), written byte by byte by the protocol's description. */
export function encodeBatch(batch: BatchToEncode): Buffer {
  const { baseOffset, baseTimestamp = 0, compress, compression = 0, records } = batch
  const { maxTimestamp = baseTimestamp, producerId = -1 } = batch
  const lastOffsetDelta = batch.lastOffsetDelta ?? records.at(-1)?.offsetDelta ?? 0
  const flags =
    (batch.isAppendTime === true ? 8 : 0) |
    (batch.isTransactional === true ? 16 : 0) |
    (batch.isControl === true ? 32 : 0)
  const body = Buffer.concat(records.map(encodeRecord))
  const packed = compress === undefined ? body : compress(body)
  const head = Buffer.alloc(61)
  head.writeBigInt64BE(BigInt(baseOffset), 0)
  head.writeInt32BE(49 + packed.length, 8)
  head.writeInt8(2, 16)
  head.writeInt16BE(compression | flags, 21)
  head.writeInt32BE(lastOffsetDelta, 23)
  head.writeBigInt64BE(BigInt(baseTimestamp), 27)
  head.writeBigInt64BE(BigInt(maxTimestamp), 35)
  head.writeBigInt64BE(BigInt(producerId), 43)
  head.writeInt32BE(records.length, 57)
  return Buffer.concat([head, packed])
}

export type Marker = 'abort' | 'commit'

export function encodeMarker(offset: number, producerId: number, marker: Marker): Buffer {
  const key = Buffer.from([0, 0, 0, marker === 'abort' ? 0 : 1])
  const record = { offsetDelta: 0, timestampDelta: 0, key, value: Buffer.alloc(6), headers: [] }
  return encodeBatch({
    baseOffset: offset,
    producerId,
    isTransactional: true,
    isControl: true,
    records: [record],
  })
}

/** A record whose value is its offset delta. */
export function plainRecord(offsetDelta: number, value = `${offsetDelta}`): RecordToEncode {
  return { offsetDelta, timestampDelta: 0, key: null, value: Buffer.from(value), headers: [] }
}

function encodeRecord({ headers, key, offsetDelta, timestampDelta, value }: RecordToEncode): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    encodeVarint(timestampDelta),
    encodeVarint(offsetDelta),
    encodeBytes(key),
    encodeBytes(value),
    encodeVarint(headers.length),
    ...headers.flatMap(([name, content]) => [encodeBytes(Buffer.from(name)), encodeBytes(content)]),
  ])
  return Buffer.concat([encodeVarint(body.length), body])
}

function encodeBytes(bytes: Buffer | null): Buffer {
  return bytes === null ? encodeVarint(-1) : Buffer.concat([encodeVarint(bytes.length), bytes])
}

/** Zigzag, seven bits a byte. */
export function encodeVarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value >= 0 ? 2n * BigInt(value) : -2n * BigInt(value) - 1n
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Buffer.from([...bytes, Number(rest)])
}

const require = createRequire(import.meta.url)

/** Written by kafkajs's own producer code. */
export async function encodeWithKafkajs(batch: {
  readonly firstOffset: number
  readonly firstTimestamp: number
  readonly records: readonly RecordToEncode[]
}): Promise<Buffer> {
  const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as KafkajsBatches
  const Record = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as KafkajsRecord
  const records = batch.records.map(record => Record({ ...record, headers: toObject(record.headers) }))
  const { firstOffset, firstTimestamp } = batch
  const lastOffsetDelta = batch.records.at(-1)!.offsetDelta
  const options = { firstOffset, firstTimestamp, maxTimestamp: firstTimestamp, lastOffsetDelta, records }
  return (await RecordBatch(options)).buffer
}

interface KafkajsBatches {
  RecordBatch(options: object): Promise<{ readonly buffer: Buffer }>
}
type KafkajsRecord = (record: object) => object

function toObject(headers: RecordToEncode['headers']): Record<string, Buffer[]> {
  const object: Record<string, Buffer[]> = {}
  for (const [name, value] of headers) object[name] = [...(object[name] ?? []), value!]
  return object
}
