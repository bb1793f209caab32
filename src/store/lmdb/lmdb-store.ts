import { setImmediate } from 'node:timers/promises'
import { UpswellError } from '../../lib/errors.ts'
import type { LmdbEnvironment, PreparedWrite } from '../../lib/lmdb/lmdb-environment.ts'
import { DUE_BUCKETS } from '../../scoring/due-slices.ts'
import type { CounterBook, CounterChange } from '../../scoring/population/counters.ts'
import { CLEARING, describePosition, positionsOf, storedOffsetAt } from '../position.ts'
import type {
  AccountStore,
  Listing,
  ListQuery,
  PartitionProgress,
  PartitionWrite,
  ReadAccounts,
  StoredPartition,
  UserChunkKey,
} from '../store.ts'
import { ACCOUNT_HEADER_BYTES, prepareAccount, putAccount } from './lmdb-accounts.ts'
import { clearPartition, emptyTables } from './lmdb-clear.ts'
import { addToCounter, readBooks, readPartitionCounters } from './lmdb-counters.ts'
import { encodeFence, readFence, readProgress } from './lmdb-fence.ts'
import {
  accountKey,
  counterKey,
  counterPrefix,
  dueAccountId,
  dueRange,
  partitionKey,
  userChunkKey,
  wholeFromKey,
} from './lmdb-keys.ts'
import { readList } from './lmdb-lists.ts'
import { openStoreTables, partitionsKey, type StoreTables } from './lmdb-tables.ts'

/** How many ids are read before other work gets its turn: about 5 ms. */
const DUE_IDS_PER_TURN = 10_000

/** The store port on LMDB. Closing the store leaves the environment open. */
export class LmdbStore implements AccountStore {
  readonly #environment: LmdbEnvironment
  readonly #tables: StoreTables
  readonly #partitionsKey: Buffer

  /**
   * Makes the tables if they are missing, and waits for the write lock to do so.
   * @param namespace undefined: the embedded installation's own tables
   */
  constructor(environment: LmdbEnvironment, namespace?: string) {
    this.#environment = environment
    this.#tables = openStoreTables(environment, namespace)
    this.#partitionsKey = partitionsKey(namespace)
  }

  async fence(partition: number, fencingToken: string, wholeFrom = 0): Promise<StoredPartition> {
    return await this.#environment.write('STORE_UNAVAILABLE', {
      check: () => {},
      apply: () => {
        const position = readFence(this.#tables, partition)?.position ?? 0
        this.#tables.partitions.put(partitionKey(partition), encodeFence(position, fencingToken))
        this.#tables.partitions.put(wholeFromKey(partition), Buffer.from(String(wholeFrom)))
        return this.#stored(partition)
      },
    })
  }

  async load(partition: number, accountIds: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const keys = accountIds.map(id => accountKey(partition, id))
    return this.#read(() => keys.map(key => this.#tables.accounts.get(key)?.subarray(ACCOUNT_HEADER_BYTES)))
  }

  async loadUserChunks(
    partition: number,
    chunks: readonly UserChunkKey[],
  ): Promise<(Uint8Array | undefined)[]> {
    const keys = chunks.map(({ accountId, chunk }) => userChunkKey(partition, accountId, chunk))
    return this.#read(() => keys.map(key => this.#tables.userChunks.get(key)))
  }

  async due(
    partition: number,
    buckets: readonly number[],
    upTo: number,
    from = Number.NEGATIVE_INFINITY,
  ): Promise<string[]> {
    const ids: string[] = []
    let idsAtLastTurn = 0
    for (const bucket of new Set(buckets)) {
      const range = dueRange(partition, bucket, from, upTo)
      const keys = this.#read(() => Array.from(this.#tables.due.getKeys(range)))
      // One character per byte: such texts sort as the bytes do, and much faster than buffers.
      for (const key of keys) ids.push(dueAccountId(key).toString('latin1'))
      if (ids.length - idsAtLastTurn < DUE_IDS_PER_TURN) continue
      idsAtLastTurn = ids.length
      await setImmediate()
    }
    return ids.sort().map(id => Buffer.from(id, 'latin1').toString())
  }

  async countDue(partition: number, upTo: number, from = Number.NEGATIVE_INFINITY): Promise<number> {
    return this.#read(() => {
      let count = 0
      for (let bucket = 0; bucket < DUE_BUCKETS; bucket++) {
        count += this.#tables.due.getKeysCount(dueRange(partition, bucket, from, upTo))
      }
      return count
    })
  }

  async save(partition: number, write: PartitionWrite): Promise<void> {
    await this.#environment.write('STORE_UNAVAILABLE', this.prepareSave(partition, write))
  }

  /** `save` as part of a larger transaction, which becomes durable as a whole. */
  prepareSave(partition: number, write: PartitionWrite): PreparedWrite {
    const accounts = write.accounts.map(account => prepareAccount(partition, account))
    const chunks = write.userChunks.map(({ accountId, chunk, bytes }) => ({
      key: userChunkKey(partition, accountId, chunk),
      value: bytes && asBuffer(bytes),
    }))
    const counters = write.counters.map(({ book, field, delta }) => ({
      key: counterKey(counterPrefix(book), partition, field),
      delta,
    }))
    const fence = encodeFence(positionsOf(write).next, write.fencingToken)
    return {
      check: () => this.#requireFence(partition, write),
      apply: () => {
        for (const account of accounts) putAccount(this.#tables, partition, account)
        for (const { key, value } of chunks) {
          if (value === undefined) this.#tables.userChunks.remove(key)
          else this.#tables.userChunks.put(key, value)
        }
        for (const { key, delta } of counters) addToCounter(this.#tables.counters, key, delta)
        if (write.state !== undefined) this.#tables.states.put(partitionKey(partition), asBuffer(write.state))
        this.#tables.partitions.put(partitionKey(partition), fence)
      },
    }
  }

  async clear(partition: number, fencingToken: string): Promise<void> {
    const requireToken = () => {
      const found = readFence(this.#tables, partition)
      if (found?.fencingToken !== fencingToken) throw fenced(partition, found?.fencingToken, fencingToken)
    }
    await this.#environment.write('STORE_UNAVAILABLE', {
      check: requireToken,
      apply: () => {
        // First: if clearing stops halfway, nobody takes the rest for the state at the old offset.
        this.#tables.partitions.put(partitionKey(partition), encodeFence(CLEARING, fencingToken))
        this.#tables.states.remove(partitionKey(partition))
      },
    })
    await clearPartition(this.#environment, this.#tables, partition, requireToken)
    await this.#environment.write('STORE_UNAVAILABLE', {
      check: requireToken,
      apply: () => {
        this.#tables.partitions.put(partitionKey(partition), encodeFence(0, fencingToken))
      },
    })
  }

  async readStoredOffset(partition: number): Promise<number> {
    return this.#read(() => this.#storedOffset(partition))
  }

  async readPartition(partition: number): Promise<StoredPartition> {
    return this.#read(() => this.#stored(partition))
  }

  async readAccounts(partition: number, accountIds: readonly string[]): Promise<ReadAccounts> {
    const keys = accountIds.map(id => accountKey(partition, id))
    return this.#read(() => ({
      accounts: keys.map(key => this.#tables.accounts.get(key)?.subarray(ACCOUNT_HEADER_BYTES)),
      progress: readProgress(this.#tables, partition),
    }))
  }

  async readProgress(partitions: readonly number[]): Promise<PartitionProgress[]> {
    return this.#read(() => partitions.map(partition => readProgress(this.#tables, partition)))
  }

  async list(query: ListQuery): Promise<Listing[]> {
    return this.#read(() => readList(this.#tables.listings, query))
  }

  async readCounters(books: readonly string[]): Promise<CounterBook[]> {
    return await readBooks(this.#environment, this.#tables.counters, books)
  }

  async readPartitionCounters(partition: number): Promise<CounterChange[]> {
    return await readPartitionCounters(this.#environment, this.#tables.counters, partition)
  }

  async partitions(): Promise<number | undefined> {
    return this.#read(() => this.#claimedPartitions())
  }

  async claimPartitions(partitions: number): Promise<void> {
    const found = await this.#environment.write('STORE_UNAVAILABLE', {
      check: () => {},
      apply: () => {
        const existing = this.#claimedPartitions()
        if (existing === undefined)
          this.#environment.meta.put(this.#partitionsKey, Buffer.from(String(partitions)))
        return existing ?? partitions
      },
    })
    if (found === partitions) return
    throw new UpswellError(
      'PARTITIONS_CHANGED',
      `The state in ${this.#environment.directory} was created with ${found} partitions, and ${partitions} are configured. Configure ${found}, or replay into another directory with ${partitions}.`,
    )
  }

  async drop(): Promise<void> {
    await emptyTables(this.#environment, this.#tables)
    await this.#environment.write('STORE_UNAVAILABLE', {
      check: () => {},
      apply: () => {
        this.#environment.meta.remove(this.#partitionsKey)
      },
    })
  }

  async ping(): Promise<void> {
    this.#read(() => this.#claimedPartitions())
  }

  async time(): Promise<undefined> {
    return undefined
  }

  /** The data file, which also holds the embedded log. */
  async sizeBytes(): Promise<number> {
    return await this.#environment.sizeBytes()
  }

  async close(): Promise<void> {}

  #read<Result>(action: () => Result): Result {
    return this.#environment.read('STORE_UNAVAILABLE', action)
  }

  #stored(partition: number): StoredPartition {
    const state = this.#tables.states.get(partitionKey(partition))
    return { storedOffset: this.#storedOffset(partition), state }
  }

  #storedOffset(partition: number): number {
    return storedOffsetAt(readFence(this.#tables, partition)?.position ?? 0)
  }

  /** @throws UpswellError STORE_FENCED, STORE_MOVED */
  #requireFence(partition: number, write: PartitionWrite): void {
    const found = readFence(this.#tables, partition)
    if (found !== undefined && found.fencingToken !== write.fencingToken)
      throw fenced(partition, found.fencingToken, write.fencingToken)
    const { expected } = positionsOf(write)
    if (found?.position !== expected) {
      const now = found === undefined ? 'was emptied' : describePosition(found.position)
      throw new UpswellError(
        'STORE_MOVED',
        `Partition ${partition} of the store ${now}; the write expects that it ${describePosition(expected)}.`,
      )
    }
  }

  #claimedPartitions(): number | undefined {
    const bytes = this.#environment.meta.get(this.#partitionsKey)
    return bytes === undefined ? undefined : Number(bytes.toString())
  }
}

function fenced(partition: number, found: string | undefined, fencingToken: string): UpswellError {
  return new UpswellError(
    'STORE_FENCED',
    `Partition ${partition} of the store belongs to fencing token ${found ?? 'none (it was emptied)'} now; ${fencingToken} may not write it.`,
  )
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
