import type { Cause, ScoringEvent } from '../events.ts'
import type { Standing } from '../standing.ts'
import { asScore } from './score.ts'
import { tierChange } from './tier.ts'
import { pqlEvent } from './triggers.ts'

/**
 * The events of an account whose model is removed. As if the model's scope did not include it any more, its
 * score is 0, it moves to the lowest tier unless it is there, and its PQLs are disqualified. The standing
 * itself stays as it is.
 * @param at the account's clock, ms
 */
export function leaveModel(standing: Standing, accountId: string, at: number, cause: Cause): ScoringEvent[] {
  const { model, tier, score } = standing
  const { definition } = model
  const values = [...standing.values]
  const left: Standing = { ...standing, values, tier: 0, score: asScore(definition, 0) }
  values[model.scoreSlot] = left.score
  values[model.tierSlot] = definition.tiers[0]!.name
  const events: ScoringEvent[] = []
  if (tier !== 0) {
    const from = definition.tiers[tier]!.name
    events.push(tierChange(left, from, accountId, at, score, cause, 'left'))
  }
  for (const [i, state] of standing.triggers.entries())
    if (state.status !== 'idle')
      events.push(pqlEvent(left, model.triggers[i]!, accountId, at, state.pqlId, 'disqualified', cause))
  return events
}
