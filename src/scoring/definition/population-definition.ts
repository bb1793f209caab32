import type { Formula } from './expression.ts'
import type { Selection } from './feature-definition.ts'

/** The share of the model's accounts that had a selected signal in a period. */
export interface RateDefinition {
  readonly name: string
  readonly title: string
  readonly select: Selection
  readonly segments: readonly SegmentDefinition[]
}

/**
 * One way to break down a rate. Values outside the list count as `other`, accounts without a value as
 * `unknown`.
 */
export interface SegmentDefinition {
  readonly name: string
  readonly key: string
  readonly values: readonly string[]
}

/** Key figures of a month, from `outcome` signals and PQLs, by motion, tier and CSM. */
export interface KpiSection {
  /** The latest-wins key that names an account's CSM, such as `traits.csm`. */
  readonly csmKey: string | undefined
  readonly measures: readonly MeasureDefinition[]
  readonly kpis: readonly KpiDefinition[]
}

/** `month`: in the month itself. `before`: in all months before it. `until`: in both. */
export type MeasureSpan = 'month' | 'before' | 'until'

export type MeasureDefinition = { readonly name: string } & (
  | {
      readonly type: 'count' | 'sum'
      /** Names of `outcome` signals: exact, or prefixes that end in `*`. */
      readonly names: readonly string[]
      /** The numeric property to add up in a sum. Undefined: the quantity. */
      readonly property: string | undefined
      /** Only signals whose properties have one of these values. */
      readonly where: readonly {
        readonly property: string
        readonly values: readonly (string | number | boolean)[]
      }[]
      readonly span: MeasureSpan
    }
  /** New PQLs of this model, including those that a gate holds. */
  | { readonly type: 'pqls'; readonly span: MeasureSpan }
  /** Accounts that came under the model for the first time. Not split by motion, tier or CSM. */
  | { readonly type: 'accounts'; readonly span: MeasureSpan }
  /** A planned number, such as a monthly quota. Not split. */
  | { readonly type: 'fixed'; readonly value: number }
)

export interface KpiDefinition {
  readonly name: string
  readonly title: string
  /** An expression over the measures that gives a number. */
  readonly formula: Formula
  readonly unit: 'percent' | 'ratio' | 'money' | 'count' | 'days'
  readonly target: { readonly operator: '>' | '>=' | '<' | '<='; readonly value: number } | undefined
}
