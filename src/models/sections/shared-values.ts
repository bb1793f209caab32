import type { Selection, Window } from '../../scoring/definition/model-definition.ts'
import { HELD_DAYS, HELD_HOURS } from '../../signals/time.ts'
import type { Report } from '../problems.ts'
import type { RawSelection } from '../raw-model.ts'
import type { Path } from '../yaml/path.ts'

const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000 } as const
const MAX_DURATION_DAYS = 1000

/** Reads a lookback window: `30d` or `24h`. Reports a window that is longer than activity is kept. */
export function readWindow(text: string, path: Path, report: Report): Window | undefined {
  if (text.endsWith('d')) {
    const length = readDays(text, path, report)
    return length === undefined ? undefined : { unit: 'day', length }
  }
  const length = Number.parseInt(text, 10)
  if (length > HELD_HOURS) {
    report.add(path, `found ${text}; activity is kept by the hour for ${HELD_HOURS}h; use days`)
    return undefined
  }
  return { unit: 'hour', length }
}

/** Reads a number of days: `30d`. Reports a number above `maxDays`. */
export function readDays(text: string, path: Path, report: Report, maxDays = HELD_DAYS): number | undefined {
  const days = Number.parseInt(text, 10)
  if (days <= maxDays) return days
  const reason =
    maxDays === HELD_DAYS ? `activity is kept for ${HELD_DAYS}d` : `at most ${maxDays}d is accepted here`
  report.add(path, `found ${text}; ${reason}; use a shorter one`)
  return undefined
}

/** Reads the half-life of a decayed sum. Reports another unit than the window, and more than is kept. */
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

/** Reads a duration in ms: `30d`, `36h`, `15m`. Reports one above `maxDays` or below `minHours`. */
export function readDurationMs(
  text: string,
  path: Path,
  report: Report,
  minHours = 0,
  maxDays = MAX_DURATION_DAYS,
): number | undefined {
  const ms = Number.parseInt(text, 10) * UNIT_MS[text.at(-1) as keyof typeof UNIT_MS]
  if (ms > maxDays * UNIT_MS.d) {
    report.add(path, `found ${text}; at most ${maxDays}d is accepted; use a shorter one`)
    return undefined
  }
  if (ms < minHours * UNIT_MS.h) {
    report.add(path, `found ${text}; at least ${minHours}h is accepted; use a longer one`)
    return undefined
  }
  return ms
}

/** Reads which signals count. The default is all names of usage and intent. */
export function readSelection(raw: RawSelection): Selection {
  const { of = ['usage', 'intent'], names, except = [] } = raw
  return {
    kinds: listOf(of),
    names: names === undefined ? undefined : listOf(names),
    except: listOf(except),
  }
}

/** Makes a list of one value or a list of values. */
export function listOf<Item extends string | number | boolean>(value: Item | readonly Item[]): Item[] {
  return typeof value === 'object' ? [...value] : [value]
}
