import type { Header, LogRecord, OutgoingRecord } from '../log.ts'

// A stored record: flags uint8 · timestamp double · key · number of headers · name and value of each header ·
// value. The value extends to the end. Keys, names and header values follow their lengths, which are varints
// like the number of headers. Topic, partition and offset are in the LMDB key.

const HAS_KEY = 1
const HAS_VALUE = 2
/** A header has no value. The lengths of header values are then one more, and 0 means no value. */
const HAS_NULL_HEADER = 4
const FIXED_BYTES = 1 + 8

/** @param timestamp ms */
export function encodeStoredRecord(record: OutgoingRecord, timestamp: number): Buffer {
  const headers = headersOf(record)
  const hasNull = headers.some(([, value]) => value === null)
  // Written into one allocation: joining parts took three times as long.
  const writer: Cursor = { bytes: Buffer.allocUnsafe(sizeOf(record, headers, hasNull)), at: FIXED_BYTES }
  writer.bytes.writeUInt8(
    (record.key === null ? 0 : HAS_KEY) |
      (record.value === null ? 0 : HAS_VALUE) |
      (hasNull ? HAS_NULL_HEADER : 0),
    0,
  )
  writer.bytes.writeDoubleBE(timestamp, 1)
  if (record.key !== null) writeWithLength(writer, record.key)
  writeVarint(writer, headers.length)
  for (const [name, value] of headers) {
    writeWithLength(writer, name)
    if (!hasNull) writeWithLength(writer, value!)
    else writeNullable(writer, value)
  }
  if (record.value !== null) writeContent(writer, record.value)
  return writer.bytes
}

/** Key, value and headers are views of `bytes`. */
export function decodeStoredRecord(
  bytes: Buffer,
  topic: string,
  partition: number,
  offset: number,
): LogRecord {
  const flags = bytes.readUInt8(0)
  const cursor: Cursor = { bytes, at: FIXED_BYTES }
  const key = flags & HAS_KEY ? readWithLength(cursor) : null
  const headerList = readHeaders(cursor, (flags & HAS_NULL_HEADER) !== 0)
  return {
    topic,
    partition,
    offset,
    timestamp: bytes.readDoubleBE(1),
    key,
    value: flags & HAS_VALUE ? bytes.subarray(cursor.at) : null,
    // No assignment: a header may be called __proto__.
    headers: Object.fromEntries(headerList.map(([name, header]) => [name.toString(), header ?? NO_BYTES])),
    headerList,
  }
}

const NO_BYTES = Buffer.alloc(0)

interface Cursor {
  readonly bytes: Buffer
  at: number
}

type Content = string | Buffer
type HeaderToWrite = readonly [name: Content, value: Content | null]

function headersOf({ carriedHeaders = [], headers = {} }: OutgoingRecord): readonly HeaderToWrite[] {
  const own = Object.entries(headers)
  return carriedHeaders.length === 0 ? own : [...carriedHeaders, ...own]
}

function sizeOf(record: OutgoingRecord, headers: readonly HeaderToWrite[], hasNull: boolean): number {
  let size = FIXED_BYTES + varintSize(headers.length)
  if (record.key !== null) size += sizeWithLength(record.key)
  for (const [name, value] of headers)
    size += sizeWithLength(name) + (hasNull ? sizeOfNullable(value) : sizeWithLength(value!))
  if (record.value !== null) size += contentSize(record.value)
  return size
}

function readHeaders(cursor: Cursor, hasNull: boolean): readonly Header[] {
  const headers: Header[] = []
  for (let left = readVarint(cursor); left > 0; left--) {
    const name = readWithLength(cursor)
    headers.push([name, hasNull ? readNullable(cursor) : readWithLength(cursor)])
  }
  return headers
}

function contentSize(content: Content): number {
  return typeof content === 'string' ? Buffer.byteLength(content) : content.length
}

function sizeWithLength(content: Content): number {
  const size = contentSize(content)
  return varintSize(size) + size
}

function writeContent(writer: Cursor, content: Content): void {
  if (typeof content === 'string') writer.at += writer.bytes.write(content, writer.at)
  else {
    writer.bytes.set(content, writer.at)
    writer.at += content.length
  }
}

function writeWithLength(writer: Cursor, content: Content): void {
  writeVarint(writer, contentSize(content))
  writeContent(writer, content)
}

function writeNullable(writer: Cursor, content: Content | null): void {
  writeVarint(writer, content === null ? 0 : contentSize(content) + 1)
  if (content !== null) writeContent(writer, content)
}

function sizeOfNullable(content: Content | null): number {
  if (content === null) return 1
  const size = contentSize(content)
  return varintSize(size + 1) + size
}

function readNullable(cursor: Cursor): Buffer | null {
  const lengthAndOne = readVarint(cursor)
  return lengthAndOne === 0 ? null : readContent(cursor, lengthAndOne - 1)
}

function readWithLength(cursor: Cursor): Buffer {
  return readContent(cursor, readVarint(cursor))
}

function readContent(cursor: Cursor, length: number): Buffer {
  const start = cursor.at
  cursor.at += length
  return cursor.bytes.subarray(start, cursor.at)
}

/** Seven bits a byte, lowest first; the high bit means that more bytes follow. */
function writeVarint(writer: Cursor, value: number): void {
  let rest = value
  while (rest > 0x7f) {
    writer.bytes[writer.at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  writer.bytes[writer.at++] = rest
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest > 0x7f; rest >>>= 7) size++
  return size
}

function readVarint(cursor: Cursor): number {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = cursor.bytes.readUInt8(cursor.at++)
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return value >>> 0
  }
}
