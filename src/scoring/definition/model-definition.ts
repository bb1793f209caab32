import type { Condition, Formula } from './expression.ts'
import type { FeatureDefinition, Level } from './feature-definition.ts'
import type { KpiSection, RateDefinition } from './population-definition.ts'

/**
 * A scoring model as data: what a YAML file in `models/` says once it is checked. `compile-model.ts` turns it into
 * closures. The rules that these types stand for are in `docs/how-a-score-is-defined.md`.
 */

export interface ModelDefinition {
  readonly id: string
  readonly version: number
  readonly name: string
  readonly score: ScoreDefinition
  /** In dependency order: a feature reads only features before it. */
  readonly features: readonly FeatureDefinition[]
  readonly groups: readonly GroupDefinition[]
  /** Ascending by `from`; the first one is where every account starts. At least one. */
  readonly tiers: readonly TierDefinition[]
  readonly tierPolicy: TierPolicy
  readonly gates: readonly GateDefinition[]
  readonly triggers: readonly TriggerDefinition[]
  readonly alerts: readonly AlertDefinition[]
  /** Which accounts the model scores. */
  readonly scope: ScopeDefinition
  /** What accounts can be listed by. */
  readonly facets: readonly FacetDefinition[]
  readonly rates: readonly RateDefinition[]
  /** Undefined: the model measures no outcomes. */
  readonly kpis: KpiSection | undefined
}

export interface ScoreDefinition {
  /** The weighted sum of the groups' points is multiplied by this. */
  readonly scale: number
  readonly min: number
  readonly max: number
  /** Digits after the point that a score keeps, halves up; tiers are compared with the rounded score. 0 to 6. */
  readonly decimals: number
}

export interface GroupDefinition {
  readonly name: string
  readonly title: string
  readonly weight: number
  /** The most that the group gives: its rules' points are capped here. */
  readonly max: number
  readonly rules: readonly RuleDefinition[]
}

/** What a rule gives when what it reads is not known: some points, or it is left out and the group's other rules are scaled up. */
export type MissingPolicy =
  | { readonly type: 'points'; readonly points: number }
  | { readonly type: 'exclude' }

/** Points along straight lines between [x, points] corners, flat beyond the ends. */
export interface LinearPoints {
  readonly of: string
  /** At least one, x ascending. */
  readonly corners: readonly (readonly [x: number, points: number])[]
}

export interface Band extends Level {
  readonly points: number
}

export interface Case {
  /** Undefined: otherwise. Only the last case may be so. */
  readonly when: Condition | undefined
  readonly points: number | LinearPoints
}

export type RuleDefinition = {
  readonly name: string
  readonly title: string
  /** The most points it can give; its share when others are left out, and its share of the coverage. */
  readonly max: number
  readonly missing: MissingPolicy
} & (
  | { readonly type: 'line'; readonly line: LinearPoints }
  /** Ascending; the last band reached counts, below the first one `below`. */
  | { readonly type: 'bands'; readonly of: string; readonly bands: readonly Band[]; readonly below: number }
  /** The first case that is true counts. None true and one unknown: missing. None true and none unknown: 0. */
  | { readonly type: 'cases'; readonly cases: readonly Case[] }
)

export interface TierDefinition {
  readonly name: string
  readonly title: string
  readonly from: number
  readonly action: string
  /** Whose work list its accounts go to. */
  readonly queue: string | undefined
}

export interface TierPolicy {
  /** A tier is left downwards only when the score is below its `from` less this margin. */
  readonly margin: number
  /** A tier is left, in either direction, no sooner than this after it was entered. ms */
  readonly dwellMs: number
}

export interface GateDefinition {
  readonly name: string
  readonly title: string
  /** The gate is open while this is true. */
  readonly open: Condition
  /** What an unknown condition means. */
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

/** `{feature}`, or `{feature%}` for percents. */
export const REASON_PLACEHOLDER = /\{([^{}%]+)(%?)\}/g

export interface TriggerDefinition {
  readonly name: string
  readonly motion: Motion
  readonly when: Condition
  /** Names of the gates that hold it; all of them unless the model says less. */
  readonly gates: readonly string[]
  /** How long after a PQL closed before the trigger may make the next one. ms */
  readonly cooldownMs: number
  /** A PQL that is still open this long after it qualified expires. ms */
  readonly expiryMs: number
  /** For people; `{feature}` and `{feature%}` stand for values. */
  readonly reason: string
  readonly play: readonly string[]
  readonly decisionTimeline: string
  /** What is to be offered, such as a product. */
  readonly offer: string | undefined
  /** How likely it is to come about, 0 to 1. Features, `score` and `tier` may be read. */
  readonly confidence: Formula | undefined
  /** What it would be worth. */
  readonly estimatedValue: Formula | undefined
}

export const PRIORITIES = ['low', 'medium', 'high', 'urgent'] as const
export type Priority = (typeof PRIORITIES)[number]

/** A notice to people: sent when its condition is met, and again no sooner than `frequencyMs` later if it still (or again) is. */
export interface AlertDefinition {
  readonly name: string
  readonly title: string
  readonly when: Condition
  /** Names of the gates that keep it from being sent. */
  readonly gates: readonly string[]
  readonly frequencyMs: number
  readonly reason: string
  readonly recipients: readonly string[]
  readonly template: string | undefined
  readonly priority: Priority
  readonly assignee: string | undefined
  readonly action: string | undefined
}

/** An account is scored if a list or condition includes it (or there is none that includes) and none excludes it. Conditions read features. */
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
  /** Of a latest-wins value: `traits.plan`. */
  readonly key: string
}
