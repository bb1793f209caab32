import type { Window } from '../scoring/definition/feature-definition.ts'
import { HELD_DAYS, HELD_HOURS } from '../signals/time.ts'
import type { Path } from './path.ts'
import type { Report } from './report.ts'

const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000 } as const
const LONGEST_SPAN_DAYS = 1000

/** A lookback window: `30d` or `24h`. Reports one that is longer than activity is held. */
export function readWindow(text: string, path: Path, report: Report): Window | undefined {
  if (text.endsWith('d')) {
    const length = readDays(text, path, report)
    return length === undefined ? undefined : { unit: 'day', length }
  }
  const length = Number.parseInt(text, 10)
  if (length > HELD_HOURS) {
    report.add(path, `found ${text}; activity is held by the hour for ${HELD_HOURS}h; use days`)
    return undefined
  }
  return { unit: 'hour', length }
}

/** A number of days: `30d`. Reports one that is more than `most`. */
export function readDays(text: string, path: Path, report: Report, most = HELD_DAYS): number | undefined {
  const days = Number.parseInt(text, 10)
  if (days <= most) return days
  const reason =
    most === HELD_DAYS ? `activity is held for ${HELD_DAYS}d` : `at most ${most}d is accepted here`
  report.add(path, `found ${text}; ${reason}; use a shorter one`)
  return undefined
}

/**
 * The half-life of what is counted in a window, in the window's unit. Reports one in another unit, and one that is longer than
 * activity is held.
 */
export function readHalfLife(text: string, window: Window, path: Path, report: Report): number | undefined {
  const halfLife = readWindow(text, path, report)
  if (halfLife === undefined || halfLife.unit === window.unit) return halfLife?.length
  const unit = `${window.unit}s`
  report.add(
    path,
    `found ${text} beside a window in ${unit}; a half-life has the window's unit; write ${unit}`,
  )
  return undefined
}

/** A length of time in ms: `30d`, `36h`, `15m`. Reports one beyond `mostDays`, and one shorter than `leastHours`. */
export function readSpan(
  text: string,
  path: Path,
  report: Report,
  leastHours = 0,
  mostDays = LONGEST_SPAN_DAYS,
): number | undefined {
  const ms = Number.parseInt(text, 10) * UNIT_MS[text.at(-1) as keyof typeof UNIT_MS]
  if (ms > mostDays * UNIT_MS.d) {
    report.add(path, `found ${text}; at most ${mostDays}d is accepted; use a shorter one`)
    return undefined
  }
  if (ms < leastHours * UNIT_MS.h) {
    report.add(path, `found ${text}; at least ${leastHours}h is accepted; use a longer one`)
    return undefined
  }
  return ms
}
