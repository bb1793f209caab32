import type { Expression, Value } from '../../../src/scoring/definition/expression.ts'
import type {
  Case,
  GroupDefinition,
  LinearPoints,
  ModelDefinition,
  RuleDefinition,
} from '../../../src/scoring/definition/model-definition.ts'
import type { Contribution } from '../../../src/scoring/events.ts'
import { namedValues, namesIn, resultOf } from './slow-expressions.ts'
import { cut, round6, roundTo } from './slow-numbers.ts'

/** The score that a model's rules give for known features. */

interface Scored {
  readonly score: number
  readonly coverage: number
  readonly contributions: readonly Contribution[]
}

export function scoreModel(model: ModelDefinition, features: ReadonlyMap<string, Value>): Scored {
  const contributions: Contribution[] = []
  let total = 0
  let covered = 0
  let weights = 0
  for (const group of model.groups) {
    const scored = scoreGroup(group, features, model.score.scale)
    contributions.push(...scored.contributions)
    total += group.weight * scored.points
    covered += group.weight * scored.covered
    weights += group.weight
  }
  const { scale, min, max, decimals } = model.score
  return {
    score: cut(roundTo(total * scale, decimals), min, max),
    coverage: round6(covered / weights),
    contributions,
  }
}

function scoreGroup(group: GroupDefinition, features: ReadonlyMap<string, Value>, scale: number) {
  const rules = group.rules.map(rule => {
    const found = pointsOfRule(rule, features)
    const policy = rule.missing.type === 'points' ? rule.missing.points : undefined
    return { rule, known: found !== undefined, points: found ?? policy }
  })
  const sumOfMax = (of: typeof rules) => of.reduce((sum, { rule }) => sum + rule.max, 0)
  const maxOfAll = sumOfMax(rules)
  const included = rules.filter(({ points }) => points !== undefined)
  const maxOfIncluded = sumOfMax(included)
  const anyLeftOut = included.length < rules.length
  // Choice: rules with `max` 0 have nothing to share. If only such rules are left, the group gives 0, not 0 /
  // 0.
  const nothingToShareOut = anyLeftOut && maxOfIncluded === 0
  const sum = included.reduce((total, { points }) => total + (points ?? 0), 0)
  const shared = nothingToShareOut ? 0 : anyLeftOut ? (sum / maxOfIncluded) * maxOfAll : sum
  const factor = nothingToShareOut ? 0 : anyLeftOut ? maxOfAll / maxOfIncluded : 1
  return {
    points: cut(shared, 0, group.max),
    // Choice: a group in which every rule has `max` 0 covers nothing.
    covered: maxOfAll === 0 ? 0 : sumOfMax(rules.filter(({ known }) => known)) / maxOfAll,
    contributions: rules.map(
      ({ rule, known, points }): Contribution => ({
        group: group.name,
        rule: rule.name,
        points: points ?? null,
        max: rule.max,
        known,
        contribution: points === undefined ? 0 : round6(scale * group.weight * points * factor),
        inputs: namedValues(inputsOfRule(rule), features),
      }),
    ),
  }
}

/** Undefined: the rule is missing. */
function pointsOfRule(rule: RuleDefinition, features: ReadonlyMap<string, Value>): number | undefined {
  switch (rule.type) {
    case 'line':
      return pointsOnLine(rule.line, features)
    case 'bands': {
      const value = features.get(rule.of)
      if (typeof value !== 'number') return undefined
      const reached = rule.bands.findLast(({ edge, limit }) =>
        edge === 'from' ? value >= limit : value > limit,
      )
      return reached?.points ?? rule.below
    }
    case 'cases': {
      const conditional = rule.cases.filter(each => each.when !== undefined)
      const outcomes = conditional.map(each => resultOf(each.when!.expression, features))
      const met = outcomes.indexOf(true)
      if (met >= 0) return pointsOfCase(conditional[met]!, features)
      if (outcomes.includes(undefined)) return undefined
      const otherwise = rule.cases.find(each => each.when === undefined)
      return otherwise === undefined ? 0 : pointsOfCase(otherwise, features)
    }
  }
}

function pointsOfCase({ points }: Case, features: ReadonlyMap<string, Value>): number | undefined {
  return typeof points === 'number' ? points : pointsOnLine(points, features)
}

/** Choice: on a corner a line gives exactly the corner's points. The segment that begins there counts. */
function pointsOnLine(
  { of, corners }: LinearPoints,
  features: ReadonlyMap<string, Value>,
): number | undefined {
  const x = features.get(of)
  if (typeof x !== 'number') return undefined
  const next = corners.findIndex(([corner]) => x < corner)
  if (next === -1) return corners.at(-1)![1]
  if (next === 0) return corners[0]![1]
  const [x0, p0] = corners[next - 1]!
  const [x1, p1] = corners[next]!
  return p0 + ((p1 - p0) * (x - x0)) / (x1 - x0)
}

function inputsOfRule(rule: RuleDefinition): string[] {
  const feature = (name: string): Expression => ({ type: 'feature', name })
  switch (rule.type) {
    case 'line':
      return [rule.line.of]
    case 'bands':
      return [rule.of]
    case 'cases':
      return namesIn(
        rule.cases.flatMap(({ when, points }) => [
          ...(when === undefined ? [] : [when.expression]),
          ...(typeof points === 'number' ? [] : [feature(points.of)]),
        ]),
      )
  }
}
