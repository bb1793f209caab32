import { type Account, LIVE, type ModelSet } from './account.ts'

// An account of loaded history has the time of its own signals; the wall clock does not pass for it. With
// `historyOffset` (of the account) and `liveOffset` (of the partition's newest `live` record):
//
//   historyOffset              the account is
//   −1                         live
//   > liveOffset               in history
//   0 … liveOffset             released: live, and in the due index still at its place of history
//
// A released account becomes −1 when it is next touched. Rules: docs/how-a-score-is-defined.md, "History".

type Place = Pick<Account, 'historyOffset'>

export function isInHistory({ historyOffset }: Place, liveOffset: number): boolean {
  return historyOffset > liveOffset
}

export function isReleased({ historyOffset }: Place, liveOffset: number): boolean {
  return historyOffset !== LIVE && historyOffset <= liveOffset
}

/** A model set of a partition's memory. */
export interface MemorySet extends ModelSet {
  /** Offset of the newest `live` record before the models record; −1: none. */
  readonly liveOffset: number
}

/** The models record's time is far ahead of an account in history, which switches at its own clock. */
export function setForAccount(account: Place, set: MemorySet): ModelSet {
  return isInHistory(account, set.liveOffset) ? { ...set, at: 0 } : set
}

/** The due index begins here for accounts in history: ticks of the wall clock do not look so far. */
const HISTORY_FROM = 2 ** 50
/** Accounts in history that are never due. Every other time of the index is below this, or Infinity. */
const HISTORY_NEVER = 2 ** 51

/** A part of the due index; both ends are included. */
export interface DueRange {
  readonly from: number
  readonly upTo: number
}

/** All accounts in history, and the released ones that were not touched since. */
export const HISTORY_DUE: DueRange = { from: HISTORY_FROM, upTo: HISTORY_NEVER }

/** The accounts in history with `dueAt ≤ time` (ms). */
export function historyDueUpTo(time: number): DueRange {
  return { from: HISTORY_FROM, upTo: Math.min(HISTORY_FROM + time, HISTORY_NEVER) }
}

/** The account's time in the due index. */
export function indexedDueAt({ dueAt, historyOffset }: Pick<Account, 'dueAt' | 'historyOffset'>): number {
  return historyOffset === LIVE ? dueAt : Math.min(HISTORY_FROM + dueAt, HISTORY_NEVER)
}
