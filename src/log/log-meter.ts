/** How far a group has processed a partition. */
export interface ReadPosition extends PositionInPartition {
  readonly group: string
  readonly topic: string
  readonly partition: number
}

export interface PositionInPartition {
  /** Every record before this offset is processed. */
  readonly next: number
  /** The time of the newest processed record, ms; undefined: none was processed since the assignment. */
  readonly newestAt: number | undefined
  /** Nothing was left to process when the session began. */
  readonly beganEven: boolean
}

/** What a log reports about its work, for metrics. Called once a batch or a request, never once a record. */
export interface LogMeter {
  /** A transaction ended. */
  committed(group: string, seconds: number, isDone: boolean): void
  /** Records were processed and committed, or wait for the commit under way. */
  processed(group: string, records: number): void
  /** A broker answered a fetch. */
  fetched(topic: string, bytes: number): void
  fetchFailed(topic: string): void
  /** A session ended by an error; the partition is taken again. */
  sessionLost(group: string, reason: unknown): void
  /** `positions` answers for one consumption until the returned function is called. */
  consuming(positions: () => readonly ReadPosition[]): () => void
}

/** Runs a commit and reports it. `meter` undefined: only runs it. */
export async function meterCommit(
  meter: LogMeter | undefined,
  group: string,
  commit: () => Promise<unknown>,
): Promise<void> {
  const startedAt = performance.now()
  const report = (isDone: boolean): void =>
    meter?.committed(group, (performance.now() - startedAt) / 1000, isDone)
  try {
    await commit()
  } catch (error) {
    report(false)
    throw error
  }
  report(true)
}
