/** A partition that this process scores, for metrics. */
export interface PartitionState {
  readonly partition: number
  /** Records that memory holds and the store does not. */
  readonly unstoredRecords: number
  /** How long the oldest of them has waited for the flush. */
  readonly unstoredMs: number
  readonly cachedAccounts: number
  /** Committed records that the store lacked when the partition was taken, and how many are folded again. */
  readonly refold: Progress
  /** Undefined: this process writes no checkpoints. */
  readonly checkpoint: CheckpointLag | undefined
}

export interface Progress {
  readonly done: number
  readonly total: number
}

/** How far the newest complete checkpoint is behind the store. */
export interface CheckpointLag {
  /** Stored records after it: what a rebuild folds again. */
  readonly records: number
  /** Its age, while the store has changed since; 0: it shows the store as it is. */
  readonly ageMs: number
}

/** What a scorer reports about its work, for metrics. Called once a step or a flush. */
export interface ScorerMeter {
  flushed(seconds: number, isDone: boolean): void
  /** Look-ups of accounts in memory: one for each signal. */
  lookedUp(hits: number, misses: number): void
  /** Accounts that were asked of the store. `absent`: new ones. */
  loaded(found: number, absent: number): void
  /** A checkpoint is written into the empty partition. Progress undefined: this is over. */
  filling(topic: string, partition: number, progress: Progress | undefined): void
  /** `states` answers for the partitions of a topic until the returned function is called. */
  scoring(topic: string, states: () => readonly PartitionState[]): () => void
}
