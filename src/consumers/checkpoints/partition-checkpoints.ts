import type { OutgoingRecord } from '../../log/log.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { encodePartitionMemory } from '../../models/partition-memory-codec.ts'
import { everyChunkName } from '../../scoring/codec/chunk-codec.ts'
import { decodeAccount, lastOffsetIn } from '../../scoring/codec/codec.ts'
import { dueBucketOf } from '../../scoring/due-slices.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import { isKpiBook } from '../../scoring/population/kpi-counts.ts'
import type { AccountStore } from '../../store/store.ts'
import type { TouchedAccount } from '../scorer/flush/write-builder.ts'
import type { CheckpointLag } from '../scorer/scorer-meter.ts'
import { bucketsOfSlice, slicesFor } from '../scorer/tick-slices.ts'
import { type CheckpointHead, headRecords, itemRecord } from './checkpoint-records.ts'
import type { Checkpoint } from './read-checkpoint.ts'

/** When checkpoints are written. */
export interface CheckpointTiming {
  /** From the start of one checkpoint to the start of the next. */
  readonly intervalMs: number
  readonly now: () => number
  /** How many accounts a flush looks at for the running checkpoint; default 250. */
  readonly accountsPerBatch?: number
}

/** Small enough that no flush takes much longer than it would without a running checkpoint. */
const ACCOUNTS_PER_BATCH = 250

/** A running checkpoint. */
interface Cycle {
  readonly head: CheckpointHead
  /**
   * The accounts are cut into `of` slices, as for a tick. `slice` is being written, and `left` are its
   * remaining accounts.
   */
  readonly of: number
  slice: number
  left: Set<string>
}

/** The partition as the store holds it. */
export interface CheckpointedPartition {
  readonly partition: number
  readonly memory: PartitionMemory
  readonly storedOffset: number
}

/**
 * Writes a partition's checkpoints while a session owns it, in the flushes' own transactions: a fenced owner
 * writes none.
 *
 * A checkpoint shows the store at one offset, the cut. Each flush adds some of the accounts that changed
 * since the last cut. An account that a flush changes before its slice is reached is added first.
 */
export class PartitionCheckpoints {
  readonly #topic: string
  readonly #timing: CheckpointTiming
  readonly #store: AccountStore
  readonly #library: ModelLibrary
  /** The topic holds every account that last changed before this offset. */
  #previousCut = 0
  /** When that checkpoint was complete, or else when this owner began. */
  #completeAt: number
  #begunAt: number
  #isChanged = true
  #cycle: Cycle | undefined

  constructor(topic: string, timing: CheckpointTiming, store: AccountStore, library: ModelLibrary) {
    this.#topic = topic
    this.#timing = timing
    this.#store = store
    this.#library = library
    this.#begunAt = timing.now()
    this.#completeAt = this.#begunAt
  }

  /**
   * The topic holds a complete checkpoint of this cut, and nothing after it: only later changes need be
   * written.
   */
  continueFrom({ cut, completeAt }: Pick<Checkpoint, 'cut' | 'completeAt'>, storedOffset: number): void {
    // The search is slow: this owner may have finished a newer checkpoint meanwhile.
    if (cut <= this.#previousCut) return
    this.#previousCut = cut
    this.#completeAt = completeAt
    if (this.#cycle === undefined) this.#isChanged = storedOffset > cut
  }

  /** For metrics. `storedOffset`: of the store now. */
  lag(storedOffset: number): CheckpointLag {
    const records = Math.max(0, storedOffset - this.#previousCut)
    const hasChanged = records > 0 && (this.#isChanged || this.#cycle !== undefined)
    return { records, ageMs: hasChanged ? Math.max(0, this.#timing.now() - this.#completeAt) : 0 }
  }

  /** Whether a flush is wanted, so that a checkpoint starts or continues. */
  get isWaiting(): boolean {
    return this.#cycle !== undefined || this.#isTime()
  }

  /**
   * The checkpoint's next records for a flush. Starts a checkpoint if it is time. @throws UpswellError
   * STORE_UNAVAILABLE
   */
  async next(owned: CheckpointedPartition): Promise<OutgoingRecord[]> {
    if (this.#cycle === undefined && this.#isTime()) await this.#begin(owned)
    const cycle = this.#cycle
    if (cycle === undefined) return []
    const ids = await this.#nextIds(owned.partition, cycle)
    const { partition, memory } = owned
    const records = await this.#recordsOf(
      ids,
      (id, bytes) => everyChunkName(decodeAccount(id, bytes, memory.modelSets).activity),
      partition,
      cycle,
    )
    if (cycle.slice < cycle.of) return records
    this.#cycle = undefined
    this.#previousCut = cycle.head.cut
    this.#completeAt = this.#timing.now()
    return [...records, ...headRecords(this.#topic, partition, cycle.head)]
  }

  /**
   * The accounts that a flush changes before their slice is reached, as the store still holds them. @throws
   * UpswellError STORE_UNAVAILABLE
   */
  async overtaken(partition: number, touched: readonly TouchedAccount[]): Promise<OutgoingRecord[]> {
    if (touched.length > 0) this.#isChanged = true
    const cycle = this.#cycle
    if (cycle === undefined) return []
    const namesOf = new Map<string, string[]>()
    for (const { account, before } of touched) {
      if (before === undefined || before.lastOffset >= cycle.head.cut) continue
      const slice = dueBucketOf(account.id) % cycle.of
      if (slice > cycle.slice || (slice === cycle.slice && cycle.left.has(account.id)))
        namesOf.set(account.id, everyChunkName(account.activity))
    }
    return await this.#recordsOf([...namesOf.keys()], id => namesOf.get(id)!, partition, cycle)
  }

  #isTime(): boolean {
    const { now, intervalMs } = this.#timing
    // The absolute value: the clock may be set back.
    return this.#isChanged && Math.abs(now() - this.#begunAt) >= intervalMs
  }

  async #begin({ partition, memory, storedOffset }: CheckpointedPartition): Promise<void> {
    this.#begunAt = this.#timing.now()
    this.#isChanged = false
    const state = Buffer.from(encodePartitionMemory(memory, this.#library)).toString()
    const accounts = await this.#store.countDue(partition, Number.POSITIVE_INFINITY)
    const counters = (await this.#store.readPartitionCounters(partition)).filter(({ book }) =>
      isKpiBook(book),
    )
    const of = slicesFor(accounts, this.#accountsPerBatch)
    const left = await this.#accountsOf(partition, 0, of)
    this.#cycle = { head: { cut: storedOffset, accounts, state, counters }, of, slice: 0, left }
  }

  get #accountsPerBatch(): number {
    return this.#timing.accountsPerBatch ?? ACCOUNTS_PER_BATCH
  }

  /**
   * The next accounts to look at. A slice is listed when it is reached: an account that is new then was
   * created after the cut.
   */
  async #nextIds(partition: number, cycle: Cycle): Promise<string[]> {
    const ids: string[] = []
    while (cycle.slice < cycle.of) {
      for (const id of cycle.left) {
        if (ids.length >= this.#accountsPerBatch) return ids
        cycle.left.delete(id)
        ids.push(id)
      }
      cycle.slice++
      if (cycle.slice < cycle.of) cycle.left = await this.#accountsOf(partition, cycle.slice, cycle.of)
    }
    return ids
  }

  async #accountsOf(partition: number, slice: number, of: number): Promise<Set<string>> {
    return new Set(await this.#store.due(partition, bucketsOfSlice(slice, of), Number.POSITIVE_INFINITY))
  }

  /** The records of the accounts that changed between the last cut and this one. */
  async #recordsOf(
    ids: readonly string[],
    chunkNamesOf: (accountId: string, bytes: Uint8Array) => readonly string[],
    partition: number,
    { head: { cut } }: Cycle,
  ): Promise<OutgoingRecord[]> {
    if (ids.length === 0) return []
    const topic = this.#topic
    const found = await this.#store.load(partition, ids)
    const chunks: { accountId: string; chunk: string }[] = []
    const records: OutgoingRecord[] = []
    for (const [i, bytes] of found.entries()) {
      const accountId = ids[i]!
      if (bytes === undefined) continue
      const lastOffset = lastOffsetIn(accountId, bytes)
      if (lastOffset < this.#previousCut || lastOffset >= cut) continue
      records.push(itemRecord(topic, partition, cut, { accountId, bytes }))
      for (const chunk of chunkNamesOf(accountId, bytes)) chunks.push({ accountId, chunk })
    }
    // Chunks come after their accounts: then compaction never keeps an account without its chunks. A reader
    // drops a chunk that comes before its account: it is left over from an earlier checkpoint.
    for (const [i, bytes] of (await this.#store.loadUserChunks(partition, chunks)).entries())
      if (bytes !== undefined) records.push(itemRecord(topic, partition, cut, { ...chunks[i]!, bytes }))
    return records
  }
}
