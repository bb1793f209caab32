import type { Formula } from './expression.ts'

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
