import { DAY_MS } from '../signals/time.ts'

export type PeriodUnit = 'day' | 'week' | 'month' | 'quarter' | 'year'

/** From `from` (included) to `to` (excluded), ms. */
export interface Period {
  readonly from: number
  readonly to: number
}

export interface Periods {
  readonly unit: PeriodUnit
  readonly periods: readonly Period[]
}

/** A month of days fits, and so does half a year of weeks. */
const MOST_PERIODS = 31

const UNITS: readonly PeriodUnit[] = ['day', 'week', 'month', 'quarter', 'year']

/** A window in UTC days, weeks (from Monday), months, quarters or years: the shortest of which there are at most 31. The first and the last may be parts of one. */
export function choosePeriods(from: number, to: number): Periods {
  for (const unit of UNITS) {
    const periods = cut(from, to, unit, unit === 'year' ? Number.POSITIVE_INFINITY : MOST_PERIODS)
    if (periods !== undefined) return { unit, periods }
  }
  throw new Error(`no unit divides ${from} to ${to}`)
}

/** Undefined: there are more than `most`. */
function cut(from: number, to: number, unit: PeriodUnit, most: number): Period[] | undefined {
  const periods: Period[] = []
  for (let start = from; start < to; ) {
    if (periods.length === most) return undefined
    const end = Math.min(to, nextStart(start, unit))
    periods.push({ from: start, to: end })
    start = end
  }
  return periods
}

/** 1970 began on a Thursday. */
const FIRST_MONDAY_MS = 4 * DAY_MS

function nextStart(time: number, unit: PeriodUnit): number {
  const date = new Date(time)
  switch (unit) {
    case 'day':
      return (Math.floor(time / DAY_MS) + 1) * DAY_MS
    case 'week':
      return (Math.floor((time - FIRST_MONDAY_MS) / (7 * DAY_MS)) + 1) * 7 * DAY_MS + FIRST_MONDAY_MS
    case 'month':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)
    case 'quarter':
      return Date.UTC(date.getUTCFullYear(), (Math.floor(date.getUTCMonth() / 3) + 1) * 3)
    case 'year':
      return Date.UTC(date.getUTCFullYear() + 1, 0)
    default:
      return unit satisfies never
  }
}
