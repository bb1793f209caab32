import type { FeatureDefinition } from '../scoring/definition/feature-definition.ts'
import { checkNumberFeature, type Scope } from './feature-scope.ts'
import { readFormulas } from './formulas.ts'
import { checkFeatureNames } from './names.ts'
import { featuresReadBy, orderFeatures } from './order-features.ts'
import type { RawFeature } from './raw-model.ts'
import { readFeature, valueTypeOf } from './read-feature.ts'
import type { Report } from './report.ts'
import { salvageConditions } from './salvage-conditions.ts'
import { namesIn, soundEntries, unsoundEntries } from './sound-entries.ts'
import type { ValueType } from './value-types.ts'

const PATH = ['features']
const VARIABLES = ['score', 'tier'].map(
  name =>
    [
      name,
      `${name} is a variable in triggers and alerts only; features are accepted here; move it there`,
    ] as const,
)

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
  const isComplete = types.size > 0
  const scope: Scope = {
    what: 'feature',
    types,
    isComplete,
    tierNames: undefined,
    outOfReach: new Map(VARIABLES),
  }
  const texts = new Map<string, string | number>()
  for (const [name, raw] of entries) if (raw.formula !== undefined) texts.set(name, raw.formula)
  const formulas = readFormulas(texts, types, scope, name => [...PATH, name, 'formula'], report)

  const definitions: FeatureDefinition[] = []
  for (const [name, raw] of entries) {
    const definition = texts.has(name)
      ? readFormulaFeature(name, formulas)
      : readFeature(name, raw, [...PATH, name], report)
    if (definition === undefined) continue
    definitions.push(definition)
    if (definition.type === 'formula') continue
    featuresReadBy(definition).forEach((read, index) => {
      checkNumberFeature(read, [...PATH, name, definition.type, index], scope, report)
    })
  }
  for (const [name, raw] of unsoundEntries(block, PATH, report)) {
    salvageConditions(raw, [...PATH, name], scope, report)
  }
  const ordered = orderFeatures(definitions, names => {
    const circle = names.join(' → ')
    report.add([...PATH, names[0]!], `${circle} is a circle; a feature may not read itself; break it`, 'key')
  })
  return { definitions: ordered, scope }
}

function readFormulaFeature(
  name: string,
  formulas: ReturnType<typeof readFormulas>,
): FeatureDefinition | undefined {
  const formula = formulas.get(name)
  return formula && { name, type: 'formula', formula }
}
