export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

/** Days of buckets, seen days and history that an activity holds. The longest lookback window. */
export const HELD_DAYS = 400
/** Hours of buckets that an activity holds. */
export const HELD_HOURS = 48

/** The latest time of a signal: user chunks keep a day in 16 bits. */
export const LATEST_MS = 65_535 * DAY_MS
/**
 * The earliest number that is a date: 3 March 1973. The ten digits of epoch seconds are smaller, as are days
 * and numbers such as 20260105; micro- and nanoseconds are larger than `LATEST_MS`.
 */
const EARLIEST_DATE_MS = 1e11

/** UTC days since 1970. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

/** UTC hours since 1970. */
export function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS)
}

/**
 * The UTC day of a date in a signal: `YYYY-MM-DD` with anything after it, or whole ms since 1970, from 1973
 * to 2149. Undefined: it is neither, or the day does not exist.
 */
export function dayOfDate(value: unknown): number | undefined {
  if (typeof value === 'number')
    return Number.isInteger(value) && value >= EARLIEST_DATE_MS && value <= LATEST_MS
      ? dayOf(value)
      : undefined
  if (typeof value !== 'string') return undefined
  const match = /^(\d{4})-(\d{2})-(\d{2})/.exec(value)
  if (match === null) return undefined
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  // Date.UTC would read the years 0 to 99 as 1900 to 1999.
  const date = new Date(new Date(0).setUTCFullYear(year, month - 1, day))
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  return date.getTime() / DAY_MS
}

/** The first day on or after `today` with this month and day. 29 February is 1 March in other years. */
export function nextAnniversary(dateDay: number, today: number): number {
  const year = new Date(today * DAY_MS).getUTCFullYear()
  const inYear = anniversaryIn(dateDay, year)
  return inYear >= today ? inYear : anniversaryIn(dateDay, year + 1)
}

/** The last day on or before `today` with the month and day of `dateDay`. */
export function lastAnniversary(dateDay: number, today: number): number {
  const year = new Date(today * DAY_MS).getUTCFullYear()
  const inYear = anniversaryIn(dateDay, year)
  return inYear <= today ? inYear : anniversaryIn(dateDay, year - 1)
}

function anniversaryIn(dateDay: number, year: number): number {
  const date = new Date(dateDay * DAY_MS)
  return Date.UTC(year, date.getUTCMonth(), date.getUTCDate()) / DAY_MS
}
