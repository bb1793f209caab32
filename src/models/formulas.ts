import { featuresRead } from '../scoring/definition/compile-expression.ts'
import type { Formula } from '../scoring/definition/expression.ts'
import { readExpression, readFormula } from './conditions.ts'
import type { Scope } from './feature-scope.ts'
import type { Path } from './path.ts'
import type { Report } from './report.ts'
import type { ValueType } from './value-types.ts'

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
