import type { Header, LogRecord, OutgoingRecord } from '../../src/log/log.ts'

/**
 * An outgoing record as a reader of the log gets it. `now`: the time in ms for a record without a timestamp.
 */
export function logRecord(partition: number, offset: number, outgoing: OutgoingRecord, now = 0): LogRecord {
  const { topic, key, value, timestamp } = outgoing
  const bytes = (text: string | Buffer | null): Buffer | null => (text === null ? null : Buffer.from(text))
  return {
    topic,
    partition,
    offset,
    timestamp: timestamp ?? now,
    key: bytes(key),
    value: bytes(value),
    ...headersOf(outgoing),
  }
}

/** The headers of a record as a reader of the log gets them. */
export function headersOf({
  carriedHeaders = [],
  headers = {},
}: Pick<OutgoingRecord, 'carriedHeaders' | 'headers'>): Pick<LogRecord, 'headers' | 'headerList'> {
  const own = Object.entries(headers).map(([name, text]): Header => [Buffer.from(name), Buffer.from(text)])
  const headerList = [...carriedHeaders, ...own]
  return {
    headers: Object.fromEntries(
      headerList.map(([name, value]) => [name.toString(), value ?? Buffer.alloc(0)]),
    ),
    headerList,
  }
}
