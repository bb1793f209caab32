import type { LogRecord, OutgoingRecord } from '../../src/log/log.ts'

/**
 * An outgoing record as a reader of the log gets it. `now`: the time in ms for a record without a timestamp.
 */
export function logRecord(
  partition: number,
  offset: number,
  { topic, key, value, headers, timestamp }: OutgoingRecord,
  now = 0,
): LogRecord {
  const bytes = (text: string | Buffer | null): Buffer | null => (text === null ? null : Buffer.from(text))
  return {
    topic,
    partition,
    offset,
    timestamp: timestamp ?? now,
    key: bytes(key),
    value: bytes(value),
    headers: Object.fromEntries(
      Object.entries(headers ?? {}).map(([name, text]) => [name, Buffer.from(text)]),
    ),
  }
}
