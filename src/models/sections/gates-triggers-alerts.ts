import { suggestName } from '../../lib/nearest-name.ts'
import { featuresRead } from '../../scoring/definition/conditions.ts'
import type {
  AlertDefinition,
  Condition,
  GateDefinition,
  TriggerDefinition,
} from '../../scoring/definition/model-definition.ts'
import { HELD_DAYS } from '../../signals/time.ts'
import { checkNames, malformedEntries, titleOf, wellFormedEntries } from '../blocks.ts'
import { checkExpressionsIn, readCondition, readNumberFormula } from '../expressions/read-expression.ts'
import { type Scope, typeOfFeature, type ValueType } from '../expressions/scope.ts'
import type { Report } from '../problems.ts'
import type { RawAlert, RawGate, RawTrigger } from '../raw-model.ts'
import type { Path } from '../yaml/path.ts'
import { readDurationMs } from './shared-values.ts'

const GATES = ['gates']

export function readGates(block: unknown, scope: Scope, report: Report): GateDefinition[] {
  checkNames(block, GATES, report)
  const gates: GateDefinition[] = []
  for (const [name, raw] of wellFormedEntries<RawGate>(block, GATES, report)) {
    const open = readCondition(raw.open, [...GATES, name, 'open'], scope, report)
    if (open === undefined) continue
    gates.push({ name, title: raw.title ?? titleOf(name), open, missing: raw.missing })
  }
  for (const [name, raw] of malformedEntries(block, GATES, report)) {
    checkExpressionsIn(raw, [...GATES, name], scope, report)
  }
  return gates
}

const TRIGGERS = ['triggers']
/** Each end of a cooldown or PQL is an evaluation: a condition that stays true must not cause thousands. */
const MIN_HOURS = 1

/**
 * The scope of expressions that are evaluated after the score: features, `score` and `tier`.
 *
 * @param tierNames the possible values of `tier`; undefined if the tiers could not be read.
 */
export function scopeWithScore(scope: Scope, tierNames: readonly string[] | undefined): Scope {
  const types = new Map<string, ValueType>([...scope.types, ['score', 'number'], ['tier', 'text']])
  return { ...scope, types, tierNames, foreignNames: new Map() }
}

/**
 * Reads the triggers of a file.
 *
 * @param gateNames all gates of the file, in its order.
 * @param withScore the scope of `scopeWithScore`.
 */
export function readTriggers(
  block: unknown,
  gateNames: readonly string[],
  scope: Scope,
  withScore: Scope,
  report: Report,
): TriggerDefinition[] {
  checkNames(block, TRIGGERS, report)
  const triggers: TriggerDefinition[] = []
  for (const [name, raw] of wellFormedEntries<RawTrigger>(block, TRIGGERS, report)) {
    const path = [...TRIGGERS, name]
    const when = readCondition(raw.when, [...path, 'when'], withScore, report)
    checkReason(raw.reason, when, [...path, 'reason'], scope, report)
    const cooldownMs = readDurationMs(raw.cooldown, [...path, 'cooldown'], report, MIN_HOURS)
    const expiryMs = readDurationMs(raw.expiry, [...path, 'expiry'], report, MIN_HOURS)
    checkGateNames(raw.gates ?? [], [...path, 'gates'], gateNames, report)
    const amount = (key: 'confidence' | 'value') =>
      raw[key] === undefined ? undefined : readNumberFormula(raw[key], [...path, key], withScore, report)
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
  for (const [name, raw] of malformedEntries(block, TRIGGERS, report)) {
    checkExpressionsIn(raw, [...TRIGGERS, name], withScore, report)
  }
  return triggers
}

const ALERTS = ['alerts']
/** While its condition stays true, an alert is sent again after each `frequency`. */
const MIN_FREQUENCY_HOURS = 1

/**
 * Reads the alerts of a file.
 *
 * @param gateNames all gates of the file.
 * @param withScore the scope of `scopeWithScore`.
 */
export function readAlerts(
  block: unknown,
  gateNames: readonly string[],
  scope: Scope,
  withScore: Scope,
  report: Report,
): AlertDefinition[] {
  checkNames(block, ALERTS, report)
  const alerts: AlertDefinition[] = []
  for (const [name, raw] of wellFormedEntries<RawAlert>(block, ALERTS, report)) {
    const path = [...ALERTS, name]
    const when = readCondition(raw.when, [...path, 'when'], withScore, report)
    checkReason(raw.reason, when, [...path, 'reason'], scope, report)
    const frequencyMs = readDurationMs(
      raw.frequency,
      [...path, 'frequency'],
      report,
      MIN_FREQUENCY_HOURS,
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
  for (const [name, raw] of malformedEntries(block, ALERTS, report)) {
    checkExpressionsIn(raw, [...ALERTS, name], withScore, report)
  }
  return alerts
}

/** Reports names that are not gates of the model. */
function checkGateNames(
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
 * Reports placeholders of a reason that have no value. `{feature}` and `{feature%}` show features that the
 * condition reads: only these values are kept as the evidence of a PQL or alert.
 *
 * @param when undefined if the condition could not be read.
 */
function checkReason(
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
      const message = `found a single ${match[0]}; accepted: {feature} and {feature%}; close it or remove it`
      report.addInText(path, match.index, message)
      continue
    }
    const isPercent = inside.endsWith('%')
    const name = isPercent ? inside.slice(0, -1) : inside
    const type = typeOfFeature(name, scope, message => report.addInText(path, match.index + 1, message))
    if (type !== undefined && read !== undefined && !read.includes(name)) {
      const advice = `put it there, as in && known(${name}), or remove it`
      report.addInText(
        path,
        match.index + 1,
        `${name} is not in when; a reason shows only features that when reads; ${advice}`,
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
