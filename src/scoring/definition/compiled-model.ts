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
import type { ModelReads } from './model-reads.ts'

/**
 * A scoring model as closures over a feature vector. The vector has one slot for each feature, in the
 * definition's order, then one for `score` and one for `tier`.
 */
export interface CompiledModel {
  readonly definition: ModelDefinition
  /** The hash of the model's text. It shows whether exactly this model made a stored standing. */
  readonly contentHash: string
  /** The hash of the definition. Comments and layout of the text do not change it. */
  readonly definitionHash: string
  readonly features: readonly CompiledFeature[]
  readonly scoreSlot: number
  readonly tierSlot: number
  readonly rules: readonly CompiledRule[]
  readonly groups: readonly CompiledGroup[]
  readonly gates: readonly CompiledGate[]
  readonly triggers: readonly CompiledTrigger[]
  readonly alerts: readonly CompiledAlert[]
  /**
   * Whether the model scores an account, from the account's id and feature vector. Undefined: it scores all
   * accounts.
   */
  readonly includes: ((accountId: string, values: readonly Value[]) => boolean) | undefined
  readonly readers: Readers
  readonly reads: ModelReads
}

export interface CompiledFeature {
  readonly name: string
  /** Undefined for a derived feature. */
  readonly root: RootFeature | undefined
  /** Undefined for a root feature. */
  readonly derive: Evaluate | undefined
  /** The slots that a derived feature reads. */
  readonly dependsOn: readonly number[]
}

export interface CompiledRule {
  readonly definition: RuleDefinition
  readonly group: GroupDefinition
  readonly points: RulePoints
  /** The points if an input is unknown; null: the rule is left out. */
  readonly missingPoints: number | null
  readonly inputs: readonly Slot[]
}

/** A named position in the feature vector. */
export interface Slot {
  readonly name: string
  readonly slot: number
}

export interface CompiledGroup {
  readonly definition: GroupDefinition
  /** Indexes in `CompiledModel.rules`. */
  readonly rules: readonly number[]
  /** The sum of `max` over the group's rules. */
  readonly rulesMax: number
}

export interface CompiledGate {
  readonly definition: GateDefinition
  readonly open: Evaluate
}

/** The common part of triggers and alerts. */
export interface CompiledNotice {
  readonly met: Evaluate
  /** The features that the condition reads, ascending by name, without `score` and `tier`. */
  readonly evidence: readonly Slot[]
  /** The features that the reason names, with `score` and `tier`. */
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

/**
 * Which features and rules read what. Compiled once, so that a signal costs only what it touches. Features
 * are given as slots.
 */
export interface Readers {
  /** The root features that read a series, by the series' key. */
  readonly ofSeries: (key: string) => SeriesReaders
  /** The root features that read users. */
  readonly ofUsers: readonly number[]
  readonly ofDimension: Readonly<Record<Dimension, readonly number[]>>
  /** The root features that read a latest-wins key. */
  readonly ofKey: (key: string) => readonly number[]
  /** The root features whose next change depends on the days (hours) with any activity. */
  readonly ofActiveDays: readonly number[]
  readonly ofActiveHours: readonly number[]
  /** The derived features, in the model's order. */
  readonly derived: readonly number[]
  /** The indexes of the rules that read a slot, by slot. */
  readonly rulesOf: readonly (readonly number[])[]
  /** The index of each rule's group. */
  readonly groupOf: readonly number[]
  /** Empty between two evaluations. It is kept here, so that no evaluation allocates its own. */
  readonly scratch: Scratch
}

export interface SeriesReaders {
  readonly slots: readonly number[]
  /** The slots whose next change depends on the series itself. */
  readonly nextChanging: readonly number[]
}

/** What the present evaluation has found changed so far. */
export interface Scratch {
  readonly slots: SlotSet
  readonly rules: SlotSet
  readonly groups: SlotSet
}
