import type { Formula } from './expression.ts'
import type { Selection } from './feature-definition.ts'

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
