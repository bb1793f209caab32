import { InvalidArgumentError } from 'commander'
import { parseRfc3339 } from '../signals/rfc3339.ts'

// Values of options. Each function throws commander's InvalidArgumentError, which says what is accepted.

const LONGEST_HORIZON_DAYS = 1000

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number from 0 is accepted')
  return Number(text)
}

export function positiveNumber(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('a whole number from 1 is accepted')
  return number
}

export function portNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('a port from 0 to 65535 is accepted')
  return Number(text)
}

/** For an option with several values: commander calls it once for each, with the numbers before. */
export function wholeNumbers(text: string, before: readonly number[] | undefined): number[] {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('whole numbers from 0 are accepted')
  return [...(before ?? []), Number(text)]
}

/** `90d` → 90. */
export function horizonDays(text: string): number {
  const days = Number(/^(\d{1,4})d$/.exec(text)?.[1])
  if (!(days >= 1 && days <= LONGEST_HORIZON_DAYS))
    throw new InvalidArgumentError(`whole days from 1d to ${LONGEST_HORIZON_DAYS}d are accepted, such as 90d`)
  return days
}

/** The name becomes a part of topic names. */
export function replayName(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,60}$/.test(text))
    throw new InvalidArgumentError(
      '1 to 60 letters, digits, underscores and hyphens are accepted, such as v2',
    )
  return text
}

/** A UTC day or an RFC 3339 time, as ms. */
export function time(text: string): number {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text)
  const ms = parseRfc3339(isDay ? `${text}T00:00:00Z` : text)
  if (ms === undefined)
    throw new InvalidArgumentError(
      'a UTC day or a time is accepted, such as 2026-08-01 or 2026-08-01T12:00:00Z',
    )
  return ms
}

export function timeOrNow(text: string): number | 'now' {
  return text === 'now' ? text : time(text)
}
