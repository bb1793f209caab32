import { DAY_MS, dayOf, dayOfDate, HELD_DAYS } from '../../signals/time.ts'
import { Problem } from '../plugins/problems.ts'

/** UTC days since 1970-01-01, both included. */
export interface Period {
  readonly from: number
  readonly to: number
}

export const DATE_PATTERN = '^\\d{4}-\\d{2}-\\d{2}$'
export const EVERY = ['day', 'week', 'month', 'none'] as const
export type Every = (typeof EVERY)[number]

const DEFAULT_DAYS = 30
/**
 * One day less than accounts hold: an account's clock may be past the next midnight and have dropped one day
 * more.
 */
export const OFFERED_DAYS = HELD_DAYS - 1

/**
 * The period asked for. Without `to` it ends today; without `from` it has 30 days.
 * @throws Problem INVALID_PERIOD
 */
export function readPeriod(from: string | undefined, to: string | undefined, now: number): Period {
  const today = dayOf(now)
  const last = to === undefined ? today : readDay('to', to)
  const first = from === undefined ? last - DEFAULT_DAYS + 1 : readDay('from', from)
  if (first > last)
    throw new Problem(
      'INVALID_PERIOD',
      `from is ${dateOf(first)}, to is ${dateOf(last)}; from must be the same day or earlier.`,
    )
  if (last > today)
    throw new Problem(
      'INVALID_PERIOD',
      `to is ${dateOf(last)}, which has not come yet: today is ${dateOf(today)} in UTC; today or an earlier day is accepted.`,
    )
  const earliest = earliestDay(now)
  if (first < earliest)
    throw new Problem(
      'INVALID_PERIOD',
      `from is ${dateOf(first)}; only the last ${OFFERED_DAYS} days are available, so ${dateOf(earliest)} or later is accepted.`,
    )
  if (last - first >= OFFERED_DAYS)
    throw new Problem(
      'INVALID_PERIOD',
      `from ${dateOf(first)} to ${dateOf(last)} is ${last - first + 1} days; up to ${OFFERED_DAYS} are accepted.`,
    )
  return { from: first, to: last }
}

/** The earliest day that every account holds. */
export function earliestDay(now: number): number {
  return dayOf(now) - OFFERED_DAYS + 1
}

// every  a step ends on
// day    each day
// week   the last day of the period, and every seventh day before it
// month  the last day of each month, and of the period
// none   no day

/** The days of the period on which a step of the series ends, ascending. */
export function stepEnds({ from, to }: Period, every: Every): number[] {
  if (every === 'none') return []
  const days = Array.from({ length: to - from + 1 }, (_, i) => from + i)
  if (every === 'day') return days
  if (every === 'week') return days.filter(day => (to - day) % 7 === 0)
  return days.filter(day => day === to || dateOf(day + 1).endsWith('-01'))
}

/** `YYYY-MM-DD` */
export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

function readDay(field: string, text: string): number {
  const day = dayOfDate(text)
  if (day !== undefined) return day
  throw new Problem(
    'INVALID_PERIOD',
    `${field} is ${text}, and there is no such day; a date such as 2026-11-22 is accepted.`,
  )
}
