import type { Log, OutgoingRecord, PartitionSession } from '../log/log.ts'
import type { AccountStore, PartitionWrite } from '../store/store.ts'

/** A log and a store that belong together: Kafka and Redis, or one LMDB environment for both. */
export interface Backend {
  readonly log: Log
  readonly store: AccountStore
  /**
   * Makes what was scored last: outputs and consumed offset first, then the state. Kafka and Redis: a transaction, then a fenced write; dying in
   * between leaves the watermark behind the committed offset, which assignment makes up for. Embedded: one transaction.
   */
  commitBatch(session: PartitionSession, batch: ScoredBatch): Promise<void>
  /** The same log with the store of another namespace. Closing what it returns leaves the log open. */
  inNamespace(namespace: string): Promise<Backend>
  close(): Promise<void>
}

export interface ScoredBatch {
  readonly outputs: readonly OutgoingRecord[]
  readonly nextOffset: number
  /** Kept with the offset. */
  readonly metadata?: string
  readonly write: PartitionWrite
}
