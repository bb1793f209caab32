import type { Condition, Formula } from './expression.ts'
import type { FeatureDefinition, Level } from './feature-definition.ts'
import type { KpiSection, RateDefinition } from './population-definition.ts'

/**
 * A scoring model as data: the content of a YAML file in `models/` after its check. `compile-model.ts` turns
 * it into closures. The rules for these types are in `docs/how-a-score-is-defined.md`.
 */

export interface ModelDefinition {
  readonly id: string
  readonly version: number
  readonly name: string
  readonly score: ScoreDefinition
  /** In dependency order: a feature reads only features before it. */
  readonly features: readonly FeatureDefinition[]
  readonly groups: readonly GroupDefinition[]
  /** At least one, ascending by `from`. Every account starts in the first one. */
  readonly tiers: readonly TierDefinition[]
  readonly tierPolicy: TierPolicy
  readonly gates: readonly GateDefinition[]
  readonly triggers: readonly TriggerDefinition[]
  readonly alerts: readonly AlertDefinition[]
  /** Which accounts the model scores. */
  readonly scope: ScopeDefinition
  /** The attributes by which accounts can be listed. */
  readonly facets: readonly FacetDefinition[]
  readonly rates: readonly RateDefinition[]
  /** Undefined: the model measures no outcomes. */
  readonly kpis: KpiSection | undefined
}

export interface ScoreDefinition {
  /** Multiplies the weighted sum of the groups' points. */
  readonly scale: number
  readonly min: number
  readonly max: number
  /** The decimal places of a score, 0 to 6, rounded halves up. Tiers are compared with the rounded score. */
  readonly decimals: number
}

export interface GroupDefinition {
  readonly name: string
  readonly title: string
  readonly weight: number
  /** The cap of the group: the most points that its rules give together. */
  readonly max: number
  readonly rules: readonly RuleDefinition[]
}

/**
 * What a rule gives if it reads an unknown: some points, or nothing. In the second case the group's other
 * rules are scaled up.
 */
export type MissingPolicy =
  | { readonly type: 'points'; readonly points: number }
  | { readonly type: 'exclude' }

/** Points along straight lines between the corners, flat beyond both ends. */
export interface LinearPoints {
  readonly of: string
  /** At least one, ascending by x. */
  readonly corners: readonly (readonly [x: number, points: number])[]
}

export interface Band extends Level {
  readonly points: number
}

export interface Case {
  /** Undefined: `otherwise`. Only the last case may be so. */
  readonly when: Condition | undefined
  readonly points: number | LinearPoints
}

export type RuleDefinition = {
  readonly name: string
  readonly title: string
  /**
   * The most points that the rule can give. It is also the rule's share when others are left out, and its
   * share of the coverage.
   */
  readonly max: number
  readonly missing: MissingPolicy
} & (
  | { readonly type: 'line'; readonly line: LinearPoints }
  /** Ascending. The last band that the value reaches counts; below the first band, `below` does. */
  | { readonly type: 'bands'; readonly of: string; readonly bands: readonly Band[]; readonly below: number }
  /**
   * The first case that is true counts. If none is true, the rule is missing if any case is unknown, else it
   * gives 0.
   */
  | { readonly type: 'cases'; readonly cases: readonly Case[] }
)

export interface TierDefinition {
  readonly name: string
  readonly title: string
  readonly from: number
  readonly action: string
  /** The work list for the tier's accounts. */
  readonly queue: string | undefined
}

export interface TierPolicy {
  /** An account leaves its tier downwards only when the score is below `from` less this margin. */
  readonly margin: number
  /** An account stays in a tier for at least this long, in ms. */
  readonly dwellMs: number
}

export interface GateDefinition {
  readonly name: string
  readonly title: string
  /** The gate is open while this is true. */
  readonly open: Condition
  /** Whether the gate is open while its condition is unknown. */
  readonly missing: 'open' | 'closed'
}

export const MOTIONS = [
  'seat-expansion',
  'plan-upgrade',
  'cross-sell',
  'feature-expansion',
  'usage-upsell',
  'renewal-upgrade',
] as const
export type Motion = (typeof MOTIONS)[number]

/** `{feature}` in a reason, or `{feature%}` for percents. */
export const REASON_PLACEHOLDER = /\{([^{}%]+)(%?)\}/g

export interface TriggerDefinition {
  readonly name: string
  readonly motion: Motion
  readonly when: Condition
  /** The gates that can hold its PQLs, by name. Without a list in the model: all gates. */
  readonly gates: readonly string[]
  /** The time in ms from the end of a PQL until the trigger may make the next one. */
  readonly cooldownMs: number
  /** A PQL that is still open this long after it qualified expires; in ms. */
  readonly expiryMs: number
  /** For people. `{feature}` and `{feature%}` are replaced by values. */
  readonly reason: string
  readonly play: readonly string[]
  readonly decisionTimeline: string
  /** What to offer, such as a product. */
  readonly offer: string | undefined
  /** The probability of success, 0 to 1. It may read features, `score` and `tier`. */
  readonly confidence: Formula | undefined
  /** The expected value of the PQL. */
  readonly estimatedValue: Formula | undefined
}

export const PRIORITIES = ['low', 'medium', 'high', 'urgent'] as const
export type Priority = (typeof PRIORITIES)[number]

/**
 * A notice to people. It is sent when its condition is met, and then at most once every `frequencyMs` while
 * it is.
 */
export interface AlertDefinition {
  readonly name: string
  readonly title: string
  readonly when: Condition
  /** The gates that can keep it from being sent, by name. */
  readonly gates: readonly string[]
  readonly frequencyMs: number
  readonly reason: string
  readonly recipients: readonly string[]
  readonly template: string | undefined
  readonly priority: Priority
  readonly assignee: string | undefined
  readonly action: string | undefined
}

/**
 * Which accounts the model scores: an account that `include` lists (undefined: any account) and `exclude`
 * does not. Conditions read features.
 */
export interface ScopeDefinition {
  readonly include: AccountList | undefined
  readonly exclude: AccountList | undefined
}

export interface AccountList {
  readonly ids: readonly string[]
  readonly when: Condition | undefined
}

export interface FacetDefinition {
  readonly name: string
  /** A latest-wins key, such as `traits.plan`. */
  readonly key: string
}
