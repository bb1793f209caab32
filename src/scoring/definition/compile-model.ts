import { hash128Hex } from '../../lib/hash.ts'
import { compileRootFeature, isRoot } from '../features/compile-root-feature.ts'
import { compileDerivedFeature } from '../features/derived-features.ts'
import { compileExpression, featuresRead } from './compile-expression.ts'
import { compileRule, ruleInputs } from './compile-rule.ts'
import type { CompiledFeature, CompiledModel, CompiledNotice, CompiledRule, Slot } from './compiled-model.ts'
import type { Value } from './expression.ts'
import type { FeatureDefinition } from './feature-definition.ts'
import {
  type AccountList,
  type AlertDefinition,
  type ModelDefinition,
  REASON_PLACEHOLDER,
  type TriggerDefinition,
} from './model-definition.ts'
import { compileModelReads } from './model-reads.ts'
import { compileReaders } from './readers.ts'

/**
 * @throws Error if the definition refers to something that it does not define. `src/models/` refuses such a
 * definition before.
 */
export function compileModel(definition: ModelDefinition, contentHash = ''): CompiledModel {
  const slots = new Map(definition.features.map((feature, slot) => [feature.name, slot]))
  const scoreSlot = definition.features.length
  const tierSlot = scoreSlot + 1
  const slotOf = (name: string): number => {
    const slot = slots.get(name) ?? (name === 'score' ? scoreSlot : name === 'tier' ? tierSlot : undefined)
    if (slot === undefined) throw new Error(`model ${definition.id}: no feature ${name}`)
    return slot
  }
  const isSlot = (name: string): boolean => slots.has(name) || name === 'score' || name === 'tier'
  const namedSlots = (names: readonly string[]): Slot[] => names.map(name => ({ name, slot: slotOf(name) }))

  const rules: CompiledRule[] = []
  const groups = definition.groups.map(group => {
    const first = rules.length
    for (const rule of group.rules) {
      rules.push({
        definition: rule,
        group,
        points: compileRule(rule, slotOf),
        missingPoints: rule.missing.type === 'points' ? rule.missing.points : null,
        inputs: namedSlots(ruleInputs(rule)),
      })
    }
    return {
      definition: group,
      rules: group.rules.map((_, i) => first + i),
      rulesMax: group.rules.reduce((sum, rule) => sum + rule.max, 0),
    }
  })

  const features = definition.features.map(feature => compileFeature(feature, slotOf))
  return {
    definition,
    contentHash,
    definitionHash: hash128Hex(JSON.stringify(definition)),
    features,
    scoreSlot,
    tierSlot,
    rules,
    groups,
    gates: definition.gates.map(gate => ({
      definition: gate,
      open: compileExpression(gate.open.expression, slotOf),
    })),
    triggers: definition.triggers.map(trigger => ({
      definition: trigger,
      ...compileNotice(trigger),
      confidence: trigger.confidence && compileExpression(trigger.confidence.expression, slotOf),
      estimatedValue: trigger.estimatedValue && compileExpression(trigger.estimatedValue.expression, slotOf),
    })),
    alerts: definition.alerts.map(alert => ({ definition: alert, ...compileNotice(alert) })),
    includes: compileScope(definition.scope, slotOf),
    readers: compileReaders(features, rules, groups, tierSlot + 1),
    reads: compileModelReads(definition),
  }

  function compileNotice({ when, reason, gates }: TriggerDefinition | AlertDefinition): CompiledNotice {
    return {
      met: compileExpression(when.expression, slotOf),
      evidence: namedSlots(featuresRead(when.expression).filter(name => slots.has(name))),
      reasonSlots: namedSlots(
        [...reason.matchAll(REASON_PLACEHOLDER)].map(([, name]) => name!).filter(isSlot),
      ),
      gates: gates.map(name => definition.gates.findIndex(gate => gate.name === name)),
    }
  }
}

/** Rules: docs/how-a-score-is-defined.md, "Which accounts". */
function compileScope(
  { include, exclude }: ModelDefinition['scope'],
  slotOf: (name: string) => number,
): CompiledModel['includes'] {
  if (include === undefined && exclude === undefined) return undefined
  const included = include === undefined ? () => true : compileList(include, slotOf)
  const excluded = exclude === undefined ? () => false : compileList(exclude, slotOf)
  return (accountId, values) => included(accountId, values) && !excluded(accountId, values)
}

function compileList(
  { ids, when }: AccountList,
  slotOf: (name: string) => number,
): (accountId: string, values: readonly Value[]) => boolean {
  const listed = new Set(ids)
  const met = when && compileExpression(when.expression, slotOf)
  return (accountId, values) => listed.has(accountId) || met?.(values) === true
}

function compileFeature(definition: FeatureDefinition, slotOf: (name: string) => number): CompiledFeature {
  const { name } = definition
  return isRoot(definition)
    ? { name, root: compileRootFeature(definition), derive: undefined, dependsOn: [] }
    : { name, root: undefined, ...compileDerivedFeature(definition, slotOf) }
}
