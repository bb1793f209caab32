import { isGateOpen } from '../../src/scoring/decisions/notice.ts'
import { coverage, groupPoints, totalScore } from '../../src/scoring/decisions/score.ts'
import { targetTier } from '../../src/scoring/decisions/tier.ts'
import { type Prospects, prospects } from '../../src/scoring/decisions/triggers.ts'
import type { CompiledModel } from '../../src/scoring/definition/compiled-model.ts'
import type { Value } from '../../src/scoring/definition/expression.ts'

/** The result of a model for given features. Nothing is remembered, and no time passes. */
export interface Evaluation {
  readonly score: number
  readonly coverage: number
  readonly groups: Readonly<Record<string, number>>
  readonly rules: Readonly<Record<string, { readonly points: number | null }>>
  /** The tier of an account that was in the lowest one before. */
  readonly tier: string
  /** The triggers whose condition is true, whether or not their gates are open. */
  readonly met: readonly string[]
  readonly gatesOpen: Readonly<Record<string, boolean>>
  /** The alerts whose condition is true. */
  readonly alerts: readonly string[]
  /** Keyed by trigger: what a PQL could bring. */
  readonly prospects: Readonly<Record<string, Prospects>>
  /** Given and derived features. */
  readonly features: Readonly<Record<string, Value>>
}

/** @param given root features by name, and derived ones that are not to be computed; others are unknown */
export function evaluateFeatures(model: CompiledModel, given: Readonly<Record<string, Value>>): Evaluation {
  const { definition } = model
  const values: Value[] = []
  for (const feature of model.features) {
    const isGiven = Object.hasOwn(given, feature.name)
    values.push(isGiven || feature.derive === undefined ? given[feature.name] : feature.derive(values))
  }
  const raw = model.rules.map(rule => rule.points(values))
  const points = model.rules.map(
    ({ definition: { missing } }, i) => raw[i] ?? (missing.type === 'points' ? missing.points : null),
  )
  const groups = model.groups.map((_, i) => groupPoints(model, i, points))
  const score = totalScore(model, groups)
  const tier = definition.tiers[targetTier(definition, 0, score)]!.name
  values[model.scoreSlot] = score
  values[model.tierSlot] = tier
  return {
    score,
    coverage: coverage(
      model,
      raw.map(given => given !== undefined),
    ),
    groups: Object.fromEntries(model.groups.map((group, i) => [group.definition.name, groups[i]!])),
    rules: Object.fromEntries(model.rules.map((rule, i) => [rule.definition.name, { points: points[i]! }])),
    tier,
    met: model.triggers
      .filter(trigger => trigger.met(values) === true)
      .map(trigger => trigger.definition.name),
    gatesOpen: Object.fromEntries(model.gates.map(gate => [gate.definition.name, isGateOpen(gate, values)])),
    alerts: model.alerts.filter(alert => alert.met(values) === true).map(alert => alert.definition.name),
    prospects: Object.fromEntries(
      model.triggers.map(trigger => [trigger.definition.name, prospects(values, trigger)]),
    ),
    features: Object.fromEntries(model.features.map(({ name }, slot) => [name, values[slot]])),
  }
}
