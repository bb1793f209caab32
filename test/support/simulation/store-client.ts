import { UpswellError } from '../../../src/lib/errors.ts'
import type { CounterBook, CounterChange } from '../../../src/scoring/population/counters.ts'
import type {
  AccountStore,
  Listing,
  ListQuery,
  PartitionProgress,
  PartitionWrite,
  ReadAccounts,
  StoredPartition,
  UserChunkKey,
} from '../../../src/store/store.ts'
import type { JournaledStore } from './journaled-store.ts'
import type { Operation } from './plan.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Wiring } from './wiring.ts'

/** The store port of one process. */
export class StoreClient implements AccountStore {
  readonly #process: SimulatedProcess
  readonly #store: JournaledStore
  readonly #wiring: Wiring
  /** Partition → its stored offset, as far as this process knows. */
  readonly #storedOffsets = new Map<number, number>()
  readonly #committedOffset: (partition: number) => number
  readonly #onRestored: () => void
  /** Partitions that are being filled from a checkpoint. */
  readonly #filling = new Set<number>()

  constructor(
    process: SimulatedProcess,
    store: JournaledStore,
    wiring: Wiring,
    committedOffset: (partition: number) => number,
    onRestored: () => void,
  ) {
    this.#onRestored = onRestored
    this.#process = process
    this.#committedOffset = committedOffset
    this.#store = store
    this.#wiring = wiring
  }

  async fence(partition: number, fencingToken: string, wholeFrom?: number): Promise<StoredPartition> {
    const stored = await this.#call('store.fence', partition, () =>
      this.#store.fence(partition, fencingToken, wholeFrom),
    )
    this.#storedOffsets.set(partition, stored.storedOffset)
    return this.#wiring.passesNothingOver
      ? { ...stored, storedOffset: Math.min(stored.storedOffset, 1) }
      : stored
  }

  load(partition: number, accountIds: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#call('store.load', partition, () => this.#store.memory.load(partition, accountIds))
  }

  loadUserChunks(partition: number, keys: readonly UserChunkKey[]): Promise<(Uint8Array | undefined)[]> {
    return this.#call('store.users', partition, () => this.#store.memory.loadUserChunks(partition, keys))
  }

  async due(partition: number, buckets: readonly number[], upTo: number, from?: number): Promise<string[]> {
    const due = await this.#call('store.due', partition, () =>
      this.#store.memory.due(partition, buckets, upTo, from),
    )
    return this.#wiring.missesDueAccounts ? due.slice(1) : due
  }

  countDue(partition: number, upTo: number, from?: number): Promise<number> {
    return this.#call('store.countDue', partition, () => this.#store.memory.countDue(partition, upTo, from))
  }

  async save(partition: number, write: PartitionWrite): Promise<void> {
    if (write.storedOffset === 0) this.#filling.add(partition)
    const isLast = write.storedOffset > 0 && this.#filling.delete(partition)
    const operation = write.storedOffset === 0 || isLast ? 'store.fill' : 'store.save'
    await this.#call(operation, `${partition} ${write.expectedStoredOffset} to ${write.storedOffset}`, () =>
      this.#saveAsWired(partition, isLast ? this.#finishAsWired(partition, write) : write),
    )
    this.#storedOffsets.set(partition, write.storedOffset)
    if (isLast) this.#onRestored()
  }

  async #saveAsWired(partition: number, write: PartitionWrite): Promise<void> {
    const { savesUnchecked, countsRefusedSaves, losesSaves } = this.#wiring
    if (savesUnchecked) return this.#store.saveUnchecked(partition, write)
    if (losesSaves && write.storedOffset % 7 === 0) return
    try {
      await this.#store.save(partition, write)
    } catch (error) {
      if (countsRefusedSaves) await this.#store.countOnly(partition, write.counters)
      throw error
    }
  }

  /** The last write of a restore. */
  #finishAsWired(partition: number, write: PartitionWrite): PartitionWrite {
    const { restoresNoCounters, restoresToCommitted } = this.#wiring
    const storedOffset = restoresToCommitted ? this.#committedOffset(partition) : write.storedOffset
    return { ...write, storedOffset, counters: restoresNoCounters ? [] : write.counters }
  }

  /** Takes two steps, as the adapters do: a process that dies between them leaves a part. */
  async clear(partition: number, fencingToken: string): Promise<void> {
    this.#filling.delete(partition)
    if (!this.#wiring.clearsNothing) {
      await this.#call('store.clear', partition, () => this.#store.clearInPart(partition, fencingToken))
      await this.#call('store.clear', partition, () => this.#store.clear(partition, fencingToken))
    }
    this.#storedOffsets.set(partition, 0)
  }

  async readStoredOffset(partition: number): Promise<number> {
    const stored = await this.#call('store.readStoredOffset', partition, () =>
      this.#store.memory.readStoredOffset(partition),
    )
    const storedOffset = this.#storedOffsets.get(partition)
    return this.#wiring.trustsTheStore && storedOffset !== undefined ? storedOffset : stored
  }

  readPartitionCounters(partition: number): Promise<CounterChange[]> {
    return this.#call('store.readPartitionCounters', partition, () =>
      this.#store.memory.readPartitionCounters(partition),
    )
  }

  async readPartition(partition: number): Promise<StoredPartition> {
    const stored = await this.#call('store.readPartition', partition, () =>
      this.#store.memory.readPartition(partition),
    )
    const storedOffset = this.#storedOffsets.get(partition)
    return this.#wiring.trustsTheStore && storedOffset !== undefined ? { ...stored, storedOffset } : stored
  }

  readAccounts(partition: number, accountIds: readonly string[]): Promise<ReadAccounts> {
    return this.#store.memory.readAccounts(partition, accountIds)
  }

  readProgress(partitions: readonly number[]): Promise<PartitionProgress[]> {
    return this.#store.memory.readProgress(partitions)
  }

  list(query: ListQuery): Promise<Listing[]> {
    return this.#store.memory.list(query)
  }

  readCounters(books: readonly string[]): Promise<CounterBook[]> {
    return this.#store.memory.readCounters(books)
  }

  partitions(): Promise<number | undefined> {
    return this.#call('store.claim', '', () => this.#store.memory.partitions())
  }

  claimPartitions(partitions: number): Promise<void> {
    return this.#call('store.claim', partitions, () => this.#store.memory.claimPartitions(partitions))
  }

  drop(): Promise<void> {
    return this.#call('store.drop', '', async () => this.#store.empty())
  }

  async ping(): Promise<void> {}

  async time(): Promise<undefined> {
    return undefined
  }
  async sizeBytes(): Promise<number> {
    return 0
  }
  async close(): Promise<void> {}

  #call<T>(operation: Operation, about: string | number, effect: () => Promise<T>): Promise<T> {
    return this.#process.call(
      operation,
      () => String(about),
      effect,
      () => new UpswellError('STORE_UNAVAILABLE', `${operation}: no answer`, { canRetry: true }),
    )
  }
}
