import type { TriggerDefinition } from '../scoring/definition/model-definition.ts'
import { readAmount, readCondition } from './conditions.ts'
import { readSpan } from './durations.ts'
import type { Scope } from './feature-scope.ts'
import { checkGateNames } from './gate-names.ts'
import { checkNames } from './names.ts'
import type { RawTrigger } from './raw-model.ts'
import { checkReason } from './reason.ts'
import type { Report } from './report.ts'
import { salvageConditions } from './salvage-conditions.ts'
import { soundEntries, unsoundEntries } from './sound-entries.ts'
import type { ValueType } from './value-types.ts'

const PATH = ['triggers']
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
  checkNames(block, PATH, report)
  const triggers: TriggerDefinition[] = []
  for (const [name, raw] of soundEntries<RawTrigger>(block, PATH, report)) {
    const path = [...PATH, name]
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
  for (const [name, raw] of unsoundEntries(block, PATH, report)) {
    salvageConditions(raw, [...PATH, name], after, report)
  }
  return triggers
}
