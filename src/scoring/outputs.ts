import type { Motion, Priority } from './definition/model-definition.ts'

/** What scoring says happened. Plain values: the same log gives the same ones, whatever the batches and partitions. */
export type ScoringEvent = TierChange | PqlEvent | AlertEvent

export type CauseType = 'signal' | 'late' | 'window' | 'model' | 'override' | 'gate'

/** The one reason for a change. `window`: time passed. `gate`: a gate opened or closed, by the signal named if there is one. */
export interface Cause {
  readonly type: CauseType
  readonly signalId?: string
}

export interface Contribution {
  readonly group: string
  readonly rule: string
  /** As the rule gave them, before the group's weight. Null: left out, as its inputs are not known. */
  readonly points: number | null
  readonly max: number
  /** Whether the rule's inputs were known. */
  readonly known: boolean
  /** What it adds to the score, in the score's own units; rounded to 10⁻⁶. */
  readonly contribution: number
  /** The features that it reads, as they were; null is unknown. */
  readonly inputs: Readonly<Record<string, number | string | boolean | null>>
}

export interface TierChange {
  readonly type: 'tier-change'
  readonly id: string
  readonly accountId: string
  readonly modelId: string
  readonly modelVersion: number
  readonly from: string
  readonly to: string
  readonly score: number
  readonly previousScore: number
  /** Whose work list the account goes to from now on, if the tier says so. */
  readonly queue?: string
  /** The account's clock, ms. */
  readonly at: number
  readonly cause: Cause
  readonly contributions: readonly Contribution[]
}

export type PqlStatus = 'qualified' | 'held' | 'released' | 'disqualified' | 'expired'

export interface PqlEvent {
  readonly type: 'pql'
  readonly id: string
  readonly pqlId: string
  readonly accountId: string
  readonly modelId: string
  readonly modelVersion: number
  readonly trigger: string
  readonly motion: Motion
  readonly status: PqlStatus
  readonly score: number
  readonly tier: string
  readonly reasons: readonly string[]
  readonly evidence: Readonly<Record<string, number | string | boolean | null>>
  readonly play: readonly string[]
  readonly decisionTimeline: string
  readonly offer?: string
  /** 0 to 1 */
  readonly confidence?: number
  readonly estimatedValue?: number
  readonly at: number
  readonly cause: Cause
}

export interface AlertEvent {
  readonly type: 'alert'
  readonly id: string
  readonly accountId: string
  readonly modelId: string
  readonly modelVersion: number
  readonly alert: string
  readonly title: string
  readonly priority: Priority
  readonly recipients: readonly string[]
  readonly template?: string
  readonly assignee?: string
  readonly action?: string
  readonly score: number
  readonly tier: string
  readonly reasons: readonly string[]
  readonly evidence: Readonly<Record<string, number | string | boolean | null>>
  readonly at: number
  readonly cause: Cause
}
