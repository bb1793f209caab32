import type { Value } from '../../../src/scoring/definition/expression.ts'
import type {
  Dimension,
  FeatureDefinition,
  Selection,
  Window,
} from '../../../src/scoring/definition/feature-definition.ts'
import type { ModelDefinition } from '../../../src/scoring/definition/model-definition.ts'
import { type Applied, type Moment, pairOf } from './slow-account.ts'
import { resultOf } from './slow-expressions.ts'
import {
  anniversary,
  dayOfDate,
  daysSustained,
  divisorOn,
  freshFact,
  growthOfKey,
  isBeyond,
  isNumberNow,
  latestFact,
} from './slow-facts.ts'
import { cut, dayOf, finite, HELD_DAYS, round6 } from './slow-numbers.ts'

/** Features, each read from all raw signals every time. */

export function readFeatures(model: ModelDefinition, moment: Moment): Map<string, Value> {
  const values = new Map<string, Value>()
  for (const feature of model.features) values.set(feature.name, readFeature(feature, moment, values))
  return values
}

export function readFeature(
  feature: FeatureDefinition,
  moment: Moment,
  values: ReadonlyMap<string, Value>,
): Value {
  switch (feature.type) {
    case 'count':
      return signalsIn(moment, feature.select, feature.window).length
    case 'sum':
      return quantityOf(signalsIn(moment, feature.select, feature.window))
    case 'distinctNames':
      return new Set(signalsIn(moment, feature.select, feature.window).map(pairOf)).size
    case 'activeDays':
      return new Set(signalsIn(moment, feature.select, feature.window).map(each => each[feature.window.unit]))
        .size
    case 'decayed':
      return decayedAmount(moment, feature)
    case 'distinctUsers':
      return [...lastSeenUsers(moment).values()].filter(day => day > moment.today - feature.windowDays).length
    case 'powerUsers': {
      const first = moment.today - feature.windowDays + 1
      const days = [...daysOfUsers(moment).values()].map(seen => [...seen].filter(day => day >= first).length)
      return days.filter(count => count >= feature.days).length
    }
    case 'distinctValues':
    case 'newValues': {
      const which = feature.type === 'newValues' ? 'first' : 'last'
      const seen = [...seenValues(moment, feature.dimension).values()]
      return seen.filter(days => days[which] > moment.today - feature.windowDays).length
    }
    // The fallback replaces every missing value: never sent, removed by null, of another type, or too old.
    case 'latest': {
      const value = freshFact(moment, feature.key, feature.maxAgeDays)
      return typeof value === feature.valueType ? (value as Value) : feature.fallback
    }
    case 'knownKeys': {
      const keys = new Set(moment.applied.flatMap(({ factsKept }) => [...factsKept.keys()]))
      const values = [...keys]
        .filter(key => matchesAny([feature.pattern], key))
        .map(key => freshFact(moment, key, feature.maxAgeDays))
      return values.filter(
        value => value !== undefined && value !== null && value !== false && value !== 0 && value !== '',
      ).length
    }
    case 'daysSustained':
      return daysSustained(moment, feature)
    case 'periodsSustained':
      return periodsSustained(moment, feature)
    case 'daysUntil':
    case 'daysSince': {
      const day = dayOfDate(latestFact(moment, feature.key)?.value)
      if (day === undefined) return undefined
      const until = feature.type === 'daysUntil'
      const other = feature.everyYear ? anniversary(day, moment.today, until) : day
      return cut(until ? other - moment.today : moment.today - other, feature.min, feature.max)
    }
    case 'daysSinceSignal': {
      const days = selectedSignals(moment, feature.select).map(({ day }) => day)
      if (days.length === 0) return undefined
      return Math.min(moment.today - days.reduce((a, b) => Math.max(a, b)), feature.max)
    }
    case 'growth':
      return 'key' in feature.of
        ? growthOfKey(moment, feature.of.key, feature.windowDays)
        : growthOfActivity(moment, feature.of.select, feature.of.measure, feature.windowDays)
    case 'ratio': {
      const of = values.get(feature.of)
      const to = values.get(feature.to)
      if (typeof of !== 'number' || typeof to !== 'number' || to === 0) return undefined
      return finite(of / to)
    }
    case 'largest':
    case 'smallest': {
      const known = feature.of.map(name => values.get(name)).filter(value => typeof value === 'number')
      if (known.length === 0) return undefined
      return known.reduce((a, b) => (feature.type === 'largest' ? Math.max(a, b) : Math.min(a, b)))
    }
    case 'formula': {
      const value = resultOf(feature.formula.expression, values)
      return typeof value === 'number' ? finite(value) : value
    }
  }
}

function selectedSignals({ held }: Moment, select: Selection): Applied[] {
  return held.filter(each => isSelected(each, select))
}

/** Choice: a pattern as a counted name is matched like any other text. */
export function isSelected({ signal, countedName }: Applied, { kinds, names, except }: Selection): boolean {
  return (
    countedName !== undefined &&
    kinds.some(kind => kind === signal.kind) &&
    (names === undefined || matchesAny(names, countedName)) &&
    !matchesAny(except, countedName)
  )
}

export function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some(pattern =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  )
}

/** A window needs no check of its upper end: no signal occurred after the clock. */
function signalsIn(moment: Moment, select: Selection, { unit, length }: Window): Applied[] {
  const now = unit === 'day' ? moment.today : moment.hour
  return selectedSignals(moment, select).filter(each => each[unit] > now - length)
}

/** Whole thousandths add up exactly in any order. They are cut where doubles stop to be exact. */
function quantityOf(signals: readonly Applied[]): number {
  const sum = signals.reduce((total, { signal }) => total + BigInt(signal.quantityThousandths), 0n)
  return Math.min(Number(sum), Number.MAX_SAFE_INTEGER) / 1000
}

function amountOf(signals: readonly Applied[], measure: 'count' | 'sum'): number {
  return measure === 'count' ? signals.length : quantityOf(signals)
}

/** Choice: all that was selected in one day (or hour) is one amount, whatever its names. */
function decayedAmount(
  moment: Moment,
  { select, window, measure, halfLife }: Extract<FeatureDefinition, { type: 'decayed' }>,
): number {
  const signals = signalsIn(moment, select, window)
  const now = window.unit === 'day' ? moment.today : moment.hour
  const buckets = [...new Set(signals.map(each => each[window.unit]))].sort((a, b) => a - b)
  const amounts = buckets.map(bucket => {
    const amount = amountOf(
      signals.filter(each => each[window.unit] === bucket),
      measure,
    )
    return amount * 2 ** (-(now - bucket) / halfLife)
  })
  return round6(amounts.reduce((a, b) => a + b, 0))
}

function daysOfUsers({ held }: Moment): Map<string, Set<number>> {
  const days = new Map<string, Set<number>>()
  for (const { signal, day } of held) {
    if (signal.userId === undefined || (signal.kind !== 'usage' && signal.kind !== 'intent')) continue
    const seen = days.get(signal.userId) ?? new Set()
    days.set(signal.userId, seen.add(day))
  }
  return days
}

function lastSeenUsers(moment: Moment): Map<string, number> {
  return new Map([...daysOfUsers(moment)].map(([user, days]) => [user, Math.max(...days)]))
}

/**
 * The first and last seen day of each held value. Choice: a value is forgotten as a whole, when its last seen
 * day is forgotten. Until then its first day counts, however old it is. So an old value does not become new
 * when its first day is 400 days ago.
 */
export function seenValues(
  { applied, today }: Moment,
  dimension: Dimension,
): Map<string, { first: number; last: number }> {
  const seen = new Map<string, { first: number; last: number }>()
  for (const { valuesKept, day, appliedAt } of applied) {
    const value = valuesKept.get(dimension)
    if (value === undefined) continue
    const known = seen.get(value)
    if (known === undefined || known.last <= dayOf(appliedAt) - HELD_DAYS) {
      seen.set(value, { first: day, last: day })
    } else {
      seen.set(value, { first: Math.min(known.first, day), last: Math.max(known.last, day) })
    }
  }
  return new Map([...seen].filter(([, { last }]) => last > today - HELD_DAYS))
}

/** A period's amount is divided by the divisor of the period's last day. */
function periodsSustained(
  moment: Moment,
  { select, measure, per, periodDays, level, max }: Extract<FeatureDefinition, { type: 'periodsSustained' }>,
): Value {
  if (per !== undefined && !isNumberNow(moment, per)) return undefined
  const signals = selectedSignals(moment, select)
  const isSustained = (period: number) => {
    const last = moment.today - period * periodDays
    const divisor = divisorOn(moment, per, last)
    const inPeriod = signals.filter(({ day }) => day > last - periodDays && day <= last)
    if (divisor === undefined) return false
    const quotient = finite(amountOf(inPeriod, measure) / divisor)
    return quotient !== undefined && isBeyond(quotient, level)
  }
  let periods = 0
  while (periods < max && isSustained(periods)) periods += 1
  return periods
}

/** Choice: each sum is divided by 1000 before the subtraction: (a/1000 - b/1000) / (b/1000). */
function growthOfActivity(
  moment: Moment,
  select: Selection,
  measure: 'count' | 'sum',
  windowDays: number,
): Value {
  const measured = (from: number, to: number) => {
    const signals = selectedSignals(moment, select).filter(({ day }) => day > from && day <= to)
    return amountOf(signals, measure)
  }
  const start = moment.today - windowDays
  const before = measured(start - windowDays, start)
  return before === 0 ? undefined : (measured(start, moment.today) - before) / before
}
