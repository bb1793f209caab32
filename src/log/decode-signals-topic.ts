import { isAsciiAt } from '../lib/ascii.ts'
import type { ModelLibrary, ModelSource } from '../models/model-library.ts'
import type { TickSlice } from '../scoring/due-slices.ts'
import { DUE_BUCKETS, MOST_SLICES } from '../scoring/due-slices.ts'
import type { LogEntry, RecordEntry } from '../scoring/log-entry.ts'
import type { KnownVersion, Promotion } from '../scoring/partition-memory.ts'
import { parseSignal } from '../signals/parse-signal.ts'
import type { Rejection } from '../signals/rejection.ts'
import type { SignalScanner } from '../signals/scan/scan-signal.ts'
import type { ScannedSignal } from '../signals/scan/scanned-signal.ts'
import type { ScannedSignals } from '../signals/scan/scanned-signals.ts'
import { LATEST_MS } from '../signals/time.ts'
import type { LogRecord, RecordList, RecordSpan } from './log.ts'
import { CLOCK_HEADER, RECORD_HEADER } from './signals-topic-records.ts'

export type DecodedRecord = { readonly entry: RecordEntry } | { readonly rejection: Rejection }

export interface DecodedRecords {
  readonly entries: readonly LogEntry[]
  readonly rejections: readonly { readonly record: LogRecord; readonly rejection: Rejection }[]
  /** The bytes of all records that are not plain signals. Accounts may keep what they hold. */
  readonly bytesParsed: number
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
  library: ModelLibrary,
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
    if (reading !== undefined && scanRecord(record, reading)) continue
    bytesParsed += record.value?.length ?? 0
    const decoded = decodeRecord(record, library)
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
function scanRecord(record: LogRecord, { scanner, signals }: SignalReading): boolean {
  const { span, offset, timestamp } = record
  if (timestamp > LATEST_MS) return false
  let history = false
  if (span === undefined || span.hasHeaders) {
    if (record.headers[RECORD_HEADER] !== undefined) return false
    history = isHistory(record)
  }
  const signal = span === undefined ? scanViews(record, scanner) : scanSpan(span, timestamp, scanner)
  if (signal === undefined) return false
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

/** @throws InvalidModelError if this version of Upswell cannot read a models record */
export function decodeRecord(record: LogRecord, library: ModelLibrary): DecodedRecord {
  const { offset, timestamp } = record
  if (timestamp > LATEST_MS) {
    return {
      rejection: {
        code: 'invalid-time',
        detail: `the record's timestamp is ${timestamp}; ms up to the year 2149 are accepted`,
      },
    }
  }
  const kind = recordKind(record)
  if (kind === 'tick') {
    const tick = readJson(record, isTickSlice)
    return tick === undefined ? notOurs(kind) : { entry: { type: 'tick', offset, timestamp, ...tick } }
  }
  if (kind === 'models') {
    const sources = readJson(record, isModelSources)
    if (sources === undefined) return notOurs(kind)
    return { entry: { type: 'models', offset, at: timestamp, models: library.compileAll(sources) } }
  }
  if (kind === 'live') return { entry: { type: 'live', offset, slices: readSlices(record) } }
  // It describes the topic and says nothing about any account.
  if (kind === 'replay') return { entry: { type: 'live', offset, slices: 1 } }
  if (kind === 'promotion') {
    const promotion = readJson(record, isPromotion)
    return promotion === undefined ? notOurs(kind) : { entry: { type: 'promotion', offset, ...promotion } }
  }
  const parsed = parseSignal(record.value, { observedAt: timestamp, defaultKind: undefined, place: 'log' })
  if ('rejection' in parsed) return parsed
  const { signal } = parsed
  // With another key the record is in a partition whose owner does not own the account.
  if (record.key?.toString() !== signal.accountId) {
    const found =
      record.key === null ? 'no key' : `the key ${JSON.stringify(record.key.toString().slice(0, 60))}`
    return {
      rejection: {
        code: 'key-mismatch',
        detail: `the record has ${found}, its accountId is ${JSON.stringify(signal.accountId)}; both must be the same`,
      },
    }
  }
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

/** 1 for records of version 0.1.0, which have no value. */
function readSlices(record: LogRecord): number {
  return readJson(record, isLive)?.slices ?? 1
}

function isLive(json: unknown): json is { readonly slices: number } {
  return (
    typeof json === 'object' && json !== null && isSliceCount((json as Record<string, unknown>)['slices'])
  )
}

/** Undefined: the record is no tick, or its value is malformed. */
export function readTick(record: LogRecord): TickSlice | undefined {
  return recordKind(record) === 'tick' ? readJson(record, isTickSlice) : undefined
}

/** The promotion that a record announces. Undefined: it is none, or its value is malformed. */
export function readPromotion(record: LogRecord): PromotionFields | undefined {
  return recordKind(record) === 'promotion' ? readJson(record, isPromotion) : undefined
}

type PromotionFields = Omit<Promotion, 'offset' | 'isComplete'>

/** Whether Upswell wrote the record: its header says so and its value fits. False for a signal. */
export function isOwnRecord(record: LogRecord): boolean {
  switch (recordKind(record)) {
    case 'tick':
      return readJson(record, isTickSlice) !== undefined
    case 'models':
      return readJson(record, isModelSources) !== undefined
    case 'promotion':
      return readJson(record, isPromotion) !== undefined
    case 'live':
    case 'replay':
      return true
    default:
      return false
  }
}

/** Undefined: the value is not one that Upswell writes. Others can write to the topic too. */
function readJson<T>({ value }: LogRecord, is: (json: unknown) => json is T): T | undefined {
  try {
    const json: unknown = JSON.parse(String(value))
    return is(json) ? json : undefined
  } catch {
    return undefined
  }
}

function isTickSlice(json: unknown): json is TickSlice {
  if (typeof json !== 'object' || json === null) return false
  const { slice, of, scope, clock } = json as Record<string, unknown>
  return (
    Number.isInteger(slice) &&
    isSliceCount(of) &&
    (slice as number) >= 0 &&
    (slice as number) < of &&
    (scope === 'due' || scope === 'all') &&
    (clock === 'wall' || clock === 'event')
  )
}

/** The slice counts that `isInSlice` supports. */
function isSliceCount(of: unknown): of is number {
  if (!Number.isInteger(of)) return false
  const count = of as number
  return count >= 1 && (count <= DUE_BUCKETS || (count <= MOST_SLICES && Number.isInteger(Math.log2(count))))
}

function isModelSources(json: unknown): json is ModelSource[] {
  const isText = (value: unknown): boolean => typeof value === 'string'
  return (
    Array.isArray(json) &&
    json.every(
      source => typeof source === 'object' && source !== null && isText(source.file) && isText(source.text),
    )
  )
}

function isPromotion(json: unknown): json is PromotionFields {
  if (typeof json !== 'object' || json === null) return false
  const { namespace, replacedModels, replacedVersions = {} } = json as Record<string, unknown>
  return (
    typeof namespace === 'string' &&
    Array.isArray(replacedModels) &&
    replacedModels.every(hash => typeof hash === 'string') &&
    typeof replacedVersions === 'object' &&
    replacedVersions !== null &&
    Object.values(replacedVersions).every(isKnownVersion)
  )
}

function isKnownVersion(json: unknown): json is KnownVersion {
  if (typeof json !== 'object' || json === null) return false
  const { contentHash, definitionHash } = json as Record<string, unknown>
  return typeof contentHash === 'string' && typeof definitionHash === 'string'
}

function notOurs(kind: string): { rejection: Rejection } {
  const detail = `the header ${RECORD_HEADER} says ${kind}, but the value does not fit; only Upswell writes that header`
  return { rejection: { code: 'invalid-field', detail } }
}

/** Whether a signal was loaded as history: its timestamp is then its own time. */
export function isHistory({ headers }: LogRecord): boolean {
  const clock = headers[CLOCK_HEADER]
  return clock !== undefined && isAsciiAt(clock, 0, clock.length, 'event')
}

/** The kind of a record that Upswell wrote itself; undefined for a signal. */
export function recordKind({ headers }: LogRecord): string | undefined {
  return headers[RECORD_HEADER]?.toString()
}
