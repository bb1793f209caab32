import { featuresRead } from '../../scoring/definition/conditions.ts'
import type { FeatureDefinition, Formula } from '../../scoring/definition/model-definition.ts'
import { checkFeatureNames, malformedEntries, namesIn, wellFormedEntries } from '../blocks.ts'
import { checkExpressionsIn, readExpression, readFormula } from '../expressions/read-expression.ts'
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

/** Reads the features of a file, and makes the scope that conditions and rules read from. */
export function readFeatures(block: unknown, report: Report): Features {
  checkFeatureNames(block, PATH, report)
  const entries = wellFormedEntries<RawFeature>(block, PATH, report)
  const types = new Map<string, ValueType>(namesIn(block).map(name => [name, 'any']))
  for (const [name, raw] of entries) types.set(name, valueTypeOf(raw))
  const isComplete = types.size > 0
  const scope: Scope = {
    nameKind: 'feature',
    types,
    isComplete,
    tierNames: undefined,
    foreignNames: new Map(VARIABLES),
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
  for (const [name, raw] of malformedEntries(block, PATH, report)) {
    checkExpressionsIn(raw, [...PATH, name], scope, report)
  }
  const ordered = orderFeatures(definitions, names => {
    const cycle = names.join(' → ')
    report.add([...PATH, names[0]!], `${cycle} is a cycle; a feature may not read itself; break it`, 'key')
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
 * Reads the formulas of features in dependency order: the type of a formula follows from the features in it.
 * Cycles are not reported here. Within one, a formula that is not yet read has the type `any`.
 *
 * @param types the types of all features. Formulas begin as `any` and get their types here.
 * @returns the formulas without problems, by feature.
 */
function readFormulas(
  texts: ReadonlyMap<string, string | number>,
  types: Map<string, ValueType>,
  scope: Scope,
  pathOf: (name: string) => Path,
  report: Report,
): Map<string, Formula> {
  // At this point all formulas have the type `any`, so a text that cannot be read here never can be.
  const reads = new Map<string, readonly string[]>()
  for (const [name, text] of texts) {
    const read = typeof text === 'string' ? readExpression(text, 'formula', scope, () => {}) : undefined
    reads.set(name, read === undefined ? [] : featuresRead(read.expression))
  }
  const formulas = new Map<string, Formula>()
  const begun = new Set<string>()

  // Recursion is as deep as the longest chain of formulas: at most 200, as a model has at most 200 features.
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

/** The names of the features that a feature reads. */
function featuresReadBy(feature: FeatureDefinition): readonly string[] {
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
 * Sorts features in dependency order: each comes after the features that it reads; otherwise the given order
 * stays. `onCycle` gets every cycle, as the names along it, with the first name again at the end. With a
 * cycle the result is in no useful order.
 */
function orderFeatures(
  features: readonly FeatureDefinition[],
  onCycle: (names: readonly string[]) => void,
): FeatureDefinition[] {
  const byName = new Map(features.map(feature => [feature.name, feature]))
  const ordered = new Set<FeatureDefinition>()
  const above: string[] = []

  // Recursion is as deep as the longest chain of features: at most 200, as a model has at most 200 features.
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
