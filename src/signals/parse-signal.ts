import { suggestName } from '../lib/nearest-name.ts'
import { readOverride } from './override.ts'
import { parseRfc3339 } from './rfc3339.ts'
import { isActivityKind, type PropertyValue, SIGNAL_KINDS, type Signal, type SignalKind } from './signal.ts'
import { isBlank, quoted, untidiness } from './texts.ts'
import { HOUR_MS, LATEST_MS } from './time.ts'

/**
 * Why a record is not a signal: a code for machines, and a sentence with the field, the value found and what
 * is accepted.
 */
export interface Rejection {
  readonly code: RejectionCode
  readonly detail: string
}

export const REJECTION_CODES = [
  'too-large',
  'not-json',
  'not-an-object',
  'unknown-field',
  'missing-field',
  'unknown-kind',
  'invalid-field',
  'too-long',
  'too-deep',
  'forbidden-key',
  'invalid-time',
  'in-the-future',
  'key-mismatch',
] as const
export type RejectionCode = (typeof REJECTION_CODES)[number]

/** The largest signal. Its `id` and `accountId` are also keys of the store. */
export const SIGNAL_LIMITS = {
  /**
   * Bytes of the record's value. Encoded again, it must still fit into a topic that takes 1 MiB, the default.
   */
  bytes: 1_000_000,
  idLength: 512,
  nameLength: 200,
  accountIdBytes: 512,
  userIdLength: 512,
  properties: 200,
  propertyNameLength: 200,
  textLength: 1000,
  depth: 8,
  /**
   * 10¹² units: amounts in rupiah are large. A sum is exact up to nine times as much, and is cut there
   * (`addCapped`).
   */
  quantity: 1e12,
  /** A smaller one, except 0, would be rounded to 0 thousandths. */
  smallestQuantity: 0.0005,
} as const

/** How far `occurredAt` may be ahead of the moment at which the system receives the signal: clocks differ. */
export const MAX_AHEAD_MS = 10 * 60_000

export type ParsedSignal = { readonly signal: Signal } | { readonly rejection: Rejection }

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype'])
const EARLIEST_MS = 0
const FIELDS = ['id', 'kind', 'name', 'accountId', 'userId', 'quantity', 'properties', 'occurredAt'] as const
/** A message names no more unknown fields than this. */
const FIELDS_NAMED = 5

/** Parses the value of a record, as `checkSignal` does. */
export function parseSignal(value: Uint8Array | null, context: SignalContext): ParsedSignal {
  if (value === null || value.length === 0)
    return reject('not-json', 'the value is empty; a JSON object is accepted')
  if (value.length > SIGNAL_LIMITS.bytes) {
    return reject(
      'too-large',
      `the value has ${value.length} bytes; up to ${SIGNAL_LIMITS.bytes} are accepted`,
    )
  }
  let json: unknown
  try {
    json = JSON.parse(decoder.decode(value))
  } catch (error) {
    return reject('not-json', `the value is not JSON: ${(error as Error).message}`)
  }
  return checkSignal(json, context)
}

const decoder = new TextDecoder('utf-8', { fatal: true })

export interface SignalContext {
  /** When the system received it, ms. `occurredAt` may be at most `MAX_AHEAD_MS` later. */
  readonly observedAt: number
  /** The kind of signals that name none. Undefined: a signal must name its kind. */
  readonly defaultKind: SignalKind | undefined
  // What earlier versions let into the log must give the same state in every rebuild. So a record that is in
  // the log already is read as it always was: unknown fields are ignored, ids may be untidy, an empty userId
  // is an error. All stricter rules hold at the edges alone: the API, files, source topics.
  /** Where the value was found. */
  readonly place: 'edge' | 'log'
}

/**
 * Checks a value from outside. Accepts canonical signals:
 * `{"id","kind","name","accountId","userId"?,"quantity"?=1,"properties"?,"occurredAt":RFC 3339}`. `traits`,
 * `health` and `contract` need no `name`. For the properties of an `override` see `override.ts`. All values:
 * docs/values.md.
 */
export function checkSignal(value: unknown, context: SignalContext): ParsedSignal {
  const { observedAt, defaultKind, place } = context
  const isAtEdge = place === 'edge'
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return reject('not-an-object', `found ${describe(value)}; a JSON object is accepted`)
  }
  const refused =
    findForbidden(value, 'the signal', SIGNAL_LIMITS.depth) ??
    (isAtEdge ? findUnknown(Object.keys(value)) : undefined)
  if (refused !== undefined) return { rejection: refused }
  const fields = value as Readonly<Record<string, unknown>>

  const kind = fields['kind'] ?? defaultKind
  if (kind === undefined)
    return reject('missing-field', `kind is missing; one of ${SIGNAL_KINDS.join(', ')} is accepted`)
  if (!isSignalKind(kind))
    return reject('unknown-kind', `kind is ${describe(kind)}; one of ${SIGNAL_KINDS.join(', ')} is accepted`)

  const optional = (text: unknown) =>
    isAtEdge && typeof text === 'string' && isBlank(text) ? undefined : (text ?? undefined)
  const name =
    isActivityKind(kind) || kind === 'override' ? fields['name'] : (optional(fields['name']) ?? kind)
  const userId = optional(fields['userId'])
  const check = isAtEdge ? checkTidyText : checkText
  const problem =
    check(fields['id'], 'id', SIGNAL_LIMITS.idLength) ??
    check(fields['accountId'], 'accountId', SIGNAL_LIMITS.accountIdBytes) ??
    checkAccountId(fields['accountId'] as string, isAtEdge) ??
    check(name, 'name', SIGNAL_LIMITS.nameLength) ??
    (userId === undefined ? undefined : check(userId, 'userId', SIGNAL_LIMITS.userIdLength))
  if (problem !== undefined) return { rejection: problem }

  const quantity = checkQuantity(fields['quantity'] ?? 1, isAtEdge)
  if ('rejection' in quantity) return quantity
  const properties = checkProperties(fields['properties'], !isActivityKind(kind), isAtEdge)
  if ('rejection' in properties) return properties
  const time = checkTime(fields['occurredAt'], observedAt)
  if ('rejection' in time) return time

  const signal: Signal = {
    id: fields['id'] as string,
    kind,
    name: name as string,
    accountId: fields['accountId'] as string,
    userId: userId as string | undefined,
    quantityThousandths: quantity.thousandths,
    properties: properties.properties,
    occurredAt: time.ms,
  }
  if (kind !== 'override') return { signal }
  const why = (isAtEdge ? untidyOverride(signal.properties) : undefined) ?? readOverride(signal)
  return typeof why === 'string' ? reject('invalid-field', why) : { signal }
}

/** The fields that a signal does not have; undefined: there are none. */
function findUnknown(fields: readonly string[]): Rejection | undefined {
  const unknown = fields.filter(field => !(FIELDS as readonly string[]).includes(field))
  if (unknown.length === 0) return undefined
  const named = unknown
    .slice(0, FIELDS_NAMED)
    .map(field => `${describe(field)} is not a field of a signal; ${suggestName(field, FIELDS, 'remove it')}`)
  const rest = unknown.length > FIELDS_NAMED ? [`and ${unknown.length - FIELDS_NAMED} more fields`] : []
  const accepted = `${FIELDS.join(', ')} are accepted, and other details in properties`
  return { code: 'unknown-field', detail: [...named, ...rest, accepted].join('; ') }
}

function checkQuantity(
  quantity: unknown,
  isAtEdge: boolean,
): { readonly thousandths: number } | { readonly rejection: Rejection } {
  const { quantity: largest, smallestQuantity } = SIGNAL_LIMITS
  if (typeof quantity !== 'number' || !Number.isFinite(quantity) || quantity < 0 || quantity > largest) {
    const accepted = `a number from 0 to ${largest} is accepted`
    return reject('invalid-field', `quantity is ${describe(quantity)}; ${accepted}`)
  }
  if (isAtEdge && quantity > 0 && quantity < smallestQuantity) {
    const accepted = `0, or a number from 0.001 to ${largest}, is accepted`
    return reject('invalid-field', `quantity is ${quantity}, and would be rounded to 0; ${accepted}`)
  }
  // Without a sign: JSON has −0.
  return { thousandths: Math.abs(Math.round(quantity * 1000)) }
}

/** Why an override that `readOverride` accepts is refused at an edge; undefined: it is not. */
function untidyOverride(properties: Signal['properties']): string | undefined {
  for (const property of ['reason', 'author'] as const) {
    const text = properties[property]
    if (typeof text === 'string' && text !== '' && isBlank(text))
      return `properties.${property} is ${describe(text)}, which is blank; a text is accepted`
  }
  const { tier } = properties
  const why = typeof tier === 'string' ? untidiness(tier) : undefined
  if (why === undefined) return undefined
  return `properties.tier is ${describe(tier)}, which ${why}; the name of one of the model's tiers is accepted`
}

function reject(code: RejectionCode, detail: string): { rejection: Rejection } {
  return { rejection: { code, detail } }
}

function isSignalKind(value: unknown): value is SignalKind {
  return (SIGNAL_KINDS as readonly unknown[]).includes(value)
}

function checkText(value: unknown, field: string, maxLength: number): Rejection | undefined {
  if (value === undefined || value === null)
    return {
      code: 'missing-field',
      detail: `${field} is missing; a text of 1 to ${maxLength} characters is accepted`,
    }
  if (typeof value !== 'string' || value === '') {
    return {
      code: 'invalid-field',
      detail: `${field} is ${describe(value)}; a text of 1 to ${maxLength} characters is accepted`,
    }
  }
  if (value.length > maxLength)
    return {
      code: 'too-long',
      detail: `${field} has ${value.length} characters; up to ${maxLength} are accepted`,
    }
  // Half a surrogate pair or a NUL would not survive as part of a key.
  if (!value.isWellFormed() || value.includes('\u0000'))
    return {
      code: 'invalid-field',
      detail: `${field} holds a NUL or half a character; well-formed text is accepted`,
    }
  return undefined
}

/** As `checkText`. Also refuses a text that people would take for another one. */
function checkTidyText(value: unknown, field: string, maxLength: number): Rejection | undefined {
  const problem = checkText(value, field, maxLength)
  const why = problem === undefined ? untidiness(value as string) : undefined
  if (why === undefined) return problem
  const detail = `${field} is ${describe(value)}, which ${why}; a text of 1 to ${maxLength} characters without these is accepted`
  return { code: 'invalid-field', detail }
}

const encoder = new TextEncoder()
/** Clients and proxies take them out of a URL, so `/v1/accounts/..` would never arrive. */
const DOT_SEGMENTS: readonly string[] = ['.', '..']

function checkAccountId(accountId: string, isAtEdge: boolean): Rejection | undefined {
  if (isAtEdge && DOT_SEGMENTS.includes(accountId)) {
    const detail = `accountId is ${describe(accountId)}, which a URL cannot name; any other text is accepted`
    return { code: 'invalid-field', detail }
  }
  if (accountId.length * 3 <= SIGNAL_LIMITS.accountIdBytes) return undefined
  const bytes = encoder.encode(accountId).length
  if (bytes <= SIGNAL_LIMITS.accountIdBytes) return undefined
  return {
    code: 'too-long',
    detail: `accountId has ${bytes} bytes in UTF-8; up to ${SIGNAL_LIMITS.accountIdBytes} are accepted`,
  }
}

/** Facts may have only properties that scoring can read. Activity may have others, which are dropped. */
function checkProperties(
  value: unknown,
  areFacts: boolean,
  isAtEdge: boolean,
): { properties: Record<string, PropertyValue> } | { rejection: Rejection } {
  if (value === undefined || value === null) {
    return areFacts
      ? reject('missing-field', 'properties is missing; an object of facts is accepted')
      : { properties: {} }
  }
  if (typeof value !== 'object' || Array.isArray(value))
    return reject('invalid-field', `properties is ${describe(value)}; an object is accepted`)
  const entries = Object.entries(value)
  if (entries.length > SIGNAL_LIMITS.properties) {
    return reject(
      'too-large',
      `properties has ${entries.length} entries; up to ${SIGNAL_LIMITS.properties} are accepted`,
    )
  }
  const properties: Record<string, PropertyValue> = {}
  for (const [property, found] of entries) {
    if (property === '' || property.length > SIGNAL_LIMITS.propertyNameLength || !property.isWellFormed()) {
      return reject(
        'too-long',
        `a name in properties has ${property.length} characters; 1 to ${SIGNAL_LIMITS.propertyNameLength} well-formed ones are accepted`,
      )
    }
    const why = areFacts && isAtEdge ? untidiness(property) : undefined
    if (why !== undefined) {
      const detail = `the name ${describe(property)} in properties ${why}; a name without these is accepted`
      return reject('invalid-field', detail)
    }
    if (typeof found === 'string' && (found.length > SIGNAL_LIMITS.textLength || !found.isWellFormed())) {
      return reject(
        'too-long',
        `properties.${property} has ${found.length} characters; up to ${SIGNAL_LIMITS.textLength} well-formed ones are accepted`,
      )
    }
    if (isPropertyValue(found)) properties[property] = found
    else if (areFacts)
      return reject(
        'invalid-field',
        `properties.${property} is ${describe(found)}; a number, text, true, false or null is accepted`,
      )
  }
  return { properties }
}

function isPropertyValue(value: unknown): value is PropertyValue {
  return (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value))
  )
}

function checkTime(value: unknown, observedAt: number): { ms: number } | { rejection: Rejection } {
  if (value === undefined || value === null)
    return reject('missing-field', 'occurredAt is missing; an RFC 3339 time is accepted')
  const ms = typeof value === 'string' ? parseRfc3339(value) : undefined
  if (ms === undefined)
    return reject(
      'invalid-time',
      `occurredAt is ${describe(value)}; an RFC 3339 time such as 2026-01-05T10:11:12.345Z is accepted`,
    )
  if (ms < EARLIEST_MS || ms > LATEST_MS)
    return reject('invalid-time', `occurredAt is ${describe(value)}; a time from 1970 to 2149 is accepted`)
  if (ms > observedAt + MAX_AHEAD_MS) {
    const ahead = ((ms - observedAt) / HOUR_MS).toFixed(1)
    return reject(
      'in-the-future',
      `occurredAt is ${describe(value)}, ${ahead} h after it was received; up to ${MAX_AHEAD_MS / 60_000} minutes are accepted`,
    )
  }
  return { ms }
}

/** Finds the first forbidden key, or nesting that is too deep. */
function findForbidden(value: object, where: string, depthLeft: number): Rejection | undefined {
  if (depthLeft === 0)
    return { code: 'too-deep', detail: `the signal is nested more than ${SIGNAL_LIMITS.depth} levels deep` }
  for (const key of Object.keys(value)) {
    if (FORBIDDEN_KEYS.has(key))
      return { code: 'forbidden-key', detail: `${where} has the key ${key}, which is not accepted` }
    const inner: unknown = value[key as keyof typeof value]
    if (typeof inner !== 'object' || inner === null) continue
    const found = findForbidden(inner, 'a nested object', depthLeft - 1)
    if (found !== undefined) return found
  }
  return undefined
}

function describe(value: unknown): string {
  const text =
    typeof value === 'string'
      ? quoted(value)
      : Array.isArray(value)
        ? 'an array'
        : typeof value === 'object' && value !== null
          ? 'an object'
          : String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
