import type { AccountActivity, Touched } from './activity.ts'
import { stepAlerts } from './alerts.ts'
import type { CompiledFeature } from './compile-model.ts'
import { isGateOpen } from './gates.ts'
import type { Value } from './model-definition.ts'
import type { Cause, ScoringEvent } from './outputs.ts'
import { overrideOf } from './overrides.ts'
import { asScore, coverage, groupPoints, totalScore } from './score.ts'
import type { Standing } from './standing.ts'
import { stepTier } from './tier.ts'
import { stepTriggers } from './triggers.ts'

/** Why a standing is evaluated: everything anew, time passed, or a signal touched something. */
export type Reason = 'everything' | 'time' | Touched

/**
 * Brings a standing up to the activity and its clock, and says what that changed. Only the features that can have changed are computed again, only the
 * rules that read those, only the groups above them: it must give what evaluating everything gives.
 */
export function evaluate(
  standing: Standing,
  activity: AccountActivity,
  accountId: string,
  reason: Reason,
  cause: Cause,
): ScoringEvent[] {
  const previousScore = standing.score
  const changed = updateFeatures(standing, activity, reason)
  if (reason === 'everything') updateScore(standing, undefined)
  else if (changed !== undefined) updateScore(standing, changed)
  updateFacets(standing, activity, reason)
  decideScore(standing, activity, accountId)
  const events: ScoringEvent[] = []
  const moved = stepTier(standing, activity.clock, accountId, previousScore, cause)
  if (moved !== undefined) events.push(moved)
  standing.values[standing.model.scoreSlot] = standing.score
  standing.values[standing.model.tierSlot] = standing.model.definition.tiers[standing.tier]!.name
  const gatesOpen = standing.model.gates.map(gate => isGateOpen(gate, standing.values))
  stepTriggers(standing, gatesOpen, activity.clock, accountId, cause, events)
  stepAlerts(standing, gatesOpen, activity.clock, accountId, cause, events)
  if (events.length > 0 || standing.score !== previousScore) {
    standing.changedAt = activity.clock
    standing.cause = cause
  }
  return events
}

/** What the account can be listed by; only facts change it. */
function updateFacets({ model, facets }: Standing, activity: AccountActivity, reason: Reason): void {
  if (reason === 'time' || (reason !== 'everything' && reason.keys.length === 0)) return
  for (const [i, { key }] of model.definition.facets.entries()) {
    const value = activity.latest.get(key)?.value ?? undefined
    facets[i] = value === undefined ? undefined : String(value)
  }
}

/** The score that holds. Rules: docs/how-a-score-is-defined.md, "Which accounts" and "Overrides". */
function decideScore(standing: Standing, activity: AccountActivity, accountId: string): void {
  const { model, values, rulesScore } = standing
  standing.inScope = model.includes?.(accountId, values) ?? true
  standing.override = overrideOf(activity.overrides, model.definition.id)
  const decided = standing.inScope ? standing.override?.score : 0
  standing.score = decided === undefined ? rulesScore : asScore(model.definition, decided)
}

/** Returns which slots changed, or undefined if none did. */
function updateFeatures(
  standing: Standing,
  activity: AccountActivity,
  reason: Reason,
): Uint8Array | undefined {
  const { features } = standing.model
  let changed: Uint8Array | undefined
  for (let slot = 0; slot < features.length; slot++) {
    const feature = features[slot]!
    const value = nextValue(feature, slot, standing.values, activity, reason, changed)
    if (Object.is(value, standing.values[slot])) continue
    standing.values[slot] = value
    changed ??= new Uint8Array(features.length)
    changed[slot] = 1
  }
  return changed
}

function nextValue(
  feature: CompiledFeature,
  slot: number,
  values: readonly Value[],
  activity: AccountActivity,
  reason: Reason,
  changed: Uint8Array | undefined,
): Value {
  if (feature.root !== undefined) {
    return reason === 'everything' || reason === 'time' || isTouched(feature.root.reads, reason)
      ? feature.root.compute(activity)
      : values[slot]
  }
  const stale = reason === 'everything' || feature.dependsOn.some(dependency => changed?.[dependency] === 1)
  return stale ? feature.derive!(values) : values[slot]
}

function isTouched(reads: NonNullable<CompiledFeature['root']>['reads'], touched: Touched): boolean {
  return (
    (touched.series !== undefined && reads.series?.(touched.series) === true) ||
    (touched.users && reads.users) ||
    (reads.dimension !== undefined && (touched.dimensions as readonly string[]).includes(reads.dimension)) ||
    (reads.key !== undefined && touched.keys.some(reads.key))
  )
}

/** `changed`: the slots whose rules are evaluated again; undefined: all of them. */
function updateScore(standing: Standing, changed: Uint8Array | undefined): void {
  const { model, points, known } = standing
  let any = false
  for (let i = 0; i < model.rules.length; i++) {
    const rule = model.rules[i]!
    if (changed !== undefined && !rule.inputs.some(({ slot }) => changed[slot] === 1)) continue
    const given = rule.points(standing.values)
    const { missing } = rule.definition
    known[i] = given !== undefined
    points[i] = given ?? (missing.type === 'points' ? missing.points : null)
    any = true
  }
  if (!any) return
  for (let i = 0; i < model.groups.length; i++) standing.groupPoints[i] = groupPoints(model, i, points)
  standing.rulesScore = totalScore(model, standing.groupPoints)
  standing.coverage = coverage(model, known)
}
