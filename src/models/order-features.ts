import { featuresRead } from '../scoring/definition/compile-expression.ts'
import type { FeatureDefinition } from '../scoring/definition/feature-definition.ts'

/** The names of the features that a feature is computed from. */
export function featuresReadBy(feature: FeatureDefinition): readonly string[] {
  switch (feature.type) {
    case 'ratio':
      return [feature.of, feature.to]
    case 'largest':
    case 'smallest':
      return feature.of
    case 'formula':
      return featuresRead(feature.formula.expression)
    default:
      return []
  }
}

/**
 * Features in dependency order: each after those that it reads, else in the order given. `onCycle` is told of every cycle,
 * as the names along it, the first one again at the end; what comes back is then in no useful order.
 */
export function orderFeatures(
  features: readonly FeatureDefinition[],
  onCycle: (names: readonly string[]) => void,
): FeatureDefinition[] {
  const byName = new Map(features.map(feature => [feature.name, feature]))
  const ordered = new Set<FeatureDefinition>()
  const above: string[] = []

  // As deep as the longest chain of features: at most the 200 that a model may have.
  function place(feature: FeatureDefinition): void {
    if (ordered.has(feature)) return
    const start = above.indexOf(feature.name)
    if (start >= 0) {
      onCycle([...above.slice(start), feature.name])
      return
    }
    above.push(feature.name)
    for (const name of featuresReadBy(feature)) {
      const read = byName.get(name)
      if (read !== undefined) place(read)
    }
    above.pop()
    ordered.add(feature)
  }

  for (const feature of features) place(feature)
  return [...ordered]
}
