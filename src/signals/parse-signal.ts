import { suggestName } from '../lib/nearest-name.ts'
import {
  checkAccountId,
  checkProperties,
  checkQuantity,
  checkText,
  checkTidyText,
  checkTime,
} from './check-fields.ts'
import { hintOfBytes, hintOfFields } from './format-hints.ts'
import { readOverride } from './override.ts'
import { describe, type Rejection, reject } from './rejection.ts'
import { isActivityKind, SIGNAL_KINDS, type Signal, type SignalKind } from './signal.ts'
import { SIGNAL_LIMITS } from './signal-limits.ts'
import { isBlank, untidiness, withoutControls } from './texts.ts'

export type ParsedSignal = { readonly signal: Signal } | { readonly rejection: Rejection }

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype'])
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
    // The message quotes the value as it is.
    const why = hintOfBytes(value) ?? withoutControls((error as Error).message)
    return reject('not-json', `the value is not JSON: ${why}`)
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
  const fields = value as Readonly<Record<string, unknown>>
  const refused =
    findForbidden(value, 'the signal', SIGNAL_LIMITS.depth) ?? (isAtEdge ? findUnknown(fields) : undefined)
  if (refused !== undefined) return { rejection: refused }

  const kind = fields['kind'] ?? defaultKind
  if (kind === undefined) {
    const hint = hintOfFields(fields) ?? `one of ${SIGNAL_KINDS.join(', ')} is accepted`
    return reject('missing-field', `kind is missing; ${hint}`)
  }
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
function findUnknown(fields: Readonly<Record<string, unknown>>): Rejection | undefined {
  const unknown = Object.keys(fields).filter(field => !(FIELDS as readonly string[]).includes(field))
  if (unknown.length === 0) return undefined
  const hint = hintOfFields(fields)
  if (hint !== undefined)
    return { code: 'unknown-field', detail: `schema and payload are not fields of a signal: ${hint}` }
  const named = unknown
    .slice(0, FIELDS_NAMED)
    .map(field => `${describe(field)} is not a field of a signal; ${suggestName(field, FIELDS, 'remove it')}`)
  const rest = unknown.length > FIELDS_NAMED ? [`and ${unknown.length - FIELDS_NAMED} more fields`] : []
  const accepted = `${FIELDS.join(', ')} are accepted, and other details in properties`
  return { code: 'unknown-field', detail: [...named, ...rest, accepted].join('; ') }
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

function isSignalKind(value: unknown): value is SignalKind {
  return (SIGNAL_KINDS as readonly unknown[]).includes(value)
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
