import type { Motion, Priority } from './definition/model-definition.ts'

/** The events of scoring, as plain values. The same log gives the same ones, in whatever batches. */
export type ScoringEvent = TierChange | PqlEvent | AlertEvent

export type CauseType = 'signal' | 'late' | 'window' | 'model' | 'override' | 'gate'

/**
 * The reason for a change. `window`: time passed. `gate`: a gate opened or closed, because of the signal if
 * one is named.
 */
export interface Cause {
  readonly type: CauseType
  readonly signalId?: string
}

export interface Contribution {
  readonly group: string
  readonly rule: string
  /** As the rule gave them, before the group's weight. Null: left out, because the inputs are unknown. */
  readonly points: number | null
  readonly max: number
  /** Whether the rule's inputs were known. */
  readonly known: boolean
  /** Its part of the score, in the score's units, rounded to 10⁻⁶. */
  readonly contribution: number
  /** The features that it read; null: unknown. */
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
  /** The work list that the tier puts the account on, if it names one. */
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
