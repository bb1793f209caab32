import { describe, type Rejection, reject } from './rejection.ts'
import { parseRfc3339 } from './rfc3339.ts'
import type { PropertyValue } from './signal.ts'
import { MAX_AHEAD_MS, SIGNAL_LIMITS } from './signal-limits.ts'
import { untidiness } from './texts.ts'
import { HOUR_MS, LATEST_MS } from './time.ts'

// The checks of single fields of a signal. Each returns why a value is refused, and what is accepted.

const EARLIEST_MS = 0

export function checkQuantity(
  quantity: unknown,
  isAtEdge: boolean,
): { readonly thousandths: number } | { readonly rejection: Rejection } {
  const { quantity: largest, smallestQuantity } = SIGNAL_LIMITS
  if (typeof quantity !== 'number' || !Number.isFinite(quantity) || quantity < 0 || quantity > largest) {
    const accepted = `a number from 0 to ${largest} is accepted`
    return reject('invalid-field', `quantity is ${describe(quantity)}; ${accepted}`)
  }
  if (isAtEdge && quantity > 0 && quantity < smallestQuantity) {
    const accepted = `0, or a number from ${smallestQuantity} to ${largest}, is accepted`
    return reject('invalid-field', `quantity is ${quantity}, and would be rounded to 0; ${accepted}`)
  }
  // Without a sign: JSON has −0.
  return { thousandths: Math.abs(Math.round(quantity * 1000)) }
}

export function checkText(value: unknown, field: string, maxLength: number): Rejection | undefined {
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
export function checkTidyText(value: unknown, field: string, maxLength: number): Rejection | undefined {
  const problem = checkText(value, field, maxLength)
  const why = problem === undefined ? untidiness(value as string) : undefined
  if (why === undefined) return problem
  const detail = `${field} is ${describe(value)}, which ${why}; a text of 1 to ${maxLength} characters without these is accepted`
  return { code: 'invalid-field', detail }
}

const encoder = new TextEncoder()
/** Clients and proxies take them out of a URL, so `/v1/accounts/..` would never arrive. */
const DOT_SEGMENTS: readonly string[] = ['.', '..']

export function checkAccountId(accountId: string, isAtEdge: boolean): Rejection | undefined {
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
export function checkProperties(
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

export function checkTime(value: unknown, observedAt: number): { ms: number } | { rejection: Rejection } {
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
