import { finite } from '../../lib/round.ts'
import { compileExpression, featuresRead } from '../definition/compile-expression.ts'
import type { CompiledFeature } from '../definition/compiled-model.ts'
import type { Expression, Value } from '../definition/expression.ts'
import type { FeatureDefinition } from '../definition/feature-definition.ts'

/** A feature that is computed from other features. */
export type DerivedFeatureDefinition = Extract<
  FeatureDefinition,
  { type: 'ratio' | 'largest' | 'smallest' | 'formula' }
>

type Derived = Pick<CompiledFeature, 'derive' | 'dependsOn'>

/** Rules: docs/how-a-score-is-defined.md, "Features". */
export function compileDerivedFeature(
  definition: DerivedFeatureDefinition,
  slotOf: (name: string) => number,
): Derived {
  switch (definition.type) {
    case 'ratio':
      return compileRatio(slotOf(definition.of), slotOf(definition.to))
    case 'largest':
      return compileChoice(definition.of.map(slotOf), Math.max)
    case 'smallest':
      return compileChoice(definition.of.map(slotOf), Math.min)
    case 'formula':
      return compileFormula(definition.formula.expression, slotOf)
    default:
      return definition satisfies never
  }
}

function compileRatio(of: number, to: number): Derived {
  return {
    derive: values => {
      const [a, b] = [values[of], values[to]]
      return typeof a !== 'number' || typeof b !== 'number' || b === 0 ? undefined : finite(a / b)
    },
    dependsOn: [of, to],
  }
}

function compileChoice(slots: readonly number[], choose: (a: number, b: number) => number): Derived {
  return {
    derive: values => {
      let chosen: number | undefined
      for (const slot of slots) {
        const value: Value = values[slot]
        if (typeof value === 'number') chosen = chosen === undefined ? value : choose(chosen, value)
      }
      return chosen
    },
    dependsOn: slots,
  }
}

function compileFormula(expression: Expression, slotOf: (name: string) => number): Derived {
  const compute = compileExpression(expression, slotOf)
  return {
    derive: values => {
      const value = compute(values)
      return typeof value === 'number' ? finite(value) : value
    },
    dependsOn: featuresRead(expression).map(slotOf),
  }
}
