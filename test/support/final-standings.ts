import type { Value } from '../../src/scoring/definition/expression.ts'
import type { FoldedHistory } from './fold-history.ts'
import type { SlowResult } from './slow/slow-evaluator.ts'

/** The final accounts, in the form that both evaluators share. */
export function standingsOf(folded: FoldedHistory): unknown {
  return [...folded.accounts.values()].map(({ id, activity, standings }) => ({
    accountId: id,
    firstDay: activity.firstDay,
    dropped: activity.dropped,
    standings: standings.map(standing => {
      const { definition } = standing.model
      return {
        modelId: definition.id,
        score: standing.score + 0,
        coverage: standing.coverage,
        tier: definition.tiers[standing.tier]!.name,
        enteredAt: standing.tierSince,
        inScope: standing.inScope,
        features: Object.fromEntries(
          definition.features.map(({ name }, index) => [name, plain(standing.values[index])]),
        ),
        triggers: standing.triggers.map(state => [
          state.status,
          state.status === 'idle' ? state.until : state.expiresAt,
        ]),
        alerts: standing.alerts,
      }
    }),
  }))
}

/** As `standingsOf`, from the slow evaluator. */
export function slowStandingsOf(slow: SlowResult): unknown {
  return [...slow.accounts.values()].map(({ accountId, firstDay, dropped, standings }) => ({
    accountId,
    firstDay,
    dropped,
    standings: standings.map(standing => ({
      modelId: standing.modelId,
      score: standing.score + 0,
      coverage: standing.coverage,
      tier: standing.tier,
      enteredAt: standing.enteredAt,
      inScope: standing.inScope,
      features: Object.fromEntries([...standing.features].map(([name, value]) => [name, plain(value)])),
      triggers: [...standing.triggers.values()].map(state => [
        state.status,
        state.status === 'idle' ? state.cooldownUntil : state.expiresAt,
      ]),
      alerts: standing.active.definition.alerts.map(
        ({ name }) => standing.alerts.get(name) ?? Number.NEGATIVE_INFINITY,
      ),
    })),
  }))
}

/** -0 is 0, as in JSON. */
function plain(value: Value): Value {
  return typeof value === 'number' ? value + 0 : value
}
