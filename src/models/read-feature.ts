import type { FeatureDefinition, Selection } from '../scoring/model-definition.ts'
import { HELD_DAYS } from '../scoring/time.ts'
import { readDays, readWindow } from './durations.ts'
import type { Path } from './path.ts'
import type { RawDayDistance, RawFeature, RawSelection, RawValues } from './raw-model.ts'
import type { Report } from './report.ts'
import type { ValueType } from './value-types.ts'

const VALUE_TYPES = { number: 'number', text: 'string', flag: 'boolean' } as const

export function valueTypeOf(raw: RawFeature): ValueType {
  return raw.latest === undefined ? 'number' : (raw.type ?? 'number')
}

/** One feature of the file; undefined if something in it was reported. The features that it reads are not looked at here. */
export function readFeature(
  name: string,
  raw: RawFeature,
  path: Path,
  report: Report,
): FeatureDefinition | undefined {
  for (const type of ['count', 'sum', 'distinctNames', 'activeDays'] as const) {
    const selection = raw[type]
    if (selection === undefined) continue
    const window = readWindow(selection.within, [...path, type, 'within'], report)
    return window && { name, type, select: readSelection(selection), window }
  }
  for (const type of ['distinctValues', 'newValues'] as const) {
    const values = raw[type]
    if (values !== undefined) return readValues(name, type, values, [...path, type], report)
  }
  for (const type of ['daysUntil', 'daysSince'] as const) {
    const distance = raw[type]
    if (distance !== undefined) return readDayDistance(name, type, distance, [...path, type], report)
  }
  for (const type of ['largest', 'smallest'] as const) {
    const of = raw[type]
    if (of !== undefined) return { name, type, of: [...of] }
  }
  if (raw.distinctUsers !== undefined) {
    const windowDays = readDays(raw.distinctUsers.within, [...path, 'distinctUsers', 'within'], report)
    return windowDays === undefined ? undefined : { name, type: 'distinctUsers', windowDays }
  }
  if (raw.daysSinceSignal !== undefined) {
    const { to = HELD_DAYS, ...selection } = raw.daysSinceSignal
    return { name, type: 'daysSinceSignal', select: readSelection(selection), max: to }
  }
  if (raw.ratio !== undefined) return { name, type: 'ratio', of: raw.ratio[0], to: raw.ratio[1] }
  if (raw.latest !== undefined) return readLatest(name, raw.latest, raw, path, report)
  return readGrowth(name, raw, [...path, 'growth'], report)
}

function readSelection(raw: RawSelection): Selection {
  const { of = ['usage', 'intent'], names } = raw
  return {
    kinds: typeof of === 'string' ? [of] : [...of],
    names: typeof names === 'string' ? [names] : names && [...names],
  }
}

function readValues(
  name: string,
  type: 'distinctValues' | 'newValues',
  raw: RawValues,
  path: Path,
  report: Report,
): FeatureDefinition | undefined {
  const windowDays = readDays(raw.within, [...path, 'within'], report)
  return windowDays === undefined ? undefined : { name, type, dimension: raw.of, windowDays }
}

function readDayDistance(
  name: string,
  type: 'daysUntil' | 'daysSince',
  raw: RawDayDistance,
  path: Path,
  report: Report,
): FeatureDefinition | undefined {
  const { date, from = -HELD_DAYS, to = HELD_DAYS, every } = raw
  if (from >= to) {
    const part = raw.to === undefined ? 'from' : 'to'
    report.add(
      [...path, part],
      `found from ${from} to ${to}; accepted: to above from; swap them or change one`,
    )
    return undefined
  }
  return { name, type, key: date, everyYear: every === 'year', min: from, max: to }
}

function readLatest(
  name: string,
  key: string,
  raw: RawFeature,
  path: Path,
  report: Report,
): FeatureDefinition | undefined {
  const maxAgeDays = raw.within === undefined ? undefined : readDays(raw.within, [...path, 'within'], report)
  if (raw.within !== undefined && maxAgeDays === undefined) return undefined
  return { name, type: 'latest', key, valueType: VALUE_TYPES[raw.type ?? 'number'], maxAgeDays }
}

function readGrowth(
  name: string,
  raw: RawFeature,
  path: Path,
  report: Report,
): FeatureDefinition | undefined {
  const growth = raw.growth!
  // A count or sum also reads the window before; a value also reads the day before the window.
  const most = growth.of === undefined ? HELD_DAYS / 2 : HELD_DAYS - 1
  const windowDays = readDays(growth.within, [...path, 'within'], report, most)
  if (windowDays === undefined) return undefined
  if (growth.of !== undefined) return { name, type: 'growth', of: { key: growth.of }, windowDays }
  const measure = growth.count === undefined ? 'sum' : 'count'
  return { name, type: 'growth', of: { select: readSelection(growth[measure]!), measure }, windowDays }
}
