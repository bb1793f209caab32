import { accountScoresRecord } from '../../../log/account-scores-record.ts'
import type { OutgoingRecord, PartitionSession } from '../../../log/log.ts'
import type { PartitionMemory } from '../../../scoring/partition-memory.ts'
import type { PartitionCheckpoints } from '../../checkpoints/partition-checkpoints.ts'
import type { PartitionAccounts } from '../partition-accounts.ts'
import type { PartitionOffsets } from '../partition-offsets.ts'
import { requireUnmovedStore } from '../require-unmoved-store.ts'
import type { ScorerContext } from '../scorer-context.ts'
import type { PreparedFlush } from './prepare-flush.ts'
import type { TouchedAccount } from './write-builder.ts'

export interface FlushedPartition {
  readonly context: ScorerContext
  readonly session: PartitionSession
  readonly offsets: PartitionOffsets
  readonly memory: PartitionMemory
  readonly checkpoints: PartitionCheckpoints | undefined
}

/** What the flushes of a partition publish: the scores of accounts whose scores changed, and checkpoints. */
export class FlushOutputs {
  readonly #partition: FlushedPartition
  readonly #accounts: Pick<PartitionAccounts, 'dirty'>
  /** As the store holds it. */
  #storedMemory: PartitionMemory

  constructor(partition: FlushedPartition, accounts: Pick<PartitionAccounts, 'dirty'>) {
    this.#partition = partition
    this.#accounts = accounts
    this.#storedMemory = { ...partition.memory }
  }

  /** @throws UpswellError STORE_MOVED, STORE_UNAVAILABLE, LOG_UNAVAILABLE */
  async recordsOf(prepared: PreparedFlush): Promise<OutgoingRecord[]> {
    const { context, session, memory } = this.#partition
    const topics = context.publication.topics(memory)
    const records = await this.#checkpointRecords(prepared)
    for (const touched of prepared.touched) {
      const { account } = touched
      if (this.#isToPublish(touched))
        records.push(accountScoresRecord(topics, account, `${session.partition}:${account.lastOffset}`))
    }
    return records
  }

  /** The store now holds what memory holds. */
  stored(): void {
    this.#storedMemory = { ...this.#partition.memory }
  }

  /** Whether the account's scores differ from the published ones, or may differ. */
  #isToPublish({ account, before, changes }: TouchedAccount): boolean {
    if (changes.areScoresChanged || this.#accounts.dirty.announced.has(account)) return true
    return before !== undefined && this.#partition.offsets.isUncertain(before.lastOffset)
  }

  /**
   * A checkpoint shows the store as it is before this write. None starts while committed records are
   * refolded: it would hold less than the last one.
   */
  async #checkpointRecords({ touched }: PreparedFlush): Promise<OutgoingRecord[]> {
    const { checkpoints, context, offsets, session } = this.#partition
    const { partition, committedOffset } = session
    if (checkpoints === undefined || offsets.folded < committedOffset) return []
    const stored = { partition, memory: this.#storedMemory, storedOffset: offsets.stored }
    const next = await checkpoints.next(stored)
    const overtaken = await checkpoints.overtaken(partition, touched)
    const records = [...next, ...overtaken]
    if (records.length > 0) await requireUnmovedStore(context.backend.store, partition, offsets.stored)
    return records
  }
}
