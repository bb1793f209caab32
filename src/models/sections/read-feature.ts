import type { FeatureDefinition, Level, Window } from '../../scoring/definition/feature-definition.ts'
import { HELD_DAYS } from '../../signals/time.ts'
import { describeType, typeOfValue, type ValueType } from '../expressions/scope.ts'
import type { Report } from '../problems.ts'
import type {
  RawDayDistance,
  RawDecayableSelection,
  RawFeature,
  RawLevel,
  RawPeriodsSustained,
  RawValues,
} from '../raw-model.ts'
import { describeFound, type Path } from '../yaml/path.ts'
import { readDays, readHalfLife, readSelection, readWindow } from './shared-values.ts'

const VALUE_TYPES = { number: 'number', text: 'string', flag: 'boolean' } as const

/** Most users of an active account are seen every day, and each day of the window is kept for each user. */
const MAX_POWER_DAYS = 30

/**
 * The type of a feature's values. A formula is `any` here: its type follows from the features that it reads.
 */
export function valueTypeOf(raw: RawFeature): ValueType {
  if (raw.formula !== undefined) return 'any'
  return raw.latest === undefined ? 'number' : (raw.type ?? 'number')
}

/**
 * Reads one feature of the file that is not a formula. The features that it reads are not checked here.
 * Undefined if it has no definition because of a reported problem.
 */
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
      return readCountOrSum(name, type, raw[type]!, window, [...path, type], report)
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
  if (raw.growth !== undefined) return readGrowth(name, raw, [...path, 'growth'], report)
  throw new Error(
    `the schema accepts a kind of feature that is not read here: ${Object.keys(raw).join(', ')}`,
  )
}

function readCountOrSum(
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
  const windowDays = readDays(raw.within, [...path, 'within'], report, MAX_POWER_DAYS)
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
    report.add(
      [...path, 'default'],
      `${found}; its default has the same type; change the default or the type`,
    )
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
  const maxDays = growth.of === undefined ? HELD_DAYS / 2 : HELD_DAYS - 1
  const windowDays = readDays(growth.within, [...path, 'within'], report, maxDays)
  if (windowDays === undefined) return undefined
  if (growth.of !== undefined) return { name, type: 'growth', of: { key: growth.of }, windowDays }
  const measure = growth.count === undefined ? 'sum' : 'count'
  return { name, type: 'growth', of: { select: readSelection(growth[measure]!), measure }, windowDays }
}

function readDaysSustained(name: string, raw: NonNullable<RawFeature['daysSustained']>): FeatureDefinition {
  const { of, per, to = HELD_DAYS } = raw
  return { name, type: 'daysSustained', key: of, per, level: readLevel(raw), max: to }
}

/** Undefined, and reported, if its periods reach back further than activity is kept. */
function readPeriodsSustained(
  name: string,
  raw: RawPeriodsSustained,
  path: Path,
  report: Report,
): FeatureDefinition | undefined {
  const periodDays = readDays(raw.every, [...path, 'every'], report)
  if (periodDays === undefined) return undefined
  const maxPeriods = Math.floor(HELD_DAYS / periodDays)
  if (raw.to > maxPeriods) {
    const found = `found ${raw.to} periods of ${periodDays} days; activity is kept for ${HELD_DAYS} days`
    report.add([...path, 'to'], `${found}; at most ${maxPeriods} is accepted here; lower it`)
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
