import { DAY_MS } from '../signals/time.ts'

export type PeriodUnit = 'day' | 'week' | 'month' | 'quarter' | 'year'

/** A span of time from `from` (included) to `to` (excluded), ms. */
export interface Period {
  readonly from: number
  readonly to: number
}

export interface Periods {
  readonly unit: PeriodUnit
  readonly periods: readonly Period[]
}

/** Enough for a month in days or half a year in weeks. */
const MAX_PERIODS = 31

const UNITS: readonly PeriodUnit[] = ['day', 'week', 'month', 'quarter', 'year']

/**
 * Divides a window into UTC days, weeks (from Monday), months, quarters or years. It takes the shortest unit
 * that gives at most 31 periods. The first and the last period may be shorter than the unit.
 */
export function choosePeriods(from: number, to: number): Periods {
  for (const unit of UNITS) {
    const periods = divide(from, to, unit, unit === 'year' ? Number.POSITIVE_INFINITY : MAX_PERIODS)
    if (periods !== undefined) return { unit, periods }
  }
  throw new Error(`no unit divides ${from} to ${to}`)
}

/** Undefined: there would be more than `maxPeriods`. */
function divide(from: number, to: number, unit: PeriodUnit, maxPeriods: number): Period[] | undefined {
  const periods: Period[] = []
  for (let start = from; start < to; ) {
    if (periods.length === maxPeriods) return undefined
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
