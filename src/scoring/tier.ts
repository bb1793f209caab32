import { contributionsOf } from './contributions.ts'
import { hash128Hex } from './hash.ts'
import type { ModelDefinition } from './model-definition.ts'
import type { Cause, TierChange } from './outputs.ts'
import { roundTo6 } from './round.ts'
import type { Standing } from './standing.ts'

/** The tier that a score asks for, seen from the present one. Rules: docs/how-a-score-is-defined.md, "Tier". */
export function targetTier({ tiers, tierPolicy }: ModelDefinition, present: number, score: number): number {
  let target = 0
  for (let i = 1; i < tiers.length; i++) if (tiers[i]!.from <= score) target = i
  const stays = target < present && score >= roundTo6(tiers[present]!.from - tierPolicy.margin)
  return stays ? present : target
}

/** Moves the standing to its target tier if the dwell is over. */
export function stepTier(
  standing: Standing,
  clock: number,
  accountId: string,
  previousScore: number,
  cause: Cause,
): TierChange | undefined {
  const { definition } = standing.model
  const target = targetTier(definition, standing.tier, standing.score)
  if (target === standing.tier || clock < dwellEnd(standing)) return undefined
  const from = definition.tiers[standing.tier]!.name
  const to = definition.tiers[target]!.name
  standing.tier = target
  standing.tierSince = clock
  return {
    type: 'tier-change',
    id: hash128Hex(
      'tier-change',
      accountId,
      definition.id,
      definition.version,
      from,
      to,
      clock,
      cause.type,
      cause.signalId ?? '',
    ),
    accountId,
    modelId: definition.id,
    modelVersion: definition.version,
    from,
    to,
    score: standing.score,
    previousScore,
    at: clock,
    cause,
    contributions: contributionsOf(standing),
  }
}

export function dwellEnd(standing: Standing): number {
  return standing.tierSince + standing.model.definition.tierPolicy.dwellMs
}
