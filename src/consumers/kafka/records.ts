import type { Message } from 'kafkajs'
import type { OutgoingRecord } from '../log.ts'

export function toMessage(record: OutgoingRecord): Message {
  return {
    key: record.key,
    value: record.value,
    ...(record.partition === undefined ? {} : { partition: record.partition }),
    ...(record.headers === undefined ? {} : { headers: record.headers }),
    ...(record.timestamp === undefined ? {} : { timestamp: String(record.timestamp) }),
  }
}

/** Lengths, deltas and counts of one record in a batch, at most about this much. */
const RECORD_OVERHEAD_BYTES = 40

/** The bytes that the record takes in an uncompressed batch, or somewhat less than that. */
export function sizeBytes(record: OutgoingRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + byteLength(record.key) + byteLength(record.value)
  // Of headers, which are short, a text counts with its characters.
  for (const name in record.headers) bytes += name.length + (record.headers[name]?.length ?? 0) + 4
  return bytes
}

function byteLength(text: string | Buffer | null): number {
  return text === null ? 0 : Buffer.byteLength(text)
}
