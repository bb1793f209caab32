import type { Log, OutgoingRecord, PartitionSession } from '../log/log.ts'
import type { LogMeter } from '../log/log-meter.ts'
import type { StoreMeter } from '../store/meter-store.ts'
import type { AccountStore, PartitionWrite } from '../store/store.ts'

/** A log and a store that belong together: Kafka and Redis, or one LMDB environment for both. */
export interface Backend {
  readonly log: Log
  readonly store: AccountStore
  /**
   * Makes a flush durable: outputs and consumed offset first, then the state. Kafka and Redis: a transaction,
   * then a fenced write; after a crash in between, the next session refolds the difference. Embedded: one
   * transaction.
   * @throws UpswellError LOG_FENCED, LOG_UNAVAILABLE, STORE_FENCED, STORE_MOVED, STORE_UNAVAILABLE
   */
  commitFlush(session: PartitionSession, flush: FlushCommit): Promise<void>
  /** The same log with the store of another namespace. Closing the result leaves the log open. */
  inNamespace(namespace: string): Promise<Backend>
  close(): Promise<void>
}

/** What a backend reports about its work, for metrics. */
export interface BackendMeters {
  readonly log: LogMeter
  readonly store: StoreMeter
}

/** What a flush publishes and writes. */
export interface FlushCommit {
  readonly outputs: readonly OutgoingRecord[]
  readonly nextOffset: number
  /** A short text that the log keeps with the offset. */
  readonly metadata?: string
  readonly write: PartitionWrite
}
