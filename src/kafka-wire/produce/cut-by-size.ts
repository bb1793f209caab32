import type { ProducedRecord } from './topic-records.ts'

/**
 * The most that is sent of one topic at a time. kafkajs makes one record batch of all records for a
 * partition, and brokers refuse a batch above `max.message.bytes` (1 MiB + 12 by default). All records of a
 * topic may go to one partition.
 */
const MAX_TOPIC_BYTES = 900_000
/** Lengths, deltas and counts of one record in a batch take about this much at most. */
const RECORD_OVERHEAD_BYTES = 40
/** The lengths of a header's name and value. */
const HEADER_OVERHEAD_BYTES = 4
/** A UTF-16 code unit takes this much in UTF-8 at most. */
const MAX_BYTES_PER_UNIT = 3

/**
 * Cuts the records into parts, so that no topic has more than `MAX_TOPIC_BYTES` in a part unless one record
 * has.
 */
export function cutBySize(records: readonly ProducedRecord[]): (readonly ProducedRecord[])[] {
  if (records.length === 0) return []
  if (isSmall(records)) return [records]
  const parts: ProducedRecord[][] = []
  let part: ProducedRecord[] = []
  let bytesByTopic = new Map<string, number>()
  for (const record of records) {
    const bytes = sizeBytes(record)
    const sofar = bytesByTopic.get(record.topic) ?? 0
    if (sofar > 0 && sofar + bytes > MAX_TOPIC_BYTES) {
      parts.push(part)
      part = []
      bytesByTopic = new Map()
    }
    part.push(record)
    bytesByTopic.set(record.topic, (bytesByTopic.get(record.topic) ?? 0) + bytes)
  }
  parts.push(part)
  return parts
}

/** Whether they fit whatever their characters are: decided without counting bytes. */
function isSmall(records: readonly ProducedRecord[]): boolean {
  let bytes = 0
  for (const record of records) {
    bytes += mostBytes(record)
    if (bytes > MAX_TOPIC_BYTES) return false
  }
  return true
}

/** The bytes that the record takes in an uncompressed batch, or somewhat less. */
function sizeBytes(record: ProducedRecord): number {
  return RECORD_OVERHEAD_BYTES + byteLength(record.key) + byteLength(record.value) + headerBytes(record)
}

/** At least `sizeBytes`, without a look at the texts. */
function mostBytes(record: ProducedRecord): number {
  const { key, value } = record
  const units = (key?.length ?? 0) + (value?.length ?? 0)
  return RECORD_OVERHEAD_BYTES + units * MAX_BYTES_PER_UNIT + headerBytes(record)
}

/** Our own headers are short: each character counts as one byte. */
function headerBytes({ headers, carriedHeaders = [] }: ProducedRecord): number {
  let bytes = 0
  for (const name in headers) bytes += name.length + headers[name]!.length + HEADER_OVERHEAD_BYTES
  for (const [name, value] of carriedHeaders)
    bytes += name.length + (value?.length ?? 0) + HEADER_OVERHEAD_BYTES
  return bytes
}

function byteLength(text: string | Buffer | null): number {
  return text === null ? 0 : Buffer.byteLength(text)
}
