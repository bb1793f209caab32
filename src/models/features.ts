import type { FeatureDefinition } from '../scoring/model-definition.ts'
import { checkNumberFeature, type Scope } from './feature-scope.ts'
import { checkFeatureNames } from './names.ts'
import { featuresReadBy, orderFeatures } from './order-features.ts'
import type { RawFeature } from './raw-model.ts'
import { readFeature, valueTypeOf } from './read-feature.ts'
import type { Report } from './report.ts'
import { namesIn, soundEntries } from './sound-entries.ts'
import type { ValueType } from './value-types.ts'

const PATH = ['features']

export interface Features {
  /** In dependency order. */
  readonly definitions: readonly FeatureDefinition[]
  readonly scope: Scope
}

/** The features of a file, in dependency order, and the scope that they make for conditions and rules. */
export function readFeatures(block: unknown, report: Report): Features {
  checkFeatureNames(block, PATH, report)
  const entries = soundEntries<RawFeature>(block, PATH, report)
  const types = new Map<string, ValueType>(namesIn(block).map(name => [name, 'any']))
  for (const [name, raw] of entries) types.set(name, valueTypeOf(raw))
  const scope: Scope = { types, isComplete: types.size > 0, tierNames: undefined }

  const definitions: FeatureDefinition[] = []
  for (const [name, raw] of entries) {
    const definition = readFeature(name, raw, [...PATH, name], report)
    if (definition === undefined) continue
    definitions.push(definition)
    featuresReadBy(definition).forEach((read, index) => {
      checkNumberFeature(read, [...PATH, name, definition.type, index], scope, report)
    })
  }
  const ordered = orderFeatures(definitions, names => {
    const circle = names.join(' → ')
    report.add([...PATH, names[0]!], `${circle} is a circle; a feature may not read itself; break it`, 'key')
  })
  return { definitions: ordered, scope }
}
