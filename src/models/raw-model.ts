/** What a model file says once its form is checked: the types of `schemas/scoring-model.schema.json`. */
import type { Dimension, Motion } from '../scoring/model-definition.ts'
import type { Path } from './path.ts'
import type { Report } from './report.ts'

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

/** The value under a key, whatever it is; undefined if there is none. */
export function valueAt(holder: unknown, key: string): unknown {
  return isBlock(holder) ? holder[key] : undefined
}

/** The names in a block of keys, in the order of the file, whether or not what they stand for is sound. */
export function namesIn(block: unknown): string[] {
  return isBlock(block) ? Object.keys(block) : []
}

/**
 * The entries of a block of keys that have the form the schema gives them, typed as such: the one place where a checked
 * form becomes a type. The others have been reported; leaving them out lets everything else be checked at the same time.
 */
export function soundEntries<Entry>(block: unknown, path: Path, report: Report): [name: string, entry: Entry][] {
  return namesIn(block)
    .filter(name => report.isSound([...path, name]))
    .map(name => [name, valueAt(block, name) as Entry])
}

/** The value under a key if it has the form the schema gives it. */
export function soundValue<Value>(holder: unknown, key: string, path: Path, report: Report): Value | undefined {
  return report.isSound([...path, key]) ? (valueAt(holder, key) as Value | undefined) : undefined
}

function isBlock(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
