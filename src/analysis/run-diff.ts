import type { Motion } from '../scoring/definition/model-definition.ts'
import type { PeriodUnit } from './periods.ts'

/** Moments from `from` (included) to `to` (excluded), ms. Null: open. */
export interface TimeWindow {
  readonly from: number | null
  readonly to: number | null
}

/** Which of two readings of the log: what is served, and a replay. */
export type RunSide = 'live' | 'replay'

export type BySide<T> = Readonly<Record<RunSide, T>>

/** What two runs over the same log published differently within a window. Times and spans are ms. */
export interface RunDiff {
  /** What was compared. `from` is null: from the beginning. `to` is null: neither run published anything. */
  readonly window: TimeWindow
  /** By id: models that both runs have. */
  readonly models: readonly ModelRunDiff[]
  /** By id: models of which only one run published something. */
  readonly oneSided: BySide<readonly PublishedCounts[]>
}

/** What one run published of a model within the window. */
export interface PublishedCounts {
  readonly modelId: string
  readonly versions: readonly number[]
  /** With a tier change, or a PQL that began. */
  readonly accounts: number
  readonly tierChanges: number
  /** That began. */
  readonly pqls: number
}

export interface ModelRunDiff {
  readonly modelId: string
  /** Those that published something in the window; if none did, the last one before it. */
  readonly versions: BySide<readonly number[]>
  readonly tiers: TierRunDiff
  readonly pqls: PqlRunDiff
  readonly periods: {
    readonly unit: PeriodUnit
    readonly rows: readonly PeriodRow[]
  }
}

export interface TierRunDiff {
  /** The lowest first: those that an account was seen in or began in. */
  readonly names: readonly string[]
  /** Accounts whose tier changed before the window's end in at least one run: of others nothing is known, and nothing differs. */
  readonly accounts: number
  /** Of these, in different tiers at the window's end. */
  readonly moved: number
  /** Of these, in different tiers at some moment of the window. */
  readonly apart: number
  /** Accounts by their tiers at the window's end, those that are in the same too; pairs that nobody is in are left out. */
  readonly cells: readonly { readonly live: string; readonly replay: string; readonly accounts: number }[]
  /** Whose tiers differ at the window's end: the latest change first. */
  readonly movedAccounts: readonly MovedAccount[]
}

export interface MovedAccount {
  readonly accountId: string
  readonly tier: BySide<string>
  /** When it entered that tier; null: before the window, or it was never anywhere else. */
  readonly since: BySide<number | null>
}

export interface PeriodRow {
  readonly from: number
  readonly to: number
  /** Accounts in different tiers at its end. */
  readonly apart: number
  /** PQLs that began in it. */
  readonly pqls: BySide<number>
}

export interface PqlRunDiff extends PqlCounts {
  /** By name. */
  readonly triggers: readonly (PqlCounts & { readonly trigger: string; readonly motion: Motion })[]
  /** By name: the triggers of each added up. */
  readonly motions: readonly (PqlCounts & { readonly motion: Motion })[]
  /** The latest beginning first. */
  readonly lists: {
    readonly both: readonly PqlInBothRuns[]
    readonly onlyLive: readonly PqlInOneRun[]
    readonly onlyReplay: readonly PqlInOneRun[]
  }
}

/** PQLs are the same lead if they are of one account and trigger, and overlap in time. */
export interface PqlCounts {
  /** That began in the window. */
  readonly live: number
  readonly replay: number
  /** The same lead in both. */
  readonly both: number
  readonly onlyLive: number
  readonly onlyReplay: number
  /** The same lead in both, but one run had it already when the window began: it is counted here, not in `both`. */
  readonly continued: number
  /** Of `both`: held all the time in the one run only. */
  readonly heldOnly: BySide<number>
  readonly shift: PqlShift
}

/** By how much the replay's PQLs of `both` began later; negative: earlier. */
export interface PqlShift {
  readonly earlier: number
  readonly same: number
  readonly later: number
  /** Null: there are none in both. The median is the least that at least half of them do not exceed. */
  readonly span: { readonly leastMs: number; readonly medianMs: number; readonly mostMs: number } | null
}

interface NamedPql {
  readonly accountId: string
  readonly trigger: string
  readonly motion: Motion
}

export interface PqlLife {
  readonly start: number
  /** Null: open or held at the window's end. */
  readonly end: number | null
  /** All the time, as far as the window goes. */
  readonly held: boolean
}

export interface PqlInOneRun extends NamedPql, PqlLife {}

export interface PqlInBothRuns extends NamedPql {
  readonly life: BySide<PqlLife>
  readonly shiftMs: number
}

/** Whether the two runs did anything differently. */
export function isDifferent({ models, oneSided }: RunDiff): boolean {
  return oneSided.live.length > 0 || oneSided.replay.length > 0 || models.some(isModelDifferent)
}

/** At some moment of the window: a tier, a PQL, or when it began, ended or was held. */
export function isModelDifferent({ tiers, pqls }: ModelRunDiff): boolean {
  return tiers.apart > 0 || pqls.onlyLive > 0 || pqls.onlyReplay > 0 || !pqls.lists.both.every(hasEqualLives)
}

/** Began and ended at the same times, and was held all the time in both or in neither. */
export function hasEqualLives({ life: { live, replay } }: PqlInBothRuns): boolean {
  return live.start === replay.start && live.end === replay.end && live.held === replay.held
}
