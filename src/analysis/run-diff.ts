import type { Motion } from '../scoring/definition/model-definition.ts'
import type { PeriodUnit } from './periods.ts'

/** A window from `from` (included) to `to` (excluded), ms. Null: no limit. */
export interface TimeWindow {
  readonly from: number | null
  readonly to: number | null
}

/** Which run over the log: `live` is the serving lineage, `replay` a replay. */
export type RunSide = 'live' | 'replay'

export type BySide<T> = Readonly<Record<RunSide, T>>

/** How two runs over the same log differ in what they published in a window. Times are ms. */
export interface RunDiff {
  /**
   * The compared window. `from` is null: from the beginning. `to` is null: neither run published anything.
   */
  readonly window: TimeWindow
  /** The models that both runs have, sorted by id. */
  readonly models: readonly ModelRunDiff[]
  /** The models under which only one run published something, sorted by id. */
  readonly oneSided: BySide<readonly PublishedCounts[]>
}

/** How much one run published under a model within the window. */
export interface PublishedCounts {
  readonly modelId: string
  readonly versions: readonly number[]
  /** Accounts with a tier change, or with a PQL that began. */
  readonly accounts: number
  readonly tierChanges: number
  /** PQLs that began. */
  readonly pqls: number
}

export interface ModelRunDiff {
  readonly modelId: string
  /** The versions that published something in the window. If none did: the last version before it. */
  readonly versions: BySide<readonly number[]>
  readonly tiers: TierRunDiff
  readonly pqls: PqlRunDiff
  readonly periods: {
    readonly unit: PeriodUnit
    readonly rows: readonly PeriodRow[]
  }
}

export interface TierRunDiff {
  /** The tiers in which accounts began or were seen, the lowest first. */
  readonly names: readonly string[]
  /**
   * Accounts whose tier changed before the window's end in at least one run. The others are equal in both.
   */
  readonly accounts: number
  /** How many of these are in different tiers at the window's end. */
  readonly moved: number
  /** How many of these were in different tiers at some moment of the window. */
  readonly apart: number
  /**
   * Accounts by their two tiers at the window's end, also if these are the same. Empty pairs are left out.
   */
  readonly cells: readonly { readonly live: string; readonly replay: string; readonly accounts: number }[]
  /** Accounts in different tiers at the window's end, the latest change first. */
  readonly movedAccounts: readonly MovedAccount[]
}

export interface MovedAccount {
  readonly accountId: string
  readonly tier: BySide<string>
  /** When the account entered that tier; null: before the window, or it was never in another. */
  readonly since: BySide<number | null>
}

export interface PeriodRow {
  readonly from: number
  readonly to: number
  /** Accounts in different tiers at the end of the period. */
  readonly apart: number
  /** PQLs that began in the period. */
  readonly pqls: BySide<number>
}

export interface PqlRunDiff extends PqlCounts {
  /** A row for each trigger, sorted by name. */
  readonly triggers: readonly (PqlCounts & { readonly trigger: string; readonly motion: Motion })[]
  /** A row for each motion, sorted by name: the sum of its triggers. */
  readonly motions: readonly (PqlCounts & { readonly motion: Motion })[]
  /** The latest beginning first. */
  readonly lists: {
    readonly both: readonly PqlInBothRuns[]
    readonly onlyLive: readonly PqlInOneRun[]
    readonly onlyReplay: readonly PqlInOneRun[]
  }
}

/** Two PQLs are the same lead if they have the same account and trigger, and overlap in time. */
export interface PqlCounts {
  /** PQLs that began in the window. */
  readonly live: number
  readonly replay: number
  /** Leads that both runs have. */
  readonly both: number
  readonly onlyLive: number
  readonly onlyReplay: number
  /**
   * Leads that both runs have, but one run had already when the window began. They do not count in `both`.
   */
  readonly continued: number
  /** Leads of `both` that were held all the time in this run only. */
  readonly heldOnly: BySide<number>
  readonly shift: PqlShift
}

/** How much later the replay's PQLs of `both` began; negative: earlier. */
export interface PqlShift {
  readonly earlier: number
  readonly same: number
  readonly later: number
  /** Null: no lead in common. The median is the smallest shift that at least half do not exceed. */
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
  /** Whether it was held all the time up to the window's end. */
  readonly held: boolean
}

export interface PqlInOneRun extends NamedPql, PqlLife {}

export interface PqlInBothRuns extends NamedPql {
  readonly life: BySide<PqlLife>
  readonly shiftMs: number
}

/** Whether the two runs published anything different. */
export function isDifferent({ models, oneSided }: RunDiff): boolean {
  return oneSided.live.length > 0 || oneSided.replay.length > 0 || models.some(isModelDifferent)
}

/** Whether a tier or PQL differed at some moment, or a PQL's beginning, end or hold did. */
export function isModelDifferent({ tiers, pqls }: ModelRunDiff): boolean {
  return tiers.apart > 0 || pqls.onlyLive > 0 || pqls.onlyReplay > 0 || !pqls.lists.both.every(hasEqualLives)
}

/**
 * Whether the PQL began and ended at the same times in both, and was held all the time in both or in neither.
 */
export function hasEqualLives({ life: { live, replay } }: PqlInBothRuns): boolean {
  return live.start === replay.start && live.end === replay.end && live.held === replay.held
}
