import type { Value } from '../../../src/scoring/definition/expression.ts'
import type { Dimension, FeatureDefinition } from '../../../src/scoring/definition/feature-definition.ts'
import type { ModelDefinition } from '../../../src/scoring/definition/model-definition.ts'
import type { Contribution } from '../../../src/scoring/events.ts'
import type { PropertyValue, Signal } from '../../../src/signals/signal.ts'
import { dayOf, HELD_DAYS, hourOf } from './slow-numbers.ts'

/** The state of an account in the slow evaluator: its raw signals, and the last result of each model. */

export type SlowTriggerState =
  | { readonly status: 'idle'; readonly cooldownUntil: number }
  | {
      readonly status: 'open' | 'held'
      readonly pqlId: string
      readonly qualifiedAt: number
      readonly expiresAt: number
    }

export interface SlowStanding {
  readonly active: ActiveModel
  readonly modelId: string
  readonly modelVersion: number
  /** As of the last evaluation; 0, 0 and empty before the first. */
  readonly score: number
  readonly coverage: number
  readonly contributions: readonly Contribution[]
  readonly features: ReadonlyMap<string, Value>
  readonly tier: string
  readonly enteredAt: number
  /** As of the last evaluation; true before the first. */
  readonly inScope: boolean
  /** The state of every trigger of the model, by name. */
  readonly triggers: ReadonlyMap<string, SlowTriggerState>
  /** When each alert may be sent again, by name. An alert that was never sent is absent. */
  readonly alerts: ReadonlyMap<string, number>
}

export interface SlowAccount {
  readonly accountId: string
  readonly clock: number
  /** UTC day. */
  readonly firstDay: number
  /** The raw signals that were applied, in that order. */
  readonly applied: readonly Applied[]
  /** Ascending by `modelId`. */
  readonly standings: readonly SlowStanding[]
  readonly duplicates: number
  readonly dropped: Readonly<SlowDropped>
}

/** How often each limit was reached. */
export interface SlowDropped {
  'too-old': number
  names: number
  keys: number
  values: number
  overrides: number
  'ended-models': number
  sums: number
  ids: number
  'former-tiers': number
}

/** A raw signal that was applied, with the parts that the caps let in. */
export interface Applied {
  readonly signal: Signal
  readonly day: number
  readonly hour: number
  /** The account's clock when it was applied. */
  readonly appliedAt: number
  readonly idGroup: number
  /** The name under which it counts: its own, or beyond the limit a pattern. Undefined: it has no name. */
  readonly countedName: string | undefined
  readonly isOverrideKept: boolean
  readonly valuesKept: ReadonlyMap<Dimension, string>
  /** Values by key, `kind.property`. */
  readonly factsKept: ReadonlyMap<string, PropertyValue>
}

export interface Standing extends SlowStanding {
  modelVersion: number
  score: number
  coverage: number
  contributions: readonly Contribution[]
  features: ReadonlyMap<string, Value>
  tier: string
  enteredAt: number
  inScope: boolean
  readonly triggers: Map<string, SlowTriggerState>
  readonly alerts: Map<string, number>
}

export interface Account extends SlowAccount {
  clock: number
  firstDay: number
  readonly applied: Applied[]
  standings: Standing[]
  duplicates: number
  readonly dropped: SlowDropped
  /** The ended versions of models that count for themselves, as `id@version`. */
  readonly endedModels: Set<string>
  /**
   * The last evaluation changed nothing. The next one can change something only if a feature changes or a
   * deadline comes.
   */
  isSettled: boolean
  /** No boundary is before this. */
  quietUntil: number
  /** Keyed by the id of a removed model: the tier that subscribers know. */
  readonly formerTiers: Map<string, string>
  /** The number of PQLs by model and trigger, over all versions. It numbers the next PQL. */
  readonly pqlCounts: Map<string, number>
}

export interface ActiveModel {
  readonly definition: ModelDefinition
  readonly text: string
  readonly hasHourWindows: boolean
  /** A day-based feature can change on a day on which a signal is exactly this many days old. */
  readonly turningDays: ReadonlySet<number>
  /** An hour-based feature can change in an hour in which a signal is exactly this many hours old. */
  readonly turningHours: ReadonlySet<number>
  /** Features that can change on any day. */
  readonly daily: readonly FeatureDefinition[]
  /** Features that can change in any hour. */
  readonly hourly: readonly FeatureDefinition[]
}

/** The input of a feature. */
export interface Moment {
  readonly applied: readonly Applied[]
  /** The applied signals whose day is not forgotten. */
  readonly held: readonly Applied[]
  readonly today: number
  readonly hour: number
}

export function momentOf({ applied, clock }: SlowAccount): Moment {
  const today = dayOf(clock)
  return { applied, held: applied.filter(({ day }) => day > today - HELD_DAYS), today, hour: hourOf(clock) }
}

/** (kind, counted name) as a text. A kind contains no space. */
export function pairOf({ signal, countedName }: Applied): string {
  return `${signal.kind} ${countedName}`
}
