import type { KafkaMessage, Message } from 'kafkajs'
import type { LogRecord, OutgoingRecord } from '../log.ts'

export function toLogRecord(topic: string, partition: number, message: KafkaMessage): LogRecord {
  return {
    topic,
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: lastHeaders(message.headers),
  }
}

/** A header given more than once counts with its last value, as Java's `lastHeader` reads it; one without a value is empty. */
function lastHeaders(headers: KafkaMessage['headers']): Record<string, Buffer> {
  const read: Record<string, Buffer> = {}
  for (const name in headers) {
    const given = headers[name]
    const last = Array.isArray(given) ? given.at(-1) : given
    read[name] = Buffer.isBuffer(last) ? last : Buffer.from(last ?? '')
  }
  return read
}

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
  for (const name in record.headers) bytes += name.length + byteLength(record.headers[name] ?? null) + 4
  return bytes
}

function byteLength(text: string | Buffer | null): number {
  return text === null ? 0 : Buffer.byteLength(text)
}
