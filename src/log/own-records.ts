import type { ModelLibrary, ModelSource } from '../models/model-library.ts'
import type { TickSlice } from '../scoring/due-slices.ts'
import { DUE_BUCKETS, MOST_SLICES } from '../scoring/due-slices.ts'
import type { RecordEntry } from '../scoring/log-entry.ts'
import type { KnownVersion, Promotion } from '../scoring/partition-memory.ts'
import type { Rejection } from '../signals/rejection.ts'
import { LATEST_MS } from '../signals/time.ts'
import type { LogRecord } from './log.ts'
import { RECORD_HEADER } from './signals-topic-records.ts'

// The records of `signals` that Upswell writes itself, which signals-topic-records.ts makes. Others can write
// to the topic too, so the value of each is checked.

export type DecodedRecord = { readonly entry: RecordEntry } | { readonly rejection: Rejection }

/** The kind of a record that Upswell wrote itself; undefined for a signal. */
export function recordKind({ headers }: LogRecord): string | undefined {
  return headers[RECORD_HEADER]?.toString()
}

/**
 * Undefined: no header says that Upswell wrote the record.
 * @throws InvalidModelError if this version of Upswell cannot read a models record
 */
export function decodeOwnRecord(record: LogRecord, library: ModelLibrary): DecodedRecord | undefined {
  const { offset, timestamp } = record
  const kind = recordKind(record)
  if (kind === undefined) return undefined
  if (timestamp > LATEST_MS) return { rejection: tooLate(record) }
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
  return undefined
}

/** The rejection of a record whose time is after `LATEST_MS`: it would advance every clock. */
export function tooLate({ timestamp }: LogRecord): Rejection {
  const detail = `the record's timestamp is ${timestamp}; ms up to the year 2149 are accepted`
  return { code: 'invalid-time', detail }
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
