import { overrideOf } from '../signals/override.ts'
import type { AccountActivity } from './activity/activity.ts'
import type { Touched } from './activity/apply-signal.ts'
import { stepAlerts } from './decisions/alerts.ts'
import { isGateOpen } from './decisions/notice.ts'
import { asScore } from './decisions/score.ts'
import { stepTier } from './decisions/tier.ts'
import { stepTriggers } from './decisions/triggers.ts'
import type { ScoringEvent } from './events.ts'
import { moveNextChanges, passNextChanges } from './next-changes.ts'
import { causeOf, type Occasion } from './occasion.ts'
import type { Standing } from './standing.ts'
import { updateScore, updateWholeScore } from './update-score.ts'
import { updateAllFeatures, updatePassed, updateTouched } from './update-values.ts'

/** Why a standing is evaluated: from scratch, because time passed, or because a signal touched something. */
export type Reason = 'everything' | 'time' | Touched

export const NO_EVENTS: readonly ScoringEvent[] = []

/**
 * Brings a standing up to the activity and its clock, and returns the events of what changed. It computes
 * only the features that can have changed, the rules that read them, and the groups of those rules. The
 * result must equal an evaluation of everything. Every boundary before the clock has been passed.
 */
export function evaluate(
  standing: Standing,
  activity: AccountActivity,
  accountId: string,
  reason: Reason,
  occasion: Occasion,
): readonly ScoringEvent[] {
  const { model, values } = standing
  const changed = updateRulesScore(standing, activity, reason)
  if (!changed && standing.isSettled && isOnlyCounted(reason, activity)) return NO_EVENTS
  const previousScore = standing.score
  const wasInScope = standing.inScope
  updateFacets(standing, activity, reason)
  decideScore(standing, activity, accountId)
  const moved = stepTier(standing, activity.clock, accountId, previousScore, occasion)
  values[model.scoreSlot] = standing.score
  values[model.tierSlot] = model.definition.tiers[standing.tier]!.name
  let events = moved === undefined ? NO_EVENTS : [moved]
  if (model.triggers.length > 0 || model.alerts.length > 0)
    events = stepNotices(standing, activity.clock, accountId, occasion, events)
  const decided = events.length > 0 || standing.score !== previousScore
  if (decided) {
    standing.changedAt = activity.clock
    standing.cause = causeOf(occasion)
  }
  standing.isSettled = !decided && standing.inScope === wasInScope && activity.overrides.size === 0
  return events
}

/** A counted signal without an override changes features at most: earlier deadlines have been passed. */
function isOnlyCounted(reason: Reason, { overrides }: AccountActivity): boolean {
  return reason !== 'everything' && reason !== 'time' && reason.keys.length === 0 && overrides.size === 0
}

/** Updates features, rules, groups and their score. Returns whether a feature has changed, or may have. */
function updateRulesScore(standing: Standing, activity: AccountActivity, reason: Reason): boolean {
  if (reason === 'everything') {
    updateAllFeatures(standing, activity)
    updateWholeScore(standing)
    standing.nextChanges = undefined
    return true
  }
  const { slots } = standing.model.readers.scratch
  if (reason === 'time') {
    updatePassed(standing, activity, slots)
    passNextChanges(standing, activity)
  } else {
    updateTouched(standing, activity, reason, slots)
    moveNextChanges(standing, activity, reason)
  }
  if (slots.size === 0) return false
  updateScore(standing, slots)
  slots.clear()
  return true
}

/** Facets are values to list accounts by. Only facts change them. */
function updateFacets({ model, facets }: Standing, activity: AccountActivity, reason: Reason): void {
  if (facets.length === 0 || reason === 'time') return
  if (reason !== 'everything' && reason.keys.length === 0) return
  for (let i = 0; i < facets.length; i++) {
    const value = activity.latest.get(model.definition.facets[i]!.key)?.value ?? undefined
    facets[i] = value === undefined ? undefined : String(value)
  }
}

/** Decides the score that holds. Rules: docs/how-a-score-is-defined.md, "Which accounts" and "Overrides". */
function decideScore(standing: Standing, activity: AccountActivity, accountId: string): void {
  const { model, values, rulesScore } = standing
  standing.inScope = model.includes?.(accountId, values) ?? true
  standing.override = overrideOf(activity.overrides, model.definition.id)
  const decided = standing.inScope ? standing.override?.score : 0
  standing.score = decided === undefined ? rulesScore : asScore(model.definition, decided)
}

/** Steps triggers and alerts. Returns `before` with their events added. */
function stepNotices(
  standing: Standing,
  clock: number,
  accountId: string,
  occasion: Occasion,
  before: readonly ScoringEvent[],
): readonly ScoringEvent[] {
  const { gates } = standing.model
  const gatesOpen = gates.map(gate => isGateOpen(gate, standing.values))
  const events = [...before]
  stepTriggers(standing, gatesOpen, clock, accountId, occasion, events)
  stepAlerts(standing, gatesOpen, clock, accountId, occasion, events)
  return events
}
