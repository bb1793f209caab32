import type { FeatureDefinition, Window } from '../scoring/definition/feature-definition.ts'
import { HELD_DAYS } from '../signals/time.ts'
import { readDays, readHalfLife, readWindow } from './durations.ts'
import { describeFound, type Path } from './path.ts'
import type { RawDayDistance, RawDecayableSelection, RawFeature, RawValues } from './raw-model.ts'
import { readSelection } from './read-selection.ts'
import { readDaysSustained, readPeriodsSustained } from './read-sustained.ts'
import type { Report } from './report.ts'
import { describeType, typeOfValue, type ValueType } from './value-types.ts'

const VALUE_TYPES = { number: 'number', text: 'string', flag: 'boolean' } as const

/** Most users of an active account are seen every day: a longer window would have to keep as many days of each of them. */
const LONGEST_POWER_DAYS = 30

/** The type of a feature's values. A formula's follows from what it reads: `any` here. */
export function valueTypeOf(raw: RawFeature): ValueType {
  if (raw.formula !== undefined) return 'any'
  return raw.latest === undefined ? 'number' : (raw.type ?? 'number')
}

/** One feature of the file, but for formulas; undefined if something in it was reported. The features that it reads are not looked at here. */
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
    if (window === undefined) return undefined
    if (type === 'count' || type === 'sum')
      return readAmountInWindow(name, type, raw[type]!, window, [...path, type], report)
    return { name, type, select: readSelection(selection), window }
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
  if (raw.powerUsers !== undefined)
    return readPowerUsers(name, raw.powerUsers, [...path, 'powerUsers'], report)
  if (raw.knownKeys !== undefined) return readKnownKeys(name, raw.knownKeys, [...path, 'knownKeys'], report)
  if (raw.daysSustained !== undefined) return readDaysSustained(name, raw.daysSustained)
  if (raw.periodsSustained !== undefined)
    return readPeriodsSustained(name, raw.periodsSustained, [...path, 'periodsSustained'], report)
  if (raw.daysSinceSignal !== undefined) {
    const { to = HELD_DAYS, ...selection } = raw.daysSinceSignal
    return { name, type: 'daysSinceSignal', select: readSelection(selection), max: to }
  }
  if (raw.ratio !== undefined) return { name, type: 'ratio', of: raw.ratio[0], to: raw.ratio[1] }
  if (raw.latest !== undefined) return readLatest(name, raw.latest, raw, path, report)
  return readGrowth(name, raw, [...path, 'growth'], report)
}

function readAmountInWindow(
  name: string,
  measure: 'count' | 'sum',
  raw: RawDecayableSelection,
  window: Window,
  path: Path,
  report: Report,
): FeatureDefinition | undefined {
  const select = readSelection(raw)
  if (raw.halfLife === undefined) return { name, type: measure, select, window }
  const halfLife = readHalfLife(raw.halfLife, window, [...path, 'halfLife'], report)
  return halfLife === undefined ? undefined : { name, type: 'decayed', measure, select, window, halfLife }
}

function readPowerUsers(
  name: string,
  raw: NonNullable<RawFeature['powerUsers']>,
  path: Path,
  report: Report,
): FeatureDefinition | undefined {
  const windowDays = readDays(raw.within, [...path, 'within'], report, LONGEST_POWER_DAYS)
  if (windowDays === undefined) return undefined
  if (raw.days > windowDays) {
    const found = `found ${raw.days} days of ${windowDays}; at most all days of the window are accepted`
    report.add([...path, 'days'], `${found}; lower days or raise within`)
    return undefined
  }
  return { name, type: 'powerUsers', days: raw.days, windowDays }
}

function readKnownKeys(
  name: string,
  raw: NonNullable<RawFeature['knownKeys']>,
  path: Path,
  report: Report,
): FeatureDefinition | undefined {
  const maxAgeDays = raw.within === undefined ? undefined : readDays(raw.within, [...path, 'within'], report)
  if (raw.within !== undefined && maxAgeDays === undefined) return undefined
  return { name, type: 'knownKeys', pattern: raw.of, maxAgeDays }
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
  const { type = 'number', default: fallback, within } = raw
  if (fallback !== undefined && typeOfValue(fallback) !== type) {
    const found = `found ${describeFound(fallback)}; ${name} is ${describeType(type)}`
    report.add([...path, 'default'], `${found}; its default is one too; change it, or its type`)
    return undefined
  }
  const maxAgeDays = within === undefined ? undefined : readDays(within, [...path, 'within'], report)
  if (within !== undefined && maxAgeDays === undefined) return undefined
  return { name, type: 'latest', key, valueType: VALUE_TYPES[type], maxAgeDays, fallback }
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
