import { readVarint, varintSize } from './varint.ts'

/** The values that all records of one batch share. */
export interface RecordContext {
  readonly topic: string
  readonly partition: number
  /** The bytes that hold the records: a whole answer, or one decompressed batch. */
  readonly bytes: Buffer
  /** ms; each record adds its delta to it. */
  readonly baseTimestamp: number
}

/** The bytes of a header's name, and of its value. */
export type RecordHeader = readonly [name: Buffer, value: Buffer | null]

/**
 * A record as a view of the fetched bytes, which it keeps in memory. It is its own `span`. There is one for
 * each record of the log, so it holds numbers only: key, value and headers are made each time they are read.
 */
export class FetchedRecord {
  // Declared, not defined: a field that is first undefined and then a number is slower in V8.
  declare readonly context: RecordContext
  declare readonly offset: number
  declare readonly timestampDelta: number
  declare readonly keyFrom: number
  declare readonly keyTo: number
  declare readonly valueFrom: number
  declare readonly valueTo: number
  /** Where the number of headers is; −1: there are none. */
  declare readonly headersFrom: number

  constructor(
    context: RecordContext,
    offset: number,
    timestampDelta: number,
    keyFrom: number,
    keyTo: number,
    valueFrom: number,
    valueTo: number,
    headersFrom: number,
  ) {
    this.context = context
    this.offset = offset
    this.timestampDelta = timestampDelta
    this.keyFrom = keyFrom
    this.keyTo = keyTo
    this.valueFrom = valueFrom
    this.valueTo = valueTo
    this.headersFrom = headersFrom
  }

  get topic(): string {
    return this.context.topic
  }

  get partition(): number {
    return this.context.partition
  }

  get timestamp(): number {
    return this.context.baseTimestamp + this.timestampDelta
  }

  get bytes(): Buffer {
    return this.context.bytes
  }

  /** For readers that need no views of key and value. */
  get span(): FetchedRecord {
    return this
  }

  get key(): Buffer | null {
    return this.keyFrom < 0 ? null : this.bytes.subarray(this.keyFrom, this.keyTo)
  }

  get value(): Buffer | null {
    return this.valueFrom < 0 ? null : this.bytes.subarray(this.valueFrom, this.valueTo)
  }

  get hasHeaders(): boolean {
    return this.headersFrom >= 0
  }

  /**
   * The last value of a repeated header counts, as for Java's `lastHeader`. A header without a value is
   * empty.
   */
  get headers(): Readonly<Record<string, Buffer>> {
    if (this.headersFrom < 0) return NO_HEADERS
    const headers = emptyHeaders()
    for (const [name, value] of this.headerList) headers[name.toString()] = value ?? NO_BYTES
    return headers
  }

  /** All headers in their order. */
  get headerList(): readonly RecordHeader[] {
    return this.headersFrom < 0 ? NO_HEADER_LIST : readHeaders(this.bytes, this.headersFrom)
  }
}

const NO_BYTES = Buffer.alloc(0)
const NO_HEADERS: Readonly<Record<string, Buffer>> = Object.freeze(emptyHeaders())
const NO_HEADER_LIST: readonly RecordHeader[] = Object.freeze([])

function readHeaders(bytes: Buffer, from: number): RecordHeader[] {
  const headers: RecordHeader[] = []
  const count = readVarint(bytes, from)
  let at = from + varintSize(bytes, from)
  for (let i = 0; i < count; i++) {
    const nameLength = readVarint(bytes, at)
    at += varintSize(bytes, at)
    const name = bytes.subarray(at, at + nameLength)
    at += nameLength
    const length = readVarint(bytes, at)
    at += varintSize(bytes, at)
    headers.push([name, length < 0 ? null : bytes.subarray(at, at + length)])
    at += Math.max(0, length)
  }
  return headers
}

/** Has no prototype: a header may have the name of one of its fields. */
function emptyHeaders(): Record<string, Buffer> {
  return Object.create(null) as Record<string, Buffer>
}
