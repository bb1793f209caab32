/**
 * How the loop is put together with its log and its store; each of these is a mistake made on purpose. The simulation must notice every one of them.
 */
export interface Wiring {
  /** A new owner does not end what the earlier ones may still do. */
  readonly skipsLogFence: boolean
  /** The committed offset is asked for first: a transaction may still be on its way. */
  readonly readsOffsetBeforeFence: boolean
  readonly readsUncommitted: boolean
  readonly commitsOneTooFar: boolean
  readonly doesNotAwaitCommit: boolean
  /** An unclear end of a transaction counts as its success. */
  readonly takesUnclearForDone: boolean
  readonly savesBeforeCommit: boolean
  /** Records that are folded again are new to the loop. */
  readonly sendsOutputsAgain: boolean
  /** All that was committed counts as published, also the scores that wait for the store's next write. */
  readonly overlooksUnpublished: boolean
  /** The scores of all that is folded again are published once more. */
  readonly publishesScoresAgain: boolean
  /** Records below the watermark are applied once more. */
  readonly passesNothingOver: boolean
  /** The store takes every save, whoever writes it and whatever it follows. */
  readonly savesUnchecked: boolean
  /** A refused save still counts. */
  readonly countsRefusedSaves: boolean
  /** The store is not asked whether what it answered can be relied on. */
  readonly trustsTheStore: boolean
  /** A save is lost, and nobody is told. */
  readonly losesSaves: boolean
  /** A repeated id is not known again. */
  readonly forgetsIds: boolean
  /** A tick does not reach all that are due. */
  readonly missesDueAccounts: boolean
  /** A checkpoint leaves out the accounts that a batch changes before it comes to them. */
  readonly forgetsOvertaken: boolean
  /** The head of a checkpoint stands before the last of its items. */
  readonly sendsHeadFirst: boolean
  /** What was left of a checkpoint that was begun and left undone counts for nothing. */
  readonly overlooksUndone: boolean
  /** What was restored counts as all that is committed, and not as what was so at the cut. */
  readonly restoresToCommitted: boolean
  readonly restoresNoCounters: boolean
  /** What is left of a partition stays when it is made anew. */
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
