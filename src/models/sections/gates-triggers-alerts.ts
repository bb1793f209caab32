import { suggestName } from '../../lib/nearest-name.ts'
import { featuresRead } from '../../scoring/definition/conditions.ts'
import type {
  AlertDefinition,
  Condition,
  GateDefinition,
  TriggerDefinition,
} from '../../scoring/definition/model-definition.ts'
import { HELD_DAYS } from '../../signals/time.ts'
import { checkNames, soundEntries, titleOf, unsoundEntries } from '../blocks.ts'
import { readAmount, readCondition, salvageConditions } from '../expressions/read-expression.ts'
import { type Scope, typeOfFeature, type ValueType } from '../expressions/scope.ts'
import type { Report } from '../problems.ts'
import type { RawAlert, RawGate, RawTrigger } from '../raw-model.ts'
import type { Path } from '../yaml/path.ts'
import { readSpan } from './windows.ts'

const GATES = ['gates']

export function readGates(block: unknown, scope: Scope, report: Report): GateDefinition[] {
  checkNames(block, GATES, report)
  const gates: GateDefinition[] = []
  for (const [name, raw] of soundEntries<RawGate>(block, GATES, report)) {
    const open = readCondition(raw.open, [...GATES, name, 'open'], scope, report)
    if (open === undefined) continue
    gates.push({ name, title: raw.title ?? titleOf(name), open, missing: raw.missing })
  }
  for (const [name, raw] of unsoundEntries(block, GATES, report)) {
    salvageConditions(raw, [...GATES, name], scope, report)
  }
  return gates
}

const TRIGGERS = ['triggers']
/** Each end of a cooldown or of a PQL is a moment at which an account is evaluated: a condition that stays true must not make thousands of them. */
const SHORTEST_HOURS = 1

/**
 * The scope of what is evaluated after the score: features, `score` and `tier`.
 *
 * @param tierNames every tier that `tier` can be; undefined if not known.
 */
export function scopeAfterScore(scope: Scope, tierNames: readonly string[] | undefined): Scope {
  const types = new Map<string, ValueType>([...scope.types, ['score', 'number'], ['tier', 'text']])
  return { ...scope, types, tierNames, outOfReach: new Map() }
}

/** @param gateNames every gate of the file, in its order. @param after features, `score` and `tier`. */
export function readTriggers(
  block: unknown,
  gateNames: readonly string[],
  scope: Scope,
  after: Scope,
  report: Report,
): TriggerDefinition[] {
  checkNames(block, TRIGGERS, report)
  const triggers: TriggerDefinition[] = []
  for (const [name, raw] of soundEntries<RawTrigger>(block, TRIGGERS, report)) {
    const path = [...TRIGGERS, name]
    const when = readCondition(raw.when, [...path, 'when'], after, report)
    checkReason(raw.reason, when, [...path, 'reason'], scope, report)
    const cooldownMs = readSpan(raw.cooldown, [...path, 'cooldown'], report, SHORTEST_HOURS)
    const expiryMs = readSpan(raw.expiry, [...path, 'expiry'], report, SHORTEST_HOURS)
    checkGateNames(raw.gates ?? [], [...path, 'gates'], gateNames, report)
    const amount = (key: 'confidence' | 'value') =>
      raw[key] === undefined ? undefined : readAmount(raw[key], [...path, key], after, report)
    const confidence = amount('confidence')
    const estimatedValue = amount('value')
    if (when === undefined || cooldownMs === undefined || expiryMs === undefined) continue
    const { motion, reason, play = [], decisionTimeline = '', offer } = raw
    triggers.push({
      name,
      motion,
      when,
      gates: [...(raw.gates ?? gateNames)],
      cooldownMs,
      expiryMs,
      reason,
      play: [...play],
      decisionTimeline,
      offer,
      confidence,
      estimatedValue,
    })
  }
  for (const [name, raw] of unsoundEntries(block, TRIGGERS, report)) {
    salvageConditions(raw, [...TRIGGERS, name], after, report)
  }
  return triggers
}

const ALERTS = ['alerts']
/** While a condition stays true, the alert is sent again and again. */
const SHORTEST_FREQUENCY_HOURS = 1

/** @param gateNames every gate of the file. @param after features, `score` and `tier`. */
export function readAlerts(
  block: unknown,
  gateNames: readonly string[],
  scope: Scope,
  after: Scope,
  report: Report,
): AlertDefinition[] {
  checkNames(block, ALERTS, report)
  const alerts: AlertDefinition[] = []
  for (const [name, raw] of soundEntries<RawAlert>(block, ALERTS, report)) {
    const path = [...ALERTS, name]
    const when = readCondition(raw.when, [...path, 'when'], after, report)
    checkReason(raw.reason, when, [...path, 'reason'], scope, report)
    const frequencyMs = readSpan(
      raw.frequency,
      [...path, 'frequency'],
      report,
      SHORTEST_FREQUENCY_HOURS,
      HELD_DAYS,
    )
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
  for (const [name, raw] of unsoundEntries(block, ALERTS, report)) {
    salvageConditions(raw, [...ALERTS, name], after, report)
  }
  return alerts
}

/** Reports names that are no gates of the model. */
export function checkGateNames(
  raw: readonly string[],
  path: Path,
  gateNames: readonly string[],
  report: Report,
): void {
  raw.forEach((name, index) => {
    if (gateNames.includes(name)) return
    const accepted = gateNames.length === 0 ? 'none, as the model has no gates' : gateNames.join(', ')
    const advice = suggestName(name, gateNames, 'define it under gates')
    report.add([...path, index], `${JSON.stringify(name)} is not a gate; accepted: ${accepted}; ${advice}`)
  })
}

/**
 * Reports placeholders of a trigger's reason that stand for nothing. `{feature}` and `{feature%}` stand for what the
 * trigger's condition has read, as that is the evidence that a PQL keeps.
 *
 * @param when undefined if it could not be read.
 */
export function checkReason(
  text: string,
  when: Condition | undefined,
  path: Path,
  scope: Scope,
  report: Report,
): void {
  const read = when && featuresRead(when.expression)
  for (const match of text.matchAll(/\{([^{}]*)\}|[{}]/g)) {
    const inside = match[1]
    if (inside === undefined) {
      const message = `found a single ${match[0]}; accepted: {feature} and {feature%}; close it or take it away`
      report.addInText(path, match.index, message)
      continue
    }
    const isPercent = inside.endsWith('%')
    const name = isPercent ? inside.slice(0, -1) : inside
    const type = typeOfFeature(name, scope, message => report.addInText(path, match.index + 1, message))
    if (type !== undefined && read !== undefined && !read.includes(name)) {
      const advice = `put it there, as in && known(${name}), or take it away`
      report.addInText(
        path,
        match.index + 1,
        `${name} is not in when; a reason tells what when has read; ${advice}`,
      )
    }
    if (isPercent && (type === 'text' || type === 'flag')) {
      report.addInText(
        path,
        match.index + 1,
        `${name} is not a number; {feature%} takes one; write {${name}}`,
      )
    }
  }
}
