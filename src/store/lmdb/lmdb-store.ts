import { setImmediate } from 'node:timers/promises'
import { UpswellError } from '../../lib/errors.ts'
import type { LmdbEnvironment, PreparedWrite } from '../../lib/lmdb-environment.ts'
import { DUE_BUCKETS } from '../../scoring/due-buckets.ts'
import type { CounterBook, CounterChange } from '../../scoring/population/counters.ts'
import type {
  AccountStore,
  AccountWrite,
  Listing,
  ListQuery,
  PartitionWrite,
  StoredPartition,
  UserChunkKey,
} from '../store.ts'
import { clearPartition, emptyTables } from './lmdb-clear.ts'
import { addToCounter, readBooks, readPartitionCounters } from './lmdb-counters.ts'
import {
  accountKey,
  afterEvery,
  counterKey,
  counterPrefix,
  dueAccountId,
  dueKey,
  dueRange,
  listingKey,
  listingsFrom,
  parseListing,
  partitionKey,
  tierPrefix,
  userChunkKey,
} from './lmdb-keys.ts'
import { openStoreTables, partitionsKey, type StoreTables } from './lmdb-tables.ts'

/** An account's record begins with its entry in the due index, bucket and time, so that the entry can be found again and moved. */
const ACCOUNT_HEADER_BYTES = 1 + 8
/** How many ids are read before other work gets its turn: about 5 ms. */
const DUE_IDS_PER_TURN = 10_000

/** The store port on LMDB. Closing it leaves the environment open: whoever opened that closes it. */
export class LmdbStore implements AccountStore {
  readonly #environment: LmdbEnvironment
  readonly #tables: StoreTables
  readonly #partitionsKey: Buffer

  /** Makes the tables if they are missing, and waits for the write lock to do so. Without a namespace: the tables of the embedded default itself. */
  constructor(environment: LmdbEnvironment, namespace?: string) {
    this.#environment = environment
    this.#tables = openStoreTables(environment, namespace)
    this.#partitionsKey = partitionsKey(namespace)
  }

  async fence(partition: number, fencingToken: string): Promise<StoredPartition> {
    return await this.#environment.write('STORE_UNAVAILABLE', {
      check: () => {},
      apply: () => {
        const stored = this.#stored(partition)
        this.#tables.partitions.put(partitionKey(partition), encodeFence(stored.storedOffset, fencingToken))
        return stored
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

  async due(partition: number, buckets: readonly number[], upTo: number): Promise<string[]> {
    const ids: string[] = []
    let idsAtLastTurn = 0
    for (const bucket of buckets) {
      const keys = this.#read(() => Array.from(this.#tables.due.getKeys(dueRange(partition, bucket, upTo))))
      // One character a byte, because those sort as the bytes do: much faster than comparing buffers.
      for (const key of keys) ids.push(dueAccountId(key).toString('latin1'))
      if (ids.length - idsAtLastTurn < DUE_IDS_PER_TURN) continue
      idsAtLastTurn = ids.length
      await setImmediate()
    }
    return ids.sort().map(id => Buffer.from(id, 'latin1').toString())
  }

  async countDue(partition: number, upTo: number): Promise<number> {
    return this.#read(() => {
      let count = 0
      for (let bucket = 0; bucket < DUE_BUCKETS; bucket++) {
        count += this.#tables.due.getKeysCount(dueRange(partition, bucket, upTo))
      }
      return count
    })
  }

  async save(partition: number, write: PartitionWrite): Promise<void> {
    await this.#environment.write('STORE_UNAVAILABLE', this.prepareSave(partition, write))
  }

  /** `save` as a part of a transaction, for a write that must last together with something else. */
  prepareSave(partition: number, write: PartitionWrite): PreparedWrite {
    const accounts = write.accounts.map(account => prepareAccount(partition, account))
    const chunks = write.userChunks.map(({ accountId, chunk, bytes }) => ({
      key: userChunkKey(partition, accountId, chunk),
      value: asBuffer(bytes),
    }))
    const counters = write.counters.map(({ book, field, delta }) => ({
      key: counterKey(counterPrefix(book), partition, field),
      delta,
    }))
    const fence = encodeFence(write.storedOffset, write.fencingToken)
    return {
      check: () => this.#requireOwner(partition, write),
      apply: () => {
        for (const account of accounts) this.#putAccount(partition, account)
        for (const { key, value } of chunks) this.#tables.userChunks.put(key, value)
        for (const { key, delta } of counters) addToCounter(this.#tables.counters, key, delta)
        if (write.state !== undefined) this.#tables.states.put(partitionKey(partition), asBuffer(write.state))
        this.#tables.partitions.put(partitionKey(partition), fence)
      },
    }
  }

  async clear(partition: number, fencingToken: string): Promise<void> {
    const requireOwner = () => {
      const found = this.#fenceOf(partition)
      if (found?.fencingToken !== fencingToken) throw fenced(partition, found?.fencingToken, fencingToken)
    }
    await this.#environment.write('STORE_UNAVAILABLE', {
      check: requireOwner,
      apply: () => {
        // First, so that whatever breaks this off, nobody takes what is left for the state at the old watermark.
        this.#tables.partitions.put(partitionKey(partition), encodeFence(0, fencingToken))
        this.#tables.states.remove(partitionKey(partition))
      },
    })
    await clearPartition(this.#environment, this.#tables, partition, requireOwner)
  }

  async readStoredOffset(partition: number): Promise<number> {
    return this.#read(() => this.#fenceOf(partition)?.storedOffset ?? 0)
  }

  async readPartition(partition: number): Promise<StoredPartition> {
    return this.#read(() => this.#stored(partition))
  }

  async list(query: ListQuery): Promise<Listing[]> {
    const tiers = [...new Set(query.tiers)]
    const places = this.#read(() => tiers.flatMap(tier => this.#listTier(query, tier)))
    places.sort((a, b) => Buffer.compare(a.rank, b.rank))
    if (query.order === 'highest-first') places.reverse()
    return places.slice(0, query.limit).map(place => place.listing)
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
      `The state in ${this.#environment.directory} was made with ${found} partitions, and ${partitions} are configured. Configure ${found}, or replay into a directory of its own with ${partitions}.`,
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

  /** The data file, in which the embedded log stands too. */
  async sizeBytes(): Promise<number> {
    return await this.#environment.sizeBytes()
  }

  async close(): Promise<void> {}

  #read<Result>(action: () => Result): Result {
    return this.#environment.read('STORE_UNAVAILABLE', action)
  }

  #stored(partition: number): StoredPartition {
    const state = this.#tables.states.get(partitionKey(partition))
    return { storedOffset: this.#fenceOf(partition)?.storedOffset ?? 0, state }
  }

  #fenceOf(partition: number): Fence | undefined {
    const bytes = this.#tables.partitions.get(partitionKey(partition))
    return bytes === undefined ? undefined : decodeFence(bytes)
  }

  #requireOwner(partition: number, write: PartitionWrite): void {
    const found = this.#fenceOf(partition)
    if (found !== undefined && found.fencingToken !== write.fencingToken)
      throw fenced(partition, found.fencingToken, write.fencingToken)
    if (found?.storedOffset !== write.expectedStoredOffset) {
      throw new UpswellError(
        'STORE_MOVED',
        `Partition ${partition} of the store stands at ${found?.storedOffset ?? 'nothing (it was emptied)'}; the write follows ${write.expectedStoredOffset}.`,
      )
    }
  }

  #putAccount(partition: number, account: PreparedAccount): void {
    const { key, value, accountId, bucket } = account
    const before = decodeHeader(this.#tables.accounts.getBinaryFast(key))
    const dueAt = account.dueAt ?? before?.dueAt ?? Number.POSITIVE_INFINITY
    if (before?.dueAt !== dueAt || before.bucket !== bucket) {
      if (before !== undefined)
        this.#tables.due.remove(dueKey(partition, before.bucket, before.dueAt, accountId))
      this.#tables.due.put(account.dueKey ?? dueKey(partition, bucket, dueAt, accountId), NOTHING)
    }
    encodeHeader(value, bucket, dueAt)
    this.#tables.accounts.put(key, value)
    for (const listing of account.listingsRemoved) this.#tables.listings.remove(listing)
    for (const listing of account.listingsAdded) this.#tables.listings.put(listing, NOTHING)
  }

  #listTier(query: ListQuery, tier: string): { readonly rank: Buffer; readonly listing: Listing }[] {
    const prefix = tierPrefix(query.list, tier)
    const lowest = query.minScore === undefined ? prefix : listingsFrom(prefix, query.minScore)
    const after = query.after && listingKey(prefix, query.after.score, query.after.accountId)
    const range =
      query.order === 'highest-first'
        ? { start: after ?? afterEvery(prefix), end: lowest, inclusiveEnd: true, reverse: true }
        : {
            start: after !== undefined && Buffer.compare(after, lowest) > 0 ? after : lowest,
            end: afterEvery(prefix),
          }
    const keys = this.#tables.listings.getKeys({
      ...range,
      exclusiveStart: range.start === after,
      limit: query.limit,
    })
    return Array.from(keys, key => {
      const { rank, score, accountId } = parseListing(key, prefix)
      return { rank, listing: { list: query.list, tier, score, accountId } }
    })
  }

  #claimedPartitions(): number | undefined {
    const bytes = this.#environment.meta.get(this.#partitionsKey)
    return bytes === undefined ? undefined : Number(bytes.toString())
  }
}

const NOTHING = Buffer.alloc(0)

interface PreparedAccount {
  readonly accountId: string
  readonly bucket: number
  readonly dueAt: number | undefined
  readonly dueKey: Buffer | undefined
  readonly key: Buffer
  /** The header is filled in when the account's present entry in the due index is known. */
  readonly value: Buffer
  readonly listingsRemoved: readonly Buffer[]
  readonly listingsAdded: readonly Buffer[]
}

function prepareAccount(partition: number, write: AccountWrite): PreparedAccount {
  const { accountId, bucket, dueAt } = write
  if (!(bucket >= 0 && bucket < DUE_BUCKETS)) throw new Error(`Account ${accountId} has bucket ${bucket}`)
  const value = Buffer.allocUnsafe(ACCOUNT_HEADER_BYTES + write.bytes.length)
  value.set(write.bytes, ACCOUNT_HEADER_BYTES)
  return {
    accountId,
    bucket,
    dueAt,
    dueKey: dueAt === undefined ? undefined : dueKey(partition, bucket, dueAt, accountId),
    key: accountKey(partition, accountId),
    value,
    listingsRemoved: write.listingsRemoved.map(keyOfListing),
    listingsAdded: write.listingsAdded.map(keyOfListing),
  }
}

function keyOfListing({ list, tier, score, accountId }: Listing): Buffer {
  return listingKey(tierPrefix(list, tier), score, accountId)
}

function encodeHeader(record: Buffer, bucket: number, dueAt: number): void {
  record.writeUInt8(bucket, 0)
  record.writeDoubleBE(dueAt, 1)
}

function decodeHeader(
  record: Buffer | undefined,
): { readonly bucket: number; readonly dueAt: number } | undefined {
  return record && { bucket: record.readUInt8(0), dueAt: record.readDoubleBE(1) }
}

interface Fence {
  readonly storedOffset: number
  readonly fencingToken: string
}

function fenced(partition: number, found: string | undefined, fencingToken: string): UpswellError {
  return new UpswellError(
    'STORE_FENCED',
    `Partition ${partition} of the store belongs to ${found ?? 'nobody (it was emptied)'} now; ${fencingToken} may not write it.`,
  )
}

function encodeFence(storedOffset: number, fencingToken: string): Buffer {
  const fence = Buffer.allocUnsafe(8 + Buffer.byteLength(fencingToken))
  fence.writeDoubleBE(storedOffset, 0)
  fence.write(fencingToken, 8)
  return fence
}

function decodeFence(fence: Buffer): Fence {
  return { storedOffset: fence.readDoubleBE(0), fencingToken: fence.toString('utf8', 8) }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
