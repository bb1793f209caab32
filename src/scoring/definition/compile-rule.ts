import { compileExpression, featuresRead } from './compile-expression.ts'
import type { Value } from './expression.ts'
import type { LinearPoints, RuleDefinition } from './model-definition.ts'

/** The points that a rule gives for a feature vector; undefined if the rule reads an unknown. */
export type RulePoints = (values: readonly Value[]) => number | undefined

/** Rules: docs/how-a-score-is-defined.md, "Score". */
export function compileRule(rule: RuleDefinition, slotOf: (feature: string) => number): RulePoints {
  switch (rule.type) {
    case 'line':
      return compileLine(rule.line, slotOf)
    case 'bands': {
      const slot = slotOf(rule.of)
      const { bands, below } = rule
      return values => {
        const value = values[slot]
        if (typeof value !== 'number') return undefined
        let points = below
        for (const band of bands)
          if (band.edge === 'from' ? value >= band.limit : value > band.limit) points = band.points
        return points
      }
    }
    case 'cases': {
      const cases = rule.cases.map(({ when, points }) => ({
        when: when === undefined ? undefined : compileExpression(when.expression, slotOf),
        points: typeof points === 'number' ? () => points : compileLine(points, slotOf),
      }))
      return values => {
        let anyUnknown = false
        for (const { when, points } of cases) {
          if (when === undefined) return anyUnknown ? undefined : points(values)
          const met = when(values)
          if (met === true) return points(values)
          anyUnknown ||= met === undefined
        }
        return anyUnknown ? undefined : 0
      }
    }
    default:
      return rule satisfies never
  }
}

function compileLine(line: LinearPoints, slotOf: (feature: string) => number): RulePoints {
  const slot = slotOf(line.of)
  const at = line.corners.map(([x]) => x)
  const points = line.corners.map(([, given]) => given)
  return values => {
    const x = values[slot]
    if (typeof x !== 'number') return undefined
    if (x <= at[0]!) return points[0]!
    for (let i = 1; i < at.length; i++) {
      if (x > at[i]!) continue
      // Returns the corner itself: the formula below could round it.
      if (x === at[i]) return points[i]!
      const before = points[i - 1]!
      return before + ((points[i]! - before) * (x - at[i - 1]!)) / (at[i]! - at[i - 1]!)
    }
    return points[points.length - 1]!
  }
}

/** The features that a rule names, ascending. */
export function ruleInputs(rule: RuleDefinition): string[] {
  switch (rule.type) {
    case 'line':
      return [rule.line.of]
    case 'bands':
      return [rule.of]
    case 'cases': {
      const names = new Set<string>()
      for (const { when, points } of rule.cases) {
        if (when !== undefined) for (const name of featuresRead(when.expression)) names.add(name)
        if (typeof points !== 'number') names.add(points.of)
      }
      return [...names].sort()
    }
    default:
      return rule satisfies never
  }
}
