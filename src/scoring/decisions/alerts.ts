import type { CompiledAlert } from '../definition/compiled-model.ts'
import type { AlertEvent, Cause, ScoringEvent } from '../events.ts'
import { causeOf, type Occasion } from '../occasion.ts'
import type { Standing } from '../standing.ts'
import { readSlots } from './contributions.ts'
import { standingEventId } from './event-id.ts'
import { fillReason, isMet } from './notice.ts'

/**
 * Sends each alert whose condition is met and whose frequency allows it. Rules:
 * docs/how-a-score-is-defined.md, "Alerts".
 */
export function stepAlerts(
  standing: Standing,
  /** In the order of the model's gates. */
  gatesOpen: readonly boolean[],
  clock: number,
  accountId: string,
  occasion: Occasion,
  events: ScoringEvent[],
): void {
  const { alerts } = standing.model
  for (let i = 0; i < alerts.length; i++) {
    const alert = alerts[i]!
    if (clock < standing.alerts[i]! || !isMet(standing, alert)) continue
    if (!alert.gates.every(gate => gatesOpen[gate] === true)) continue
    standing.alerts[i] = clock + alert.definition.frequencyMs
    events.push(alertEvent(standing, alert, accountId, clock, causeOf(occasion)))
  }
}

function alertEvent(
  standing: Standing,
  { definition: alert, evidence, reasonSlots }: CompiledAlert,
  accountId: string,
  at: number,
  cause: Cause,
): AlertEvent {
  const { id, version, tiers } = standing.model.definition
  const { template, assignee, action } = alert
  return {
    type: 'alert',
    id: standingEventId('alert', standing, accountId, [alert.name], at, cause),
    accountId,
    modelId: id,
    modelVersion: version,
    alert: alert.name,
    title: alert.title,
    priority: alert.priority,
    recipients: alert.recipients,
    ...(template === undefined ? {} : { template }),
    ...(assignee === undefined ? {} : { assignee }),
    ...(action === undefined ? {} : { action }),
    score: standing.score,
    tier: tiers[standing.tier]!.name,
    reasons: [fillReason(alert.reason, readSlots(reasonSlots, standing.values))],
    evidence: readSlots(evidence, standing.values),
    at,
    cause,
  }
}
