import { compileExpression, featuresRead } from './conditions.ts'
import type { Line, RuleDefinition, Value } from './model-definition.ts'

/** The points that a rule gives for a feature vector; undefined: what it reads is not known. */
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
        let unknown = false
        for (const { when, points } of cases) {
          if (when === undefined) return unknown ? undefined : points(values)
          const met = when(values)
          if (met === true) return points(values)
          unknown ||= met === undefined
        }
        return unknown ? undefined : 0
      }
    }
    default:
      return rule satisfies never
  }
}

function compileLine(line: Line, slotOf: (feature: string) => number): RulePoints {
  const slot = slotOf(line.of)
  const { corners } = line
  return values => {
    const x = values[slot]
    if (typeof x !== 'number') return undefined
    if (x <= corners[0]![0]) return corners[0]![1]
    for (let i = 1; i < corners.length; i++) {
      const [x1, points1] = corners[i]!
      if (x > x1) continue
      // The corner itself, not what rounding would make of it.
      if (x === x1) return points1
      const [x0, points0] = corners[i - 1]!
      return points0 + ((points1 - points0) * (x - x0)) / (x1 - x0)
    }
    return corners.at(-1)![1]
  }
}

/** The features that a rule names itself, ascending. */
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
