import type { LogRecord, OutgoingRecord } from '../../src/log/log.ts'

/** A record of the log as it is read, of one that was to be written. `now`: its time, where it has none of its own; ms. */
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
