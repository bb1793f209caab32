/** The content of a model file after `checkSchema`: the types of `schemas/scoring-model.schema.json`. */
import type {
  Dimension,
  KpiDefinition,
  MeasureSpan,
  Motion,
  Priority,
} from '../scoring/definition/model-definition.ts'

export interface RawModel {
  readonly id: string
  readonly version: number
  readonly name: string
  readonly score: RawScore
  readonly tiers: readonly RawTier[]
  readonly tierPolicy?: { readonly margin?: number; readonly dwell?: string }
  readonly examples?: readonly RawExample[]
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
  readonly except?: string | readonly string[]
}
export type RawWindowedSelection = RawSelection & { readonly within: string }
export type RawDecayableSelection = RawWindowedSelection & { readonly halfLife?: string }

/** Has either `above` or `from`. */
export interface RawLevel {
  readonly above?: number
  readonly from?: number
}

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

/** Has exactly one key besides `type`, `within` and `default`. */
export interface RawFeature {
  readonly count?: RawDecayableSelection
  readonly sum?: RawDecayableSelection
  readonly distinctNames?: RawWindowedSelection
  readonly activeDays?: RawWindowedSelection
  readonly distinctUsers?: { readonly within: string }
  readonly powerUsers?: { readonly days: number; readonly within: string }
  readonly distinctValues?: RawValues
  readonly newValues?: RawValues
  readonly latest?: string
  readonly type?: 'number' | 'text' | 'flag'
  readonly within?: string
  readonly default?: RawValue
  readonly knownKeys?: { readonly of: string; readonly within?: string }
  readonly daysSustained?: RawLevel & { readonly of: string; readonly per?: string; readonly to?: number }
  readonly periodsSustained?: RawPeriodsSustained
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
  readonly formula?: RawFormula
}

/** A CEL expression, or a number. */
export type RawFormula = string | number
export type RawValue = number | string | boolean

/** Has either `count` or `sum`. */
export type RawPeriodsSustained = RawLevel & {
  readonly count?: RawSelection
  readonly sum?: RawSelection
  readonly per?: string
  readonly every: string
  readonly to: number
}

export interface RawLinearPoints {
  readonly of: string
  readonly corners: readonly (readonly [number, number])[]
}
export type RawPoints = number | { readonly line: RawLinearPoints }

export interface RawEach {
  readonly of: string
  readonly points: number
  readonly max: number
}

/** Has exactly one of `line`, `bands` with `of`, `cases`, `each`, and `when` with `points`. */
export interface RawRule {
  readonly title?: string
  readonly missing?: number | 'exclude'
  readonly line?: RawLinearPoints
  readonly of?: string
  readonly bands?: readonly RawBand[]
  readonly below?: number
  readonly cases?: readonly RawCase[]
  readonly each?: RawEach
  readonly when?: string
  readonly points?: RawPoints
}

/** Has either `from` or `above`. */
export interface RawBand {
  readonly from?: number
  readonly above?: number
  readonly points: number
}

/** Has `when` and `points`, or `otherwise`. */
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
  readonly queue?: string
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
  readonly offer?: string
  readonly confidence?: RawFormula
  readonly value?: RawFormula
}

export interface RawAlert {
  readonly title?: string
  readonly when: string
  readonly gates?: readonly string[]
  readonly frequency: string
  readonly reason: string
  readonly recipients?: readonly string[]
  readonly template?: string
  readonly priority?: Priority
  readonly assignee?: string
  readonly action?: string
}

/** Has at least one key. */
export interface RawAccountList {
  readonly when?: string
  readonly ids?: readonly string[]
}

export type RawRate = RawSelection & {
  readonly title?: string
  readonly by?: Readonly<Record<string, { readonly of: string; readonly values: readonly string[] }>>
}

/** Has exactly one of `count`, `sum`, `pqls`, `accounts` and `fixed`. */
export interface RawMeasure {
  readonly count?: string | readonly string[]
  readonly sum?: string | readonly string[]
  readonly pqls?: 'created'
  readonly accounts?: 'seen'
  readonly fixed?: number
  readonly property?: string
  readonly where?: Readonly<Record<string, RawValue | readonly RawValue[]>>
  readonly over?: MeasureSpan
}

export interface RawMetric {
  readonly title?: string
  readonly formula: RawFormula
  readonly unit: KpiDefinition['unit']
  readonly target?: string
}

export interface RawExample {
  readonly title: string
  readonly at?: string
  readonly account?: string
  readonly given: readonly RawGiven[]
  readonly expect: RawExpectation
}

type RawFacts = Readonly<Record<string, RawValue | null>>

/** Has exactly one of the first six keys. Those after `daysAgo` need `usage`, `intent` or `outcome`. */
export interface RawGiven {
  readonly traits?: RawFacts
  readonly health?: RawFacts
  readonly contract?: RawFacts
  readonly usage?: string
  readonly intent?: string
  readonly outcome?: string
  readonly daysAgo?: number | string
  readonly quantity?: number
  readonly user?: string
  readonly properties?: RawFacts
  readonly times?: number
  readonly users?: number
}

/** Has at least one key. */
export interface RawExpectation {
  readonly score?: number
  readonly tier?: string
  readonly pqls?: readonly string[]
  readonly held?: readonly string[]
  readonly alerts?: readonly string[]
  readonly coverage?: number
  readonly groups?: Readonly<Record<string, number>>
  readonly features?: RawFacts
}
