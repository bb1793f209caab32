import type { FeatureDefinition, Level } from '../scoring/definition/feature-definition.ts'
import { HELD_DAYS } from '../signals/time.ts'
import { readDays } from './durations.ts'
import type { Path } from './path.ts'
import type { RawFeature, RawLevel, RawPeriodsSustained } from './raw-model.ts'
import { readSelection } from './read-selection.ts'
import type { Report } from './report.ts'

export function readDaysSustained(
  name: string,
  raw: NonNullable<RawFeature['daysSustained']>,
): FeatureDefinition {
  const { of, per, to = HELD_DAYS } = raw
  return { name, type: 'daysSustained', key: of, per, level: readLevel(raw), max: to }
}

/** Undefined if its periods reach back further than activity is held, which is then reported. */
export function readPeriodsSustained(
  name: string,
  raw: RawPeriodsSustained,
  path: Path,
  report: Report,
): FeatureDefinition | undefined {
  const periodDays = readDays(raw.every, [...path, 'every'], report)
  if (periodDays === undefined) return undefined
  const most = Math.floor(HELD_DAYS / periodDays)
  if (raw.to > most) {
    const found = `found ${raw.to} periods of ${periodDays} days; activity is held for ${HELD_DAYS} days`
    report.add([...path, 'to'], `${found}; at most ${most} is accepted here; lower it`)
    return undefined
  }
  const measure = raw.count === undefined ? 'sum' : 'count'
  const select = readSelection(raw[measure]!)
  const level = readLevel(raw)
  return { name, type: 'periodsSustained', measure, select, per: raw.per, periodDays, level, max: raw.to }
}

function readLevel(raw: RawLevel): Level {
  return raw.from === undefined ? { edge: 'above', limit: raw.above! } : { edge: 'from', limit: raw.from }
}
