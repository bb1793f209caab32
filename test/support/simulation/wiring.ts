/**
 * How the loop is connected to its log and store. Each field is a mistake made on purpose, and the simulation
 * must notice it.
 */
export interface Wiring {
  /** A new owner does not stop the earlier ones from writing. */
  readonly skipsLogFence: boolean
  /** The committed offset is read before the fence: a transaction may still be about to commit. */
  readonly readsOffsetBeforeFence: boolean
  readonly readsUncommitted: boolean
  readonly commitsOneTooFar: boolean
  readonly doesNotAwaitCommit: boolean
  /** An unclear end of a transaction counts as a success. */
  readonly takesUnclearForDone: boolean
  readonly savesBeforeCommit: boolean
  /** The loop takes records to refold for new ones. */
  readonly sendsOutputsAgain: boolean
  /** All committed records count as published, even the scores that wait for the next flush. */
  readonly overlooksUnpublished: boolean
  /** The scores of all refolded records are published again. */
  readonly publishesScoresAgain: boolean
  /** Records below the stored offset are applied again. */
  readonly passesNothingOver: boolean
  /** The store accepts every save, whatever its fencing token and the offset before it. */
  readonly savesUnchecked: boolean
  /** A refused save still counts. */
  readonly countsRefusedSaves: boolean
  /** The loop does not ask whether the store's answers are still valid. */
  readonly trustsTheStore: boolean
  /** A save is lost silently. */
  readonly losesSaves: boolean
  /** A repeated signal id is not recognized. */
  readonly forgetsIds: boolean
  /** A tick misses some due accounts. */
  readonly missesDueAccounts: boolean
  /** A checkpoint omits accounts that a batch changes before the checkpoint reaches them. */
  readonly forgetsOvertaken: boolean
  /** The head of a checkpoint comes before its last items. */
  readonly sendsHeadFirst: boolean
  /** The remains of an unfinished checkpoint are ignored. */
  readonly overlooksUndone: boolean
  /** Restored accounts count as the state at the committed offset, not at the cut. */
  readonly restoresToCommitted: boolean
  readonly restoresNoCounters: boolean
  /** Remaining data of a partition stays when it is restored. */
  readonly clearsNothing: boolean
}

export const CORRECT: Wiring = {
  skipsLogFence: false,
  readsOffsetBeforeFence: false,
  readsUncommitted: false,
  commitsOneTooFar: false,
  doesNotAwaitCommit: false,
  takesUnclearForDone: false,
  savesBeforeCommit: false,
  sendsOutputsAgain: false,
  overlooksUnpublished: false,
  publishesScoresAgain: false,
  passesNothingOver: false,
  savesUnchecked: false,
  countsRefusedSaves: false,
  trustsTheStore: false,
  losesSaves: false,
  forgetsIds: false,
  missesDueAccounts: false,
  forgetsOvertaken: false,
  sendsHeadFirst: false,
  overlooksUndone: false,
  restoresToCommitted: false,
  restoresNoCounters: false,
  clearsNothing: false,
}
