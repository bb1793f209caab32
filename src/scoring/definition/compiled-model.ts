import type { SlotSet } from '../../lib/slot-set.ts'
import type { RootFeature } from '../features/root-feature.ts'
import type { Evaluate } from './compile-expression.ts'
import type { RulePoints } from './compile-rule.ts'
import type { Value } from './expression.ts'
import type { Dimension } from './feature-definition.ts'
import type {
  AlertDefinition,
  GateDefinition,
  GroupDefinition,
  ModelDefinition,
  RuleDefinition,
  TriggerDefinition,
} from './model-definition.ts'

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

/** Who reads what in a model: worked out once, so that a signal costs only what it touches. */
export interface Readers {
  /** The root features that read a series, by its key. */
  readonly ofSeries: (key: string) => SeriesReaders
  /** The slots of those that read users. */
  readonly ofUsers: readonly number[]
  readonly ofDimension: Readonly<Record<Dimension, readonly number[]>>
  /** … that read a latest-wins key. */
  readonly ofKey: (key: string) => readonly number[]
  /** … whose next change follows the days (hours) in which there was anything. */
  readonly ofActiveDays: readonly number[]
  readonly ofActiveHours: readonly number[]
  /** The slots of derived features, in the model's order. */
  readonly derived: readonly number[]
  /** By slot: the rules that read it. */
  readonly rulesOf: readonly (readonly number[])[]
  /** By rule: its group. */
  readonly groupOf: readonly number[]
  /** Empty between two evaluations; kept here so that none makes its own. */
  readonly scratch: Scratch
}

export interface SeriesReaders {
  readonly slots: readonly number[]
  /** Those of them whose next change follows the series itself. */
  readonly nextChanging: readonly number[]
}

/** What an evaluation has found changed so far. */
export interface Scratch {
  readonly slots: SlotSet
  readonly rules: SlotSet
  readonly groups: SlotSet
}
