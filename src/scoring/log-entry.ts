import type { SignalEntry, SignalsEntry } from '../signals/signal-table.ts'
import type { ModelSet } from './account.ts'
import type { TickSlice } from './due-slices.ts'
import type { Promotion } from './partition-memory.ts'

/** A part of the log to fold: one record, or a run of records that are all signals. */
export type LogEntry = RecordEntry | SignalsEntry

/** A decoded record of the `signals` log. */
export type RecordEntry =
  | SignalEntry
  | ({ readonly type: 'tick'; readonly offset: number; readonly timestamp: number } & TickSlice)
  | ({ readonly type: 'models' } & ModelSet)
  /**
   * A load of history has ended: the accounts that are in history here are live from now on. Only ticks of at
   * least `slices` slices touch them: a tick that was counted before the load must not touch all at once.
   */
  | { readonly type: 'live'; readonly offset: number; readonly slices: number }
  | ({ readonly type: 'promotion' } & Omit<Promotion, 'isComplete'>)

export type EntryOf<Type extends RecordEntry['type']> = Extract<RecordEntry, { readonly type: Type }>
