import { roundTo6 } from '../../lib/round.ts'
import type { ModelDefinition } from '../definition/model-definition.ts'
import type { Cause, TierChange } from '../events.ts'
import { causeOf, type Occasion } from '../occasion.ts'
import type { Standing } from '../standing.ts'
import { contributionsOf } from './contributions.ts'
import { standingEventId } from './event-id.ts'

/** The tier for a score, given the present tier. Rules: docs/how-a-score-is-defined.md, "Tier". */
export function targetTier({ tiers, tierPolicy }: ModelDefinition, present: number, score: number): number {
  const target = reachedTier({ tiers }, score)
  const stays = target < present && score >= roundTo6(tiers[present]!.from - tierPolicy.margin)
  return stays ? present : target
}

function reachedTier({ tiers }: Pick<ModelDefinition, 'tiers'>, score: number): number {
  let reached = 0
  for (let i = 1; i < tiers.length; i++) if (tiers[i]!.from <= score) reached = i
  return reached
}

/**
 * The tier that the scope or a person's override sets, without margin and dwell. Undefined: the score
 * decides.
 */
function decidedTier({ model: { definition }, inScope, override, score }: Standing): number | undefined {
  if (!inScope) return 0
  if (override === undefined) return undefined
  const forced =
    override.tier === undefined ? -1 : definition.tiers.findIndex(({ name }) => name === override.tier)
  if (forced >= 0) return forced
  return override.score === undefined ? undefined : reachedTier(definition, score)
}

/**
 * Moves the standing to its target tier if the dwell is over. A tier whose name is gone is left at once,
 * without margin and dwell, and the change names it.
 */
export function stepTier(
  standing: Standing,
  clock: number,
  accountId: string,
  previousScore: number,
  occasion: Occasion,
): TierChange | undefined {
  const { definition } = standing.model
  const { goneTier } = occasion
  const decided = decidedTier(standing)
  const target =
    decided ??
    (goneTier === undefined
      ? targetTier(definition, standing.tier, standing.score)
      : reachedTier(definition, standing.score))
  if (goneTier === undefined) {
    if (target === standing.tier) return undefined
    if (decided === undefined && clock < dwellEnd(standing)) return undefined
  }
  const from = goneTier ?? definition.tiers[standing.tier]!.name
  standing.tier = target
  standing.tierSince = clock
  return tierChange(standing, from, accountId, clock, previousScore, causeOf(occasion))
}

/**
 * The event for a standing's move from another tier to its present one. `left`: the account leaves the model.
 * This is part of the id, since the same move with the same cause may have been made at the same moment.
 */
export function tierChange(
  standing: Standing,
  from: string,
  accountId: string,
  at: number,
  previousScore: number,
  cause: Cause,
  left?: 'left',
): TierChange {
  const { definition } = standing.model
  const { name: to, queue } = definition.tiers[standing.tier]!
  return {
    type: 'tier-change',
    id: standingEventId('tier-change', standing, accountId, left ? [from, to, left] : [from, to], at, cause),
    accountId,
    modelId: definition.id,
    modelVersion: definition.version,
    from,
    to,
    score: standing.score,
    previousScore,
    ...(queue === undefined ? {} : { queue }),
    at,
    cause,
    contributions: contributionsOf(standing),
  }
}

/** When the standing will move to its target tier, in ms; Infinity if it is there already. */
export function nextTierMove(standing: Standing): number {
  if (decidedTier(standing) !== undefined) return Number.POSITIVE_INFINITY
  const target = targetTier(standing.model.definition, standing.tier, standing.score)
  return target === standing.tier ? Number.POSITIVE_INFINITY : dwellEnd(standing)
}

function dwellEnd(standing: Standing): number {
  return standing.tierSince + standing.model.definition.tierPolicy.dwellMs
}
