/** What a model file says once its form is checked: the types of `schemas/scoring-model.schema.json`. */
import type { Dimension, Motion } from '../scoring/model-definition.ts'

export interface RawModel {
  readonly id: string
  readonly version: number
  readonly name: string
  readonly score: RawScore
  readonly tiers: readonly RawTier[]
  readonly tierPolicy?: { readonly margin?: number; readonly dwell?: string }
}

export interface RawScore {
  readonly scale: number
  readonly min?: number
  readonly max: number
  readonly decimals?: number
}

export type RawKind = 'usage' | 'intent' | 'outcome'

export interface RawSelection {
  readonly of?: RawKind | readonly RawKind[]
  readonly names?: string | readonly string[]
}
export type RawWindowedSelection = RawSelection & { readonly within: string }

export interface RawValues {
  readonly of: Dimension
  readonly within: string
}

export interface RawDayDistance {
  readonly date: string
  readonly from?: number
  readonly to?: number
  readonly every?: 'year'
}

/** One of the keys other than `type` and `within` is there. */
export interface RawFeature {
  readonly count?: RawWindowedSelection
  readonly sum?: RawWindowedSelection
  readonly distinctNames?: RawWindowedSelection
  readonly activeDays?: RawWindowedSelection
  readonly distinctUsers?: { readonly within: string }
  readonly distinctValues?: RawValues
  readonly newValues?: RawValues
  readonly latest?: string
  readonly type?: 'number' | 'text' | 'flag'
  readonly within?: string
  readonly daysUntil?: RawDayDistance
  readonly daysSince?: RawDayDistance
  readonly daysSinceSignal?: RawSelection & { readonly to?: number }
  readonly growth?: {
    readonly of?: string
    readonly count?: RawSelection
    readonly sum?: RawSelection
    readonly within: string
  }
  readonly ratio?: readonly [string, string]
  readonly largest?: readonly string[]
  readonly smallest?: readonly string[]
}

export interface RawLine {
  readonly of: string
  readonly corners: readonly (readonly [number, number])[]
}
export type RawPoints = number | { readonly line: RawLine }

/** One of `line`, `bands` with `of`, `cases`, `when` with `points` is there. */
export interface RawRule {
  readonly title?: string
  readonly missing?: number | 'exclude'
  readonly line?: RawLine
  readonly of?: string
  readonly bands?: readonly RawBand[]
  readonly below?: number
  readonly cases?: readonly RawCase[]
  readonly when?: string
  readonly points?: RawPoints
}

/** One of `from` and `above` is there. */
export interface RawBand {
  readonly from?: number
  readonly above?: number
  readonly points: number
}

/** `when` and `points`, or `otherwise`. */
export interface RawCase {
  readonly when?: string
  readonly points?: RawPoints
  readonly otherwise?: RawPoints
}

export interface RawGroup {
  readonly title?: string
  readonly weight: number
  readonly max: number
}

export interface RawTier {
  readonly name: string
  readonly title?: string
  readonly from: number
  readonly action?: string
}

export interface RawGate {
  readonly title?: string
  readonly open: string
  readonly missing: 'open' | 'closed'
}

export interface RawTrigger {
  readonly motion: Motion
  readonly when: string
  readonly gates?: readonly string[]
  readonly cooldown: string
  readonly expiry: string
  readonly reason: string
  readonly play?: readonly string[]
  readonly decisionTimeline?: string
}
