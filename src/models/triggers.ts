import type { TriggerDefinition } from '../scoring/model-definition.ts'
import { readCondition } from './conditions.ts'
import { readSpan } from './durations.ts'
import type { Scope } from './feature-scope.ts'
import { checkNames } from './names.ts'
import { suggestName } from './nearest-name.ts'
import type { Path } from './path.ts'
import type { RawTrigger } from './raw-model.ts'
import { checkReason } from './reason.ts'
import type { Report } from './report.ts'
import { salvageConditions } from './salvage-conditions.ts'
import { soundEntries, unsoundEntries } from './sound-entries.ts'
import type { ValueType } from './value-types.ts'

const PATH = ['triggers']
/** Each end of a cooldown or of a PQL is a moment at which an account is evaluated: a condition that stays true must not make thousands of them. */
const SHORTEST_HOURS = 1

/** @param gateNames every gate of the file, in its order. @param tierNames every tier that `tier` can be; undefined if not known. */
export function readTriggers(
  block: unknown,
  gateNames: readonly string[],
  tierNames: readonly string[] | undefined,
  scope: Scope,
  report: Report,
): TriggerDefinition[] {
  checkNames(block, PATH, report)
  const types = new Map<string, ValueType>([...scope.types, ['score', 'number'], ['tier', 'text']])
  const triggerScope: Scope = { ...scope, types, tierNames }
  const triggers: TriggerDefinition[] = []
  for (const [name, raw] of soundEntries<RawTrigger>(block, PATH, report)) {
    const path = [...PATH, name]
    const when = readCondition(raw.when, [...path, 'when'], triggerScope, report)
    checkReason(raw.reason, when, [...path, 'reason'], scope, report)
    const cooldownMs = readSpan(raw.cooldown, [...path, 'cooldown'], report, SHORTEST_HOURS)
    const expiryMs = readSpan(raw.expiry, [...path, 'expiry'], report, SHORTEST_HOURS)
    const gates = readGateNames(raw.gates, [...path, 'gates'], gateNames, report)
    if (when === undefined || cooldownMs === undefined || expiryMs === undefined) continue
    const { motion, reason, play = [], decisionTimeline = '' } = raw
    triggers.push({
      name,
      motion,
      when,
      gates,
      cooldownMs,
      expiryMs,
      reason,
      play: [...play],
      decisionTimeline,
    })
  }
  for (const [name, raw] of unsoundEntries(block, PATH, report)) {
    salvageConditions(raw, [...PATH, name], triggerScope, report)
  }
  return triggers
}

function readGateNames(
  raw: readonly string[] | undefined,
  path: Path,
  gateNames: readonly string[],
  report: Report,
): readonly string[] {
  raw?.forEach((name, index) => {
    if (gateNames.includes(name)) return
    const accepted = gateNames.length === 0 ? 'none, as the model has no gates' : gateNames.join(', ')
    const advice = suggestName(name, gateNames, 'define it under gates')
    report.add([...path, index], `${JSON.stringify(name)} is not a gate; accepted: ${accepted}; ${advice}`)
  })
  return [...(raw ?? gateNames)]
}
