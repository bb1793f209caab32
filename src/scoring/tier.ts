import { contributionsOf } from './contributions.ts'
import { standingEventId } from './event-id.ts'
import type { ModelDefinition } from './model-definition.ts'
import type { Cause, TierChange } from './outputs.ts'
import { roundTo6 } from './round.ts'
import type { Standing } from './standing.ts'

/** The tier that a score asks for, seen from the present one. Rules: docs/how-a-score-is-defined.md, "Tier". */
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

/** Which tier a standing asks for, and whether margin and dwell count: they do not hold up what a person or the scope decided. */
function wantedTier({ model: { definition }, inScope, override, tier, score }: Standing): {
  readonly tier: number
  readonly atOnce: boolean
} {
  if (!inScope) return { tier: 0, atOnce: true }
  const forced =
    override?.tier === undefined ? -1 : definition.tiers.findIndex(({ name }) => name === override.tier)
  if (forced >= 0) return { tier: forced, atOnce: true }
  if (override?.score !== undefined) return { tier: reachedTier(definition, score), atOnce: true }
  return { tier: targetTier(definition, tier, score), atOnce: false }
}

/** Moves the standing to its target tier if the dwell is over. */
export function stepTier(
  standing: Standing,
  clock: number,
  accountId: string,
  previousScore: number,
  cause: Cause,
): TierChange | undefined {
  const { tier: target, atOnce } = wantedTier(standing)
  if (target === standing.tier || (!atOnce && clock < dwellEnd(standing))) return undefined
  const from = standing.model.definition.tiers[standing.tier]!.name
  standing.tier = target
  standing.tierSince = clock
  return tierChange(standing, from, accountId, clock, previousScore, cause)
}

/** The event that tells that a standing came from another tier to where it is now. */
export function tierChange(
  standing: Standing,
  from: string,
  accountId: string,
  at: number,
  previousScore: number,
  cause: Cause,
): TierChange {
  const { definition } = standing.model
  const { name: to, queue } = definition.tiers[standing.tier]!
  return {
    type: 'tier-change',
    id: standingEventId('tier-change', standing, accountId, [from, to], at, cause),
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

/** When a tier that a standing asks for is entered; Infinity if it asks for none. */
export function nextTierMove(standing: Standing): number {
  const { tier, atOnce } = wantedTier(standing)
  return tier === standing.tier || atOnce ? Number.POSITIVE_INFINITY : dwellEnd(standing)
}

function dwellEnd(standing: Standing): number {
  return standing.tierSince + standing.model.definition.tierPolicy.dwellMs
}
