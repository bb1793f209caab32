import type { FeatureDefinition } from '../definition/feature-definition.ts'
import { compileActivityGrowth, compileDaysSinceSignal, compileDecayed } from './decay-and-growth-features.ts'
import type { DerivedFeatureDefinition } from './derived-features.ts'
import { compileDate, compileKnownKeys, compileLatest, compileValueGrowth } from './fact-features.ts'
import type { RootFeature } from './root-feature.ts'
import { compileActiveUsers, compileSeenValues } from './seen-features.ts'
import { compileDaysSustained, compilePeriodsSustained } from './sustained-features.ts'
import { compileWindowed } from './windowed-features.ts'

export type RootFeatureDefinition = Exclude<FeatureDefinition, DerivedFeatureDefinition>

export function isRoot(definition: FeatureDefinition): definition is RootFeatureDefinition {
  return !Object.hasOwn(DERIVED, definition.type)
}

/** A new derived kind must be added here, or this does not compile. */
const DERIVED: Readonly<Record<DerivedFeatureDefinition['type'], true>> = {
  ratio: true,
  largest: true,
  smallest: true,
  formula: true,
}

/** Rules: docs/how-a-score-is-defined.md, "Features". */
export function compileRootFeature(definition: RootFeatureDefinition): RootFeature {
  switch (definition.type) {
    case 'count':
    case 'sum':
    case 'distinctNames':
    case 'activeDays':
      return compileWindowed(definition.type, definition.select, definition.window)
    case 'decayed':
      return compileDecayed(definition)
    case 'daysSinceSignal':
      return compileDaysSinceSignal(definition.select, definition.max)
    case 'distinctUsers':
      return compileActiveUsers(1, definition.windowDays)
    case 'powerUsers':
      return compileActiveUsers(definition.days, definition.windowDays)
    case 'distinctValues':
      return compileSeenValues('last', definition.dimension, definition.windowDays)
    case 'newValues':
      return compileSeenValues('first', definition.dimension, definition.windowDays)
    case 'latest':
      return compileLatest(definition)
    case 'knownKeys':
      return compileKnownKeys(definition)
    case 'daysUntil':
    case 'daysSince':
      return compileDate(definition)
    case 'daysSustained':
      return compileDaysSustained(definition)
    case 'periodsSustained':
      return compilePeriodsSustained(definition)
    case 'growth':
      return 'key' in definition.of
        ? compileValueGrowth(definition.of.key, definition.windowDays)
        : compileActivityGrowth(definition.of.select, definition.of.measure, definition.windowDays)
    default:
      return definition satisfies never
  }
}
