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
}

export interface ScoreDefinition {
  /** The weighted sum of the groups' points is multiplied by this. */
  readonly scale: number
  readonly min: number
  readonly max: number
  /** Digits after the point that a score keeps, halves up; tiers are compared with the rounded score. 0 to 6. */
  readonly decimals: number
}

/** A lookback window of whole buckets that ends with the present one: 30 days are today and the 29 days before it. */
export interface Window {
  readonly unit: 'day' | 'hour'
  /** 1 to 400 days, 1 to 48 hours. */
  readonly length: number
}

/** Which activity a feature reads. */
export interface Selection {
  readonly kinds: readonly ('usage' | 'intent' | 'outcome')[]
  /** Exact names, or prefixes ending in `*`. Undefined: all names. */
  readonly names: readonly string[] | undefined
}

/** The signal properties whose values an activity keeps with their first and last day. */
export const DIMENSIONS = ['team', 'location', 'product'] as const
export type Dimension = (typeof DIMENSIONS)[number]

export type FeatureDefinition = { readonly name: string } & (
  | {
      readonly type: 'count' | 'sum' | 'distinctNames' | 'activeDays'
      readonly select: Selection
      readonly window: Window
    }
  | { readonly type: 'distinctUsers'; readonly windowDays: number }
  | {
      readonly type: 'distinctValues' | 'newValues'
      readonly dimension: Dimension
      readonly windowDays: number
    }
  | {
      readonly type: 'latest'
      readonly key: string
      readonly valueType: 'number' | 'string' | 'boolean'
      readonly maxAgeDays: number | undefined
    }
  | {
      readonly type: 'daysUntil' | 'daysSince'
      readonly key: string
      readonly everyYear: boolean
      readonly min: number
      readonly max: number
    }
  | { readonly type: 'daysSinceSignal'; readonly select: Selection; readonly max: number }
  | {
      readonly type: 'growth'
      readonly of:
        | { readonly key: string }
        | { readonly select: Selection; readonly measure: 'count' | 'sum' }
      readonly windowDays: number
    }
  | { readonly type: 'ratio'; readonly of: string; readonly to: string }
  | { readonly type: 'largest' | 'smallest'; readonly of: readonly string[] }
)

/** A value in a condition. `undefined` is unknown, and spreads as in three-valued (Kleene) logic. */
export type Value = number | string | boolean | undefined

/** A checked condition; its source is CEL. */
export type Expression =
  | { readonly type: 'literal'; readonly value: number | string | boolean }
  /** A feature, or `score` or `tier` (in triggers only). */
  | { readonly type: 'feature'; readonly name: string }
  /** `known(feature)`: never itself unknown. */
  | { readonly type: 'known'; readonly name: string }
  | { readonly type: 'not' | 'negate'; readonly of: Expression }
  | { readonly type: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | {
      readonly type: 'compare'
      readonly operator: '<' | '<=' | '>' | '>=' | '==' | '!='
      readonly left: Expression
      readonly right: Expression
    }
  | {
      readonly type: 'arithmetic'
      readonly operator: '+' | '-' | '*' | '/'
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly type: 'in'; readonly of: Expression; readonly list: readonly (number | string | boolean)[] }
  | {
      readonly type: 'conditional'
      readonly test: Expression
      readonly then: Expression
      readonly otherwise: Expression
    }

export interface Condition {
  /** The CEL text, for people. */
  readonly text: string
  readonly expression: Expression
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
export interface Line {
  readonly of: string
  /** At least one, x ascending. */
  readonly corners: readonly (readonly [x: number, points: number])[]
}

export interface Band {
  readonly limit: number
  /** `from`: the value is at least the limit. `above`: it is greater. */
  readonly edge: 'from' | 'above'
  readonly points: number
}

export interface Case {
  /** Undefined: otherwise. Only the last case may be so. */
  readonly when: Condition | undefined
  readonly points: number | Line
}

export type RuleDefinition = {
  readonly name: string
  readonly title: string
  /** The most points it can give; its share when others are left out, and its share of the coverage. */
  readonly max: number
  readonly missing: MissingPolicy
} & (
  | { readonly type: 'line'; readonly line: Line }
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
}
