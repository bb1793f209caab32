export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

/** How many days of buckets, seen days and history an activity holds. The longest window. */
export const HELD_DAYS = 400
/** How many hour buckets it holds. */
export const HELD_HOURS = 48

/** UTC days since 1970. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

/** UTC hours since 1970. */
export function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS)
}

/**
 * The UTC day of a date as signals carry it: `YYYY-MM-DD` with anything behind it, or ms since 1970.
 * Undefined if it is neither, or no such day exists.
 */
export function dayOfDate(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isNaN(new Date(value).getTime()) ? undefined : dayOf(value)
  if (typeof value !== 'string') return undefined
  const match = /^(\d{4})-(\d{2})-(\d{2})/.exec(value)
  if (match === null) return undefined
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  // Date.UTC would take the years 0 to 99 for 1900 to 1999.
  const date = new Date(new Date(0).setUTCFullYear(year, month - 1, day))
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  return date.getTime() / DAY_MS
}

/** The first day with the month and day of `dateDay` that is not before `today`; 29 February is 1 March in other years. */
export function nextAnniversary(dateDay: number, today: number): number {
  const year = new Date(today * DAY_MS).getUTCFullYear()
  const inYear = anniversaryIn(dateDay, year)
  return inYear >= today ? inYear : anniversaryIn(dateDay, year + 1)
}

/** The last day with the month and day of `dateDay` that is not after `today`. */
export function lastAnniversary(dateDay: number, today: number): number {
  const year = new Date(today * DAY_MS).getUTCFullYear()
  const inYear = anniversaryIn(dateDay, year)
  return inYear <= today ? inYear : anniversaryIn(dateDay, year - 1)
}

function anniversaryIn(dateDay: number, year: number): number {
  const date = new Date(dateDay * DAY_MS)
  return Date.UTC(year, date.getUTCMonth(), date.getUTCDate()) / DAY_MS
}
