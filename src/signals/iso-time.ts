import { DAY_MS, dayOf } from './time.ts'

/** How the dates of days are written, by the last six bits of the day's number: most times of a batch are of a few weeks. */
const knownDays = new Float64Array(64).fill(Number.NaN)
const knownDates = new Array<string>(64).fill('')

const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))
/** What `Date` can hold; and of its years, those that have four digits. */
const [FIRST_MS, LAST_MS] = [Date.UTC(1000, 0), Date.UTC(9999, 11, 31)]

/** As `toISOString` of a `Date`, without making one: `2026-01-05T10:11:12.345Z`. @throws RangeError where `Date` does */
export function isoTime(ms: number): string {
  if (!(ms >= FIRST_MS && ms < LAST_MS && Number.isInteger(ms))) return new Date(ms).toISOString()
  const day = dayOf(ms)
  const place = day & 63
  if (day !== knownDays[place]) {
    knownDates[place] = new Date(day * DAY_MS).toISOString().slice(0, 11)
    knownDays[place] = day
  }
  const ofDay = ms - day * DAY_MS
  const seconds = Math.floor(ofDay / 1000)
  const minutes = Math.floor(seconds / 60)
  const rest = ofDay - seconds * 1000
  const millis = rest < 10 ? `00${rest}` : rest < 100 ? `0${rest}` : rest
  return `${knownDates[place]}${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[seconds % 60]}.${millis}Z`
}
