import { featuresRead } from '../../scoring/definition/conditions.ts'
import type { FeatureDefinition, Formula } from '../../scoring/definition/model-definition.ts'
import { checkFeatureNames, namesIn, soundEntries, unsoundEntries } from '../blocks.ts'
import { readExpression, readFormula, salvageConditions } from '../expressions/read-expression.ts'
import { checkNumberFeature, type Scope, type ValueType } from '../expressions/scope.ts'
import type { Report } from '../problems.ts'
import type { RawFeature } from '../raw-model.ts'
import type { Path } from '../yaml/path.ts'
import { readFeature, valueTypeOf } from './read-feature.ts'

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

/**
 * Reads the formulas of features, each after those that it reads, as the type of a formula follows from what it reads.
 * Circles are not reported here: in one, a formula that is not read yet is of any type.
 *
 * @param types of all features, formulas as `any`; the formulas' types are put in.
 * @returns the formulas in which nothing is wrong, by the feature's name.
 */
export function readFormulas(
  texts: ReadonlyMap<string, string | number>,
  types: Map<string, ValueType>,
  scope: Scope,
  pathOf: (name: string) => Path,
  report: Report,
): Map<string, Formula> {
  // While every formula is of any type, one that cannot be read never can.
  const reads = new Map<string, readonly string[]>()
  for (const [name, text] of texts) {
    const read = typeof text === 'string' ? readExpression(text, 'formula', scope, () => {}) : undefined
    reads.set(name, read === undefined ? [] : featuresRead(read.expression))
  }
  const formulas = new Map<string, Formula>()
  const begun = new Set<string>()

  // As deep as the longest chain of formulas: at most the 200 features that a model may have.
  function read(name: string): void {
    const text = texts.get(name)
    if (text === undefined || begun.has(name)) return
    begun.add(name)
    reads.get(name)?.forEach(read)
    const typed = readFormula(text, pathOf(name), scope, report)
    if (typed === undefined) return
    formulas.set(name, typed.formula)
    types.set(name, typed.type)
  }
  for (const name of texts.keys()) read(name)
  return formulas
}

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
