import { finite } from '../../lib/round.ts'
import { compileRule, type RulePoints, ruleInputs } from '../decisions/rules.ts'
import { compileRootFeature, isRoot } from '../features/features.ts'
import type { RootFeature } from '../features/root-feature.ts'
import { compileExpression, type Evaluate, featuresRead } from './conditions.ts'
import type {
  AccountList,
  AlertDefinition,
  FeatureDefinition,
  GateDefinition,
  GroupDefinition,
  ModelDefinition,
  RuleDefinition,
  TriggerDefinition,
  Value,
} from './model-definition.ts'
import { compileReaders, type Readers } from './readers.ts'

/**
 * A scoring model as closures over a feature vector. The vector has a slot for each feature, in the definition's order, then one for `score` and one for `tier`.
 */
export interface CompiledModel {
  readonly definition: ModelDefinition
  /** Of the model's text: tells whether a stored standing was made by this very model. */
  readonly contentHash: string
  readonly features: readonly CompiledFeature[]
  readonly scoreSlot: number
  readonly tierSlot: number
  readonly rules: readonly CompiledRule[]
  readonly groups: readonly CompiledGroup[]
  readonly gates: readonly CompiledGate[]
  readonly triggers: readonly CompiledTrigger[]
  readonly alerts: readonly CompiledAlert[]
  /** Whether the model scores an account, from its id and feature vector. Undefined: it scores all. */
  readonly includes: ((accountId: string, values: readonly Value[]) => boolean) | undefined
  readonly readers: Readers
}

export interface CompiledFeature {
  readonly name: string
  /** Undefined for a derived feature. */
  readonly root: RootFeature | undefined
  /** Undefined for a root feature. */
  readonly derive: Evaluate | undefined
  /** Slots that a derived feature reads. */
  readonly dependsOn: readonly number[]
}

export interface CompiledRule {
  readonly definition: RuleDefinition
  readonly group: GroupDefinition
  readonly points: RulePoints
  /** What it gives where its inputs are not known; null: it is left out. */
  readonly missingPoints: number | null
  readonly inputs: readonly Slot[]
}

/** A named place in the feature vector. */
export interface Slot {
  readonly name: string
  readonly slot: number
}

export interface CompiledGroup {
  readonly definition: GroupDefinition
  /** Indexes of its rules in `CompiledModel.rules`. */
  readonly rules: readonly number[]
  /** The sum of its rules' `max`. */
  readonly rulesMax: number
}

export interface CompiledGate {
  readonly definition: GateDefinition
  readonly open: Evaluate
}

/** What triggers and alerts have in common. */
export interface CompiledNotice {
  readonly met: Evaluate
  /** The features that its condition reads, ascending by name; not `score` and `tier`. */
  readonly evidence: readonly Slot[]
  /** The features, `score` and `tier` that its reason names. */
  readonly reasonSlots: readonly Slot[]
  /** Indexes in `CompiledModel.gates`. */
  readonly gates: readonly number[]
}

export interface CompiledTrigger extends CompiledNotice {
  readonly definition: TriggerDefinition
  readonly confidence: Evaluate | undefined
  readonly estimatedValue: Evaluate | undefined
}

export interface CompiledAlert extends CompiledNotice {
  readonly definition: AlertDefinition
}

/** `{feature}`, or `{feature%}` for percents. */
export const REASON_PLACEHOLDER = /\{([^{}%]+)(%?)\}/g

/** @throws Error if the definition refers to what it does not define: `src/models/` lets no such definition through. */
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
  if (isRoot(definition))
    return { name, root: compileRootFeature(definition), derive: undefined, dependsOn: [] }
  if (definition.type === 'ratio') {
    const [of, to] = [slotOf(definition.of), slotOf(definition.to)]
    const derive = (values: readonly Value[]): Value => {
      const [a, b] = [values[of], values[to]]
      return typeof a !== 'number' || typeof b !== 'number' || b === 0 ? undefined : finite(a / b)
    }
    return { name, root: undefined, derive, dependsOn: [of, to] }
  }
  if (definition.type === 'formula') {
    const { expression } = definition.formula
    const compute = compileExpression(expression, slotOf)
    const derive = (values: readonly Value[]): Value => {
      const value = compute(values)
      return typeof value === 'number' ? finite(value) : value
    }
    return { name, root: undefined, derive, dependsOn: featuresRead(expression).map(slotOf) }
  }
  const dependsOn = definition.of.map(slotOf)
  const choose = definition.type === 'largest' ? Math.max : Math.min
  const derive = (values: readonly Value[]): Value => {
    let chosen: number | undefined
    for (const slot of dependsOn) {
      const value = values[slot]
      if (typeof value === 'number') chosen = chosen === undefined ? value : choose(chosen, value)
    }
    return chosen
  }
  return { name, root: undefined, derive, dependsOn }
}
