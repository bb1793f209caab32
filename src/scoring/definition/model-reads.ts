import type { FeatureDefinition, Selection } from './feature-definition.ts'
import type { ModelDefinition } from './model-definition.ts'

// What an account keeps beyond its limits depends on what its models read (activity/keep.ts). A pattern of a
// model is a text without `*`, followed by one `*`; here it is the text alone.

/** The names and keys that a model writes, in full or as the beginning of some. */
export interface ModelReads {
  /** Series, `kind:name`. */
  readonly series: ReadonlySet<string>
  /** `kind:beginning` */
  readonly seriesPrefixes: readonly string[]
  /** Latest-wins keys, `kind.property`. */
  readonly keys: ReadonlySet<string>
  readonly keyPrefixes: readonly string[]
}

export function compileModelReads({ features, facets, rates, kpis }: ModelDefinition): ModelReads {
  const selections = [...features.flatMap(selectionsOf), ...rates.map(({ select }) => select)]
  const series = selections.flatMap(seriesOf)
  const keys = [
    ...features.flatMap(keysOf),
    ...facets.map(({ key }) => key),
    ...rates.flatMap(({ segments }) => segments.map(({ key }) => key)),
    ...(kpis?.csmKey === undefined ? [] : [kpis.csmKey]),
  ]
  return {
    series: new Set(series.filter(isExact)),
    seriesPrefixes: prefixesOf(series),
    keys: new Set(keys.filter(isExact)),
    keyPrefixes: prefixesOf(keys),
  }
}

/** Names that a selection leaves out count too: a name that is kept can be left out. */
function seriesOf({ kinds, names = [], except }: Selection): string[] {
  return kinds.flatMap(kind => [...names, ...except].map(name => `${kind}:${name}`))
}

function isExact(name: string): boolean {
  return !name.endsWith('*')
}

function prefixesOf(names: readonly string[]): string[] {
  return [...new Set(names.filter(name => !isExact(name)).map(name => name.slice(0, -1)))]
}

/** The selections of signals in a feature. */
export function selectionsOf(feature: FeatureDefinition): Selection[] {
  if ('select' in feature) return [feature.select]
  return feature.type === 'growth' && 'select' in feature.of ? [feature.of.select] : []
}

/** The latest-wins keys that a feature names, and their patterns. */
export function keysOf(feature: FeatureDefinition): string[] {
  switch (feature.type) {
    case 'latest':
    case 'daysUntil':
    case 'daysSince':
      return [feature.key]
    case 'daysSustained':
      return feature.per === undefined ? [feature.key] : [feature.key, feature.per]
    case 'periodsSustained':
      return feature.per === undefined ? [] : [feature.per]
    case 'growth':
      return 'key' in feature.of ? [feature.of.key] : []
    case 'knownKeys':
      return [feature.pattern]
    case 'count':
    case 'sum':
    case 'distinctNames':
    case 'activeDays':
    case 'decayed':
    case 'daysSinceSignal':
    case 'distinctUsers':
    case 'powerUsers':
    case 'distinctValues':
    case 'newValues':
    case 'ratio':
    case 'largest':
    case 'smallest':
    case 'formula':
      return []
    default:
      return feature satisfies never
  }
}
