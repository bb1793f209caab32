import { isAsciiAt } from '../lib/ascii.ts'
import type { ModelLibrary } from '../models/model-library.ts'
import type { LogEntry } from '../scoring/log-entry.ts'
import { parseSignal } from '../signals/parse-signal.ts'
import type { Rejection } from '../signals/rejection.ts'
import type { SignalScanner } from '../signals/scan/scan-signal.ts'
import type { ScannedSignal } from '../signals/scan/scanned-signal.ts'
import type { ScannedSignals } from '../signals/scan/scanned-signals.ts'
import { quoted } from '../signals/texts.ts'
import { LATEST_MS } from '../signals/time.ts'
import type { LogRecord, RecordList, RecordSpan } from './log.ts'
import { type DecodedRecord, decodeOwnRecord, tooLate } from './own-records.ts'
import { partitionOf, partitionOfBytes } from './partition-of.ts'
import { CLOCK_HEADER, RECORD_HEADER } from './signals-topic-records.ts'

export interface DecodedRecords {
  readonly entries: readonly LogEntry[]
  readonly rejections: readonly { readonly record: LogRecord; readonly rejection: Rejection }[]
  /** The bytes of all records that are not plain signals. Accounts may keep what they hold. */
  readonly bytesParsed: number
}

/** What decides, beside a record, what it is decoded to. */
export interface DecodeContext {
  readonly library: ModelLibrary
  /** The partitions of the topic. An account's signals are in one of them: `partitionOf(accountId)`. */
  readonly partitions: number
}

/**
 * Scans plain signals without an object for each. An entry that refers to `signals` is valid until they are
 * cleared.
 */
export interface SignalReading {
  readonly scanner: SignalScanner
  readonly signals: ScannedSignals
}

/**
 * Decodes the records from index `from` up to `to`, excluded. With a `reading`, plain signals in a row become
 * one entry, which folds to the same result.
 * @throws InvalidModelError if this version of Upswell cannot read a models record
 */
export function decodeRecords(
  records: RecordList,
  from: number,
  to: number,
  context: DecodeContext,
  reading?: SignalReading,
): DecodedRecords {
  const entries: LogEntry[] = []
  const rejections: { readonly record: LogRecord; readonly rejection: Rejection }[] = []
  let bytesParsed = 0
  let runFrom = reading?.signals.length ?? 0
  const endRun = (): void => {
    if (reading === undefined || reading.signals.length === runFrom) return
    const { signals } = reading
    entries.push({ type: 'signals', signals, from: runFrom, to: signals.length })
    runFrom = signals.length
  }
  for (let i = from; i < to; i++) {
    const record = records.at(i)!
    if (reading !== undefined && scanRecord(record, reading, context.partitions)) continue
    bytesParsed += record.value?.length ?? 0
    const decoded = decodeRecord(record, context)
    if ('rejection' in decoded) {
      rejections.push({ record, rejection: decoded.rejection })
      continue
    }
    endRun()
    entries.push(decoded.entry)
  }
  endRun()
  return { entries, rejections, bytesParsed }
}

/** True: it is a plain signal, and is added to the others. False: it may still be a signal. */
function scanRecord(record: LogRecord, { scanner, signals }: SignalReading, partitions: number): boolean {
  const { span, offset, timestamp } = record
  if (timestamp > LATEST_MS) return false
  let history = false
  if (span === undefined || span.hasHeaders) {
    const { headers } = record
    if (headers[RECORD_HEADER] !== undefined) return false
    history = isHistory({ headers })
  }
  const signal = span === undefined ? scanViews(record, scanner) : scanSpan(span, timestamp, scanner)
  if (signal === undefined || keyPartition(record, partitions) !== record.partition) return false
  signals.add(signal, offset, timestamp, history)
  return true
}

/** Scans in place: views of key and value would cost more than reading them. */
function scanSpan(span: RecordSpan, observedAt: number, scanner: SignalScanner): ScannedSignal | undefined {
  const { bytes, keyFrom, keyTo, valueFrom, valueTo } = span
  if (keyFrom < 0 || valueFrom < 0) return undefined
  const signal = scanner.scan(bytes, valueFrom, valueTo, observedAt)
  return signal !== undefined && isAsciiAt(bytes, keyFrom, keyTo, signal.accountId) ? signal : undefined
}

function scanViews({ key, value, timestamp }: LogRecord, scanner: SignalScanner): ScannedSignal | undefined {
  if (key === null || value === null) return undefined
  const signal = scanner.scan(value, 0, value.length, timestamp)
  return signal !== undefined && isAsciiAt(key, 0, key.length, signal.accountId) ? signal : undefined
}

/** The partition for the record's key, which is not null. A span spares the view of the key. */
function keyPartition(record: LogRecord, partitions: number): number {
  const { span } = record
  return span === undefined
    ? partitionOf(record.key!, partitions)
    : partitionOfBytes(span.bytes, span.keyFrom, span.keyTo, partitions)
}

/** @throws InvalidModelError if this version of Upswell cannot read a models record */
export function decodeRecord(record: LogRecord, { library, partitions }: DecodeContext): DecodedRecord {
  const own = decodeOwnRecord(record, library)
  if (own !== undefined) return own
  const { offset, timestamp } = record
  if (timestamp > LATEST_MS) return { rejection: tooLate(record) }
  const parsed = parseSignal(record.value, { observedAt: timestamp, defaultKind: undefined, place: 'log' })
  if ('rejection' in parsed) return parsed
  const { signal } = parsed
  const misplaced = findMisplaced(record, signal.accountId, partitions)
  if (misplaced !== undefined) return { rejection: misplaced }
  return {
    entry: {
      type: 'signal',
      offset,
      timestamp,
      signal,
      history: isHistory(record),
    },
  }
}

/**
 * Why the record is not where its account's signals are. One owner has all of them, and the API asks that
 * owner's part of the store. It depends on the record alone: every replay finds the same.
 */
function findMisplaced(
  { key, partition }: LogRecord,
  accountId: string,
  partitions: number,
): Rejection | undefined {
  if (key?.toString() !== accountId) {
    const found = key === null ? 'no key' : `the key ${quoted(key.toString().slice(0, 60))}`
    return {
      code: 'key-mismatch',
      detail: `the record has ${found}, its accountId is ${quoted(accountId)}; both must be the same`,
    }
  }
  const expected = partitionOf(accountId, partitions)
  if (partition === expected) return undefined
  const detail =
    `the record is in partition ${partition}; the signals of account ${quoted(accountId)} belong into partition ${expected} of ${partitions}, ` +
    'by murmur2 of the key, as the Java client chooses. Change the partitioner of the producer: ' +
    'librdkafka and what is built on it (Python, Go, .NET, PHP, Ruby, Rust, Node) has partitioner=murmur2_random; other clients: docs/write-signals.md'
  return { code: 'wrong-partition', detail }
}

/** Whether a signal was loaded as history: its timestamp is then its own time. */
export function isHistory({ headers }: Pick<LogRecord, 'headers'>): boolean {
  const clock = headers[CLOCK_HEADER]
  return clock !== undefined && isAsciiAt(clock, 0, clock.length, 'event')
}
