import type { Formula } from './expression.ts'

/**
 * A lookback window of whole buckets. It ends with the present bucket: 30 days are today and the 29 days
 * before.
 */
export interface Window {
  readonly unit: 'day' | 'hour'
  /** 1 to 400 days, or 1 to 48 hours. */
  readonly length: number
}

/** The activity that a feature reads. */
export interface Selection {
  readonly kinds: readonly ('usage' | 'intent' | 'outcome')[]
  /** Exact names, or prefixes that end in `*`. Undefined: all names. */
  readonly names: readonly string[] | undefined
  /** Names to leave out of `names`: exact, or prefixes that end in `*`. */
  readonly except: readonly string[]
}

/** The signal properties for which an activity keeps each value's first and last day. */
export const DIMENSIONS = ['team', 'location', 'product', 'role'] as const
export type Dimension = (typeof DIMENSIONS)[number]

export type FeatureDefinition = { readonly name: string } & (
  | {
      readonly type: 'count' | 'sum' | 'distinctNames' | 'activeDays'
      readonly select: Selection
      readonly window: Window
    }
  /** Older amounts count for less: half after each half-life, in the window's unit. */
  | {
      readonly type: 'decayed'
      readonly measure: 'count' | 'sum'
      readonly select: Selection
      readonly window: Window
      readonly halfLife: number
    }
  | { readonly type: 'distinctUsers'; readonly windowDays: number }
  /** Users who were active on at least `days` days of the window. The window is at most 30 days. */
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
      /** The value to use if none is known. Undefined: the feature is unknown. */
      readonly fallback: number | string | boolean | undefined
    }
  /**
   * The number of matching keys with a positive value: not null, false or 0. The pattern is
   * one key, or a prefix that ends in `*`.
   */
  | { readonly type: 'knownKeys'; readonly pattern: string; readonly maxAgeDays: number | undefined }
  /** The number of days in a row, up to today, on which a value was beyond a level. */
  | {
      readonly type: 'daysSustained'
      readonly key: string
      /** The value is divided by the value of this key. */
      readonly per: string | undefined
      readonly level: Level
      readonly max: number
    }
  /** The number of periods in a row, up to today, in which a count or sum was beyond a level. */
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
  /** The result of an expression over other features. */
  | { readonly type: 'formula'; readonly formula: Formula }
)

/** `from`: at least the limit. `above`: greater than the limit. */
export interface Level {
  readonly edge: 'from' | 'above'
  readonly limit: number
}
