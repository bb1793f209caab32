import type { Value } from '../../../src/scoring/definition/expression.ts'
import type { FeatureDefinition, Level } from '../../../src/scoring/definition/feature-definition.ts'
import type { PropertyValue } from '../../../src/signals/signal.ts'
import type { Moment } from './slow-account.ts'
import { DAY_MS, dayOf, finite } from './slow-numbers.ts'

/** Latest-wins values, their histories and dates, each read from all raw signals every time. */

/** Choice: null is a value like any other here. A number that occurred before the null does not come back. */
export function latestFact(
  { applied }: Moment,
  key: string,
): { value: PropertyValue; occurredAt: number } | undefined {
  let latest: { value: PropertyValue; occurredAt: number } | undefined
  for (const { signal, factsKept } of applied) {
    const value = factsKept.get(key)
    if (value === undefined || signal.occurredAt < (latest?.occurredAt ?? signal.occurredAt)) continue
    latest = { value, occurredAt: signal.occurredAt }
  }
  return latest
}

/** The key's present value, unless it is older than `maxAgeDays`. */
export function freshFact(
  moment: Moment,
  key: string,
  maxAgeDays: number | undefined,
): PropertyValue | undefined {
  const fact = latestFact(moment, key)
  if (fact === undefined) return undefined
  const isTooOld = maxAgeDays !== undefined && dayOf(fact.occurredAt) < moment.today - maxAgeDays
  return isTooOld ? undefined : fact.value
}

/**
 * The entry of a key's daily history for the latest day ≤ `until`. Choice: a number enters the history of its
 * day even if it came too late to be the key's value.
 */
function entryUntil({ applied }: Moment, key: string, until: number): number | undefined {
  // Forgets nothing. The latest entry of the forgotten days stays, and no question reaches an earlier one.
  let latest: { value: number; occurredAt: number } | undefined
  for (const { signal, day, factsKept } of applied) {
    const value = factsKept.get(key)
    if (typeof value !== 'number' || day > until) continue
    // The highest `occurredAt` is also on the latest day.
    if (signal.occurredAt >= (latest?.occurredAt ?? signal.occurredAt))
      latest = { value, occurredAt: signal.occurredAt }
  }
  return latest?.value
}

/** If a key's present value is not a number, the feature is unknown, whatever the key's history is. */
export function isNumberNow(moment: Moment, key: string): boolean {
  return typeof latestFact(moment, key)?.value === 'number'
}

/** The divisor of a value on a day. Undefined: there is none, or it is 0. */
export function divisorOn(moment: Moment, per: string | undefined, day: number): number | undefined {
  if (per === undefined) return 1
  const entry = entryUntil(moment, per, day)
  return entry === 0 ? undefined : entry
}

export function isBeyond(value: number, { edge, limit }: Level): boolean {
  return edge === 'from' ? value >= limit : value > limit
}

/**
 * A day's value is the history's entry for the latest day up to it, divided by the divisor of that day. A day
 * without a known value ends the row, like a day below the level.
 */
export function daysSustained(
  moment: Moment,
  { key, per, level, max }: Extract<FeatureDefinition, { type: 'daysSustained' }>,
): Value {
  if (!isNumberNow(moment, key) || (per !== undefined && !isNumberNow(moment, per))) return undefined
  const isSustained = (day: number) => {
    const value = entryUntil(moment, key, day)
    const divisor = divisorOn(moment, per, day)
    if (value === undefined || divisor === undefined) return false
    const quotient = finite(value / divisor)
    return quotient !== undefined && isBeyond(quotient, level)
  }
  let days = 0
  while (days < max && isSustained(moment.today - days)) days += 1
  return days
}

export function growthOfKey(moment: Moment, key: string, windowDays: number): Value {
  const now = latestFact(moment, key)?.value
  const before = entryUntil(moment, key, moment.today - windowDays)
  if (typeof now !== 'number' || before === undefined || before === 0) return undefined
  return finite((now - before) / Math.abs(before))
}

/**
 * Choice: the first ten characters of a text count, whatever follows. A number counts ms. Numbers of other
 * units are too small or too large, or have decimals.
 */
export function dayOfDate(value: PropertyValue | undefined): number | undefined {
  if (typeof value === 'number') {
    const isMs = value % 1 === 0 && value >= 100_000_000_000 && dayOf(value) < 65_535
    return isMs || value === 65_535 * DAY_MS ? dayOf(value) : undefined
  }
  if (typeof value !== 'string') return undefined
  const parts = /^(\d{4})-(\d{2})-(\d{2})/.exec(value)
  if (parts === null) return undefined
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number]
  const date = new Date(calendarDay(year, month - 1, day) * DAY_MS)
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return isReal ? dayOf(date.getTime()) : undefined
}

/** The day of a date whose parts may overflow: 29 February is 1 March in a year without one. */
function calendarDay(year: number, month: number, day: number): number {
  return dayOf(new Date(0).setUTCFullYear(year, month, day))
}

export function anniversary(day: number, today: number, next: boolean): number {
  const date = new Date(day * DAY_MS)
  const year = new Date(today * DAY_MS).getUTCFullYear()
  const inYear = (of: number) => calendarDay(of, date.getUTCMonth(), date.getUTCDate())
  const thisYear = inYear(year)
  if (next) return thisYear >= today ? thisYear : inYear(year + 1)
  return thisYear <= today ? thisYear : inYear(year - 1)
}
