import { isAsciiAt } from '../lib/ascii.ts'
import type { ModelLibrary, ModelSource } from '../models/model-library.ts'
import { DUE_BUCKETS, MOST_SLICES } from '../scoring/due-buckets.ts'
import type { LogEntry, RecordEntry, TickSlice } from '../scoring/log-entry.ts'
import type { Promotion } from '../scoring/partition-memory.ts'
import { LATEST_MS, parseSignal, type Rejection } from '../signals/parse-signal.ts'
import type { SignalScanner } from '../signals/scan-signal.ts'
import type { ScannedSignal } from '../signals/scanned-signal.ts'
import type { ScannedSignals } from '../signals/scanned-signals.ts'
import type { Signal } from '../signals/signal.ts'
import type { LogRecord, OutgoingRecord, RecordList, RecordSpan } from './log.ts'

/**
 * Records of the `signals` topic. A signal is its canonical JSON. What the system writes itself is told by the header
 * `upswell-record`, which no source can set: ingest writes signals anew.
 */
const RECORD_HEADER = 'upswell-record'
/** Set on signals that are loaded as history: their timestamp is their own time, not the wall clock's. */
const CLOCK_HEADER = 'upswell-clock'

export type DecodedRecord = { readonly entry: RecordEntry } | { readonly rejection: Rejection }

/** Many records, decoded. */
export interface DecodedRecords {
  readonly entries: readonly LogEntry[]
  readonly rejections: readonly { readonly record: LogRecord; readonly rejection: Rejection }[]
}

/** What plain signals are read by, and where they are put: of use until it is cleared. */
export interface SignalReading {
  readonly scanner: SignalScanner
  readonly signals: ScannedSignals
}

/**
 * The records at `from` to before `to`. With a `reading` plain signals that follow each other make one entry, without an object for each; folded, it is the same.
 * @throws InvalidModelError if a models record cannot be read by this version of Upswell
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
    const decoded = decodeRecord(record, library)
    if ('rejection' in decoded) {
      rejections.push({ record, rejection: decoded.rejection })
      continue
    }
    endRun()
    entries.push(decoded.entry)
  }
  endRun()
  return { entries, rejections }
}

/** Whether it is a plain signal, which is put to the others then; it may be a signal still. */
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

/** Making views of key and value would cost more than reading them. */
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

/** @throws InvalidModelError if a models record cannot be read by this version of Upswell */
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
  if (kind === 'live') return { entry: { type: 'live', offset } }
  // It says what the topic is, and nothing about any account.
  if (kind === 'replay') return { entry: { type: 'live', offset } }
  if (kind === 'promotion') {
    const promotion = readJson(record, isPromotion)
    return promotion === undefined ? notOurs(kind) : { entry: { type: 'promotion', offset, ...promotion } }
  }
  const parsed = parseSignal(record.value, { observedAt: timestamp, defaultKind: undefined })
  if ('rejection' in parsed) return parsed
  const { signal } = parsed
  // A record of another key would be folded by an owner that does not own the account.
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

/** The promotion that a record tells of; undefined if it tells of none, or says so only. */
export function readPromotion(
  record: LogRecord,
): Pick<Promotion, 'namespace' | 'replacedModels'> | undefined {
  return recordKind(record) === 'promotion' ? readJson(record, isPromotion) : undefined
}

/** Whether a record that says that Upswell wrote it is what it says; of a signal, false. */
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

/** Undefined if the value is not what Upswell itself writes: others can write to the topic too. */
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

/** As `isInSlice` tells slices apart. */
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

function isPromotion(json: unknown): json is Pick<Promotion, 'namespace' | 'replacedModels'> {
  if (typeof json !== 'object' || json === null) return false
  const { namespace, replacedModels } = json as Record<string, unknown>
  return (
    typeof namespace === 'string' &&
    Array.isArray(replacedModels) &&
    replacedModels.every(hash => typeof hash === 'string')
  )
}

function notOurs(kind: string): { rejection: Rejection } {
  const detail = `the header ${RECORD_HEADER} says ${kind}, and the value is none; only Upswell writes that header`
  return { rejection: { code: 'invalid-field', detail } }
}

/** Of a signal: whether it was loaded as history, so that its timestamp is its own time. */
export function isHistory({ headers }: LogRecord): boolean {
  const clock = headers[CLOCK_HEADER]
  return clock !== undefined && isAsciiAt(clock, 0, clock.length, 'event')
}

/** What the system wrote itself; undefined for a signal. */
export function recordKind({ headers }: LogRecord): string | undefined {
  return headers[RECORD_HEADER]?.toString()
}

/** `clock`: `event` if the signal is history, whose `observedAt` is its own time. */
export function signalRecord(
  topic: string,
  signal: Signal,
  observedAt: number,
  clock: 'wall' | 'event' = 'wall',
): OutgoingRecord {
  return {
    topic,
    key: signal.accountId,
    value: JSON.stringify(canonicalSignal(signal)),
    // The record's time is what scoring goes by: never before the event itself.
    timestamp: Math.max(observedAt, signal.occurredAt),
    headers: clock === 'event' ? { [CLOCK_HEADER]: 'event' } : {},
  }
}

/** The fields of the contract, in its order. */
function canonicalSignal(signal: Signal): Record<string, unknown> {
  const { id, kind, name, accountId, userId, quantityThousandths, properties, occurredAt } = signal
  return {
    id,
    kind,
    name,
    accountId,
    ...(userId === undefined ? {} : { userId }),
    quantity: quantityThousandths / 1000,
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
    occurredAt: new Date(occurredAt).toISOString(),
  }
}

export function tickRecord(topic: string, partition: number, time: number, tick: TickSlice): OutgoingRecord {
  return {
    topic,
    partition,
    key: null,
    value: JSON.stringify(tick),
    timestamp: time,
    headers: { [RECORD_HEADER]: 'tick' },
  }
}

export function modelsRecord(
  topic: string,
  partition: number,
  time: number,
  models: readonly ModelSource[],
): OutgoingRecord {
  return {
    topic,
    partition,
    key: null,
    value: JSON.stringify(models),
    timestamp: time,
    headers: { [RECORD_HEADER]: 'models' },
  }
}

/** See `Promotion`. */
export function promotionRecord(
  topic: string,
  partition: number,
  time: number,
  promotion: Pick<Promotion, 'namespace' | 'replacedModels'>,
): OutgoingRecord {
  return {
    topic,
    partition,
    key: null,
    value: JSON.stringify(promotion),
    timestamp: time,
    headers: { [RECORD_HEADER]: 'promotion' },
  }
}

/** What a replay is: the first record of its own log, see `replay/replay-record.ts`. */
export function replayRecord(topic: string, partition: number, time: number, replay: object): OutgoingRecord {
  return {
    topic,
    partition,
    key: null,
    value: JSON.stringify(replay),
    timestamp: time,
    headers: { [RECORD_HEADER]: 'replay' },
  }
}

/** Ends a partition's history: time is the wall clock's again. */
export function liveRecord(topic: string, partition: number): OutgoingRecord {
  return { topic, partition, key: null, value: null, headers: { [RECORD_HEADER]: 'live' } }
}
