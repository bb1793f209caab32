import type { AlertDefinition } from '../scoring/definition/model-definition.ts'
import { HELD_DAYS } from '../signals/time.ts'
import { readCondition } from './conditions.ts'
import { readSpan } from './durations.ts'
import type { Scope } from './feature-scope.ts'
import { checkGateNames } from './gate-names.ts'
import { checkNames, titleOf } from './names.ts'
import type { RawAlert } from './raw-model.ts'
import { checkReason } from './reason.ts'
import type { Report } from './report.ts'
import { salvageConditions } from './salvage-conditions.ts'
import { soundEntries, unsoundEntries } from './sound-entries.ts'

const PATH = ['alerts']
/** While a condition stays true, the alert is sent again and again. */
const SHORTEST_HOURS = 1

/** @param gateNames every gate of the file. @param after features, `score` and `tier`. */
export function readAlerts(
  block: unknown,
  gateNames: readonly string[],
  scope: Scope,
  after: Scope,
  report: Report,
): AlertDefinition[] {
  checkNames(block, PATH, report)
  const alerts: AlertDefinition[] = []
  for (const [name, raw] of soundEntries<RawAlert>(block, PATH, report)) {
    const path = [...PATH, name]
    const when = readCondition(raw.when, [...path, 'when'], after, report)
    checkReason(raw.reason, when, [...path, 'reason'], scope, report)
    const frequencyMs = readSpan(raw.frequency, [...path, 'frequency'], report, SHORTEST_HOURS, HELD_DAYS)
    const { title = titleOf(name), gates = [], reason, recipients = [], priority = 'medium' } = raw
    checkGateNames(gates, [...path, 'gates'], gateNames, report)
    if (when === undefined || frequencyMs === undefined) continue
    alerts.push({
      name,
      title,
      when,
      gates: [...gates],
      frequencyMs,
      reason,
      recipients: [...recipients],
      template: raw.template,
      priority,
      assignee: raw.assignee,
      action: raw.action,
    })
  }
  for (const [name, raw] of unsoundEntries(block, PATH, report)) {
    salvageConditions(raw, [...PATH, name], after, report)
  }
  return alerts
}
