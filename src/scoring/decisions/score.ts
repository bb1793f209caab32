import { roundScore, roundTo6 } from '../../lib/round.ts'
import type { CompiledModel } from '../definition/compiled-model.ts'
import type { ModelDefinition } from '../definition/model-definition.ts'

/** Rules: docs/how-a-score-is-defined.md, "Score". */
export function groupPoints(model: CompiledModel, group: number, points: readonly (number | null)[]): number {
  const { definition, rules, rulesMax } = model.groups[group]!
  let sum = 0
  for (const rule of rules) sum += points[rule] ?? 0
  const included = maxIncluded(model, group, points)
  if (included !== rulesMax) sum = included === 0 ? 0 : (sum / included) * rulesMax
  return Math.min(definition.max, Math.max(0, sum))
}

/** The sum of `max` over the rules of a group that are not left out. */
export function maxIncluded(model: CompiledModel, group: number, points: readonly (number | null)[]): number {
  const { rules, rulesMax } = model.groups[group]!
  let included = 0
  let anyLeftOut = false
  for (const rule of rules) {
    if (points[rule] === null) anyLeftOut = true
    else included += model.rules[rule]!.definition.max
  }
  return anyLeftOut ? included : rulesMax
}

export function totalScore(model: CompiledModel, groups: readonly number[]): number {
  let total = 0
  for (let i = 0; i < groups.length; i++) total += model.groups[i]!.definition.weight * groups[i]!
  return asScore(model.definition, model.definition.score.scale * total)
}

/** Rounds and cuts a number as the model does with its scores. */
export function asScore({ score }: ModelDefinition, value: number): number {
  return Math.min(score.max, Math.max(score.min, roundScore(value, score.decimals)))
}

export function coverage(model: CompiledModel, known: readonly boolean[]): number {
  let covered = 0
  let weights = 0
  for (const { definition, rules, rulesMax } of model.groups) {
    let knownMax = 0
    for (const rule of rules) if (known[rule]) knownMax += model.rules[rule]!.definition.max
    covered += definition.weight * (knownMax / rulesMax)
    weights += definition.weight
  }
  return roundTo6(covered / weights)
}
