import type { SignalEntry, SignalsEntry } from '../signals/signal-table.ts'
import type { ModelSet } from './account.ts'
import type { Promotion } from './partition-memory.ts'

/** A part of the log to fold: one record, or a run of records that are all signals. */
export type LogEntry = RecordEntry | SignalsEntry

/** A decoded record of the `signals` log. */
export type RecordEntry =
  | SignalEntry
  | ({ readonly type: 'tick'; readonly offset: number; readonly timestamp: number } & TickSlice)
  | ({ readonly type: 'models' } & ModelSet)
  /**
   * Loading of history has ended: from here on, the wall clock passes for all accounts. Only ticks of at least
   * `slices` slices touch them: a tick that was counted before the load must not touch all of them at once.
   */
  | { readonly type: 'live'; readonly offset: number; readonly slices: number }
  | ({ readonly type: 'promotion' } & Omit<Promotion, 'isComplete'>)

export type EntryOf<Type extends RecordEntry['type']> = Extract<RecordEntry, { readonly type: Type }>

/** The accounts for which a tick passes time: slice `slice` of `of` slices (`isInSlice`). */
export interface TickSlice {
  /** `wall`: time passes for live accounts. `event`: it passes for those in history, by their events. */
  readonly clock: 'wall' | 'event'
  readonly slice: number
  readonly of: number
  /** Only the accounts that are due by then or were released, or every account of the slice. */
  readonly scope: 'due' | 'all'
}
