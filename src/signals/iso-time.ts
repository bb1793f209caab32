import { DAY_MS, dayOf } from './time.ts'

/** `Date` can hold these, and their years have four digits. */
const FIRST_MS = Date.UTC(1000, 0)
const END_MS = Date.UTC(9999, 11, 31)

const [BARE, DASH, T, COLON, DOT] = ['', '-', 'T', ':', '.'].map(twoDigitsAnd) as [
  readonly string[],
  readonly string[],
  readonly string[],
  readonly string[],
  readonly string[],
]
const MILLIS_Z = Array.from({ length: 1000 }, (_, ms) => `${String(ms).padStart(3, '0')}Z`)

/** `00` to `99`, each with the text that follows it. */
function twoDigitsAnd(text: string): readonly string[] {
  return Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0') + text)
}

/**
 * `2026-01-05T10:11:12.345Z`, as `Date.toISOString` gives it, in a third of the time.
 * @throws RangeError where `Date` does
 */
export function isoTime(ms: number): string {
  if (!(ms >= FIRST_MS && ms < END_MS && Number.isInteger(ms))) return new Date(ms).toISOString()
  const days = dayOf(ms)
  const ofDay = ms - days * DAY_MS

  // Proleptic Gregorian calendar, as in `dayOfCivil`: days since 0000-03-01, in eras of 400 years (146,097
  // days). Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
  const marchDays = days + 719_468
  const era = Math.floor(marchDays / 146_097)
  const dayOfEra = marchDays - era * 146_097
  const leapDays = div(dayOfEra, 1460) - div(dayOfEra, 36_524) + div(dayOfEra, 146_096)
  const yearOfEra = div(dayOfEra - leapDays, 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + (yearOfEra >> 2) - div(yearOfEra, 100))
  const marchMonth = div(5 * dayOfYear + 2, 153)
  const day = dayOfYear - div(153 * marchMonth + 2, 5) + 1
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  const year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)

  const century = div(year, 100)
  const seconds = div(ofDay, 1000)
  const minutes = div(seconds, 60)
  const hours = div(minutes, 60)
  return (
    BARE[century]! +
    DASH[year - 100 * century]! +
    DASH[month]! +
    T[day]! +
    COLON[hours]! +
    COLON[minutes - 60 * hours]! +
    DOT[seconds - 60 * minutes]! +
    MILLIS_Z[ofDay - 1000 * seconds]!
  )
}

/** Quotient of integers from 0 to 2³¹ − 1. */
function div(a: number, b: number): number {
  return (a / b) | 0
}
