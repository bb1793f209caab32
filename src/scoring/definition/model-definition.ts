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
  /** Names that are not selected although `names` does; exact, or prefixes ending in `*`. */
  readonly except: readonly string[]
}

/** The signal properties whose values an activity keeps with their first and last day. */
export const DIMENSIONS = ['team', 'location', 'product', 'role'] as const
export type Dimension = (typeof DIMENSIONS)[number]

export type FeatureDefinition = { readonly name: string } & (
  | {
      readonly type: 'count' | 'sum' | 'distinctNames' | 'activeDays'
      readonly select: Selection
      readonly window: Window
    }
  /** What happened longer ago counts for less: half after each half-life (in the window's unit). */
  | {
      readonly type: 'decayed'
      readonly measure: 'count' | 'sum'
      readonly select: Selection
      readonly window: Window
      readonly halfLife: number
    }
  | { readonly type: 'distinctUsers'; readonly windowDays: number }
  /** Users active on at least `days` days of the window, which is at most 30 days. */
  | { readonly type: 'powerUsers'; readonly days: number; readonly windowDays: number }
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
      /** The value where none is known. Undefined: it is unknown. */
      readonly fallback: number | string | boolean | undefined
    }
  /** How many keys that match (one key, or a prefix ending in `*`) have a value that says yes: not null, false, 0 or an empty text. */
  | { readonly type: 'knownKeys'; readonly pattern: string; readonly maxAgeDays: number | undefined }
  /** Days in a row, up to today, on which a value was beyond a level. */
  | {
      readonly type: 'daysSustained'
      readonly key: string
      /** The value is divided by this key's. */
      readonly per: string | undefined
      readonly level: Level
      readonly max: number
    }
  /** Periods of so many days in a row, up to today, in which a count or sum was beyond a level. */
  | {
      readonly type: 'periodsSustained'
      readonly measure: 'count' | 'sum'
      readonly select: Selection
      readonly per: string | undefined
      readonly periodDays: number
      readonly level: Level
      /** `max × periodDays` is at most 400. */
      readonly max: number
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
  /** What an expression over other features gives. */
  | { readonly type: 'formula'; readonly formula: Formula }
)

/** `from`: at least the limit. `above`: greater. */
export interface Level {
  readonly edge: 'from' | 'above'
  readonly limit: number
}

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

/** An expression as a person wrote it, which is true or false. */
export interface Condition {
  /** The CEL text, for people. */
  readonly text: string
  readonly expression: Expression
}

/** As `Condition`, of any type; where an amount is asked for, a number. */
export type Formula = Condition

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

/** The share of the model's accounts with at least one of the signals selected in a period. */
export interface RateDefinition {
  readonly name: string
  readonly title: string
  readonly select: Selection
  readonly segments: readonly SegmentDefinition[]
}

/** What a rate is broken down by. Values that are not in the list go under `other`, accounts without one under `unknown`. */
export interface SegmentDefinition {
  readonly name: string
  readonly key: string
  readonly values: readonly string[]
}

/** Key figures of a month, from `outcome` signals and PQLs; by motion, tier and CSM. */
export interface KpiSection {
  /** The latest-wins key that names an account's CSM: `traits.csm`. */
  readonly csmKey: string | undefined
  readonly measures: readonly MeasureDefinition[]
  readonly kpis: readonly KpiDefinition[]
}

/** `month`: in the month itself. `before`: in all months before it. `until`: before it or in it. */
export type MeasureSpan = 'month' | 'before' | 'until'

export type MeasureDefinition = { readonly name: string } & (
  | {
      readonly type: 'count' | 'sum'
      /** Names of `outcome` signals: exact, or prefixes ending in `*`. */
      readonly names: readonly string[]
      /** Of a sum: the numeric property that is added up; undefined: the quantity. */
      readonly property: string | undefined
      /** Only signals whose properties have one of these values. */
      readonly where: readonly {
        readonly property: string
        readonly values: readonly (string | number | boolean)[]
      }[]
      readonly span: MeasureSpan
    }
  /** New PQLs of this model, held ones too. */
  | { readonly type: 'pqls'; readonly span: MeasureSpan }
  /** Accounts seen for the first time. Not split by motion, tier or CSM. */
  | { readonly type: 'accounts'; readonly span: MeasureSpan }
  /** A plan, such as a quota a month. Not split. */
  | { readonly type: 'fixed'; readonly value: number }
)

export interface KpiDefinition {
  readonly name: string
  readonly title: string
  /** Over the measures; a number. */
  readonly formula: Formula
  readonly unit: 'percent' | 'ratio' | 'money' | 'count' | 'days'
  readonly target: { readonly operator: '>' | '>=' | '<' | '<='; readonly value: number } | undefined
}
