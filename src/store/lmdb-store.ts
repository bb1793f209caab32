import { setImmediate } from 'node:timers/promises'
import { UpswellError } from '../errors.ts'
import type { CounterBook } from '../scoring/population/counters.ts'
import type { LmdbEnvironment, LmdbTable, PreparedWrite } from './lmdb-environment.ts'
import {
  accountKey,
  afterEvery,
  counterField,
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
import {
  type AccountStore,
  type AccountWrite,
  DUE_BUCKETS,
  type Listing,
  type ListQuery,
  type PartitionWrite,
  type StoredPartition,
  type UserChunkKey,
} from './store.ts'

const PARTITIONS_KEY = Buffer.from('store-partitions')
/** An account's record begins with its entry in the due index, bucket and time, so that the entry can be found again and moved. */
const ACCOUNT_HEADER_BYTES = 1 + 8
/** How many ids are read before other work gets its turn: about 5 ms. */
const DUE_IDS_PER_TURN = 10_000
/** How many counters are read before other work gets its turn: a few ms. */
const COUNTERS_PER_TURN = 2000

/** The store port on LMDB. Closing it leaves the environment open: whoever opened that closes it. */
export class LmdbStore implements AccountStore {
  readonly #environment: LmdbEnvironment
  /** Partition → watermark and owner. */
  readonly #partitions: LmdbTable
  /** Partition → what it remembers as a whole. */
  readonly #states: LmdbTable
  readonly #accounts: LmdbTable
  readonly #userChunks: LmdbTable
  /** Keys only: partition, bucket, due time, account. */
  readonly #due: LmdbTable
  /** Keys only: model, tier, score, account; of all partitions. */
  readonly #listings: LmdbTable
  /** Book, partition, field → a double. */
  readonly #counters: LmdbTable

  constructor(environment: LmdbEnvironment) {
    this.#environment = environment
    this.#partitions = environment.table('store-partitions')
    this.#states = environment.table('store-states')
    this.#accounts = environment.table('store-accounts')
    this.#userChunks = environment.table('store-user-chunks')
    this.#due = environment.table('store-due')
    this.#listings = environment.table('store-listings')
    this.#counters = environment.table('store-counters')
  }

  async fence(partition: number, owner: string): Promise<StoredPartition> {
    return await this.#environment.write('STORE_UNAVAILABLE', {
      check: () => {},
      apply: () => {
        const stored = this.#stored(partition)
        this.#partitions.put(partitionKey(partition), encodeFence(stored.watermark, owner))
        return stored
      },
    })
  }

  async load(partition: number, accountIds: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const keys = accountIds.map(id => accountKey(partition, id))
    return this.#read(() => keys.map(key => this.#accounts.get(key)?.subarray(ACCOUNT_HEADER_BYTES)))
  }

  async loadUserChunks(
    partition: number,
    chunks: readonly UserChunkKey[],
  ): Promise<(Uint8Array | undefined)[]> {
    const keys = chunks.map(({ accountId, chunk }) => userChunkKey(partition, accountId, chunk))
    return this.#read(() => keys.map(key => this.#userChunks.get(key)))
  }

  async due(partition: number, buckets: readonly number[], upTo: number): Promise<string[]> {
    const ids: string[] = []
    let idsAtLastTurn = 0
    for (const bucket of buckets) {
      const keys = this.#read(() => Array.from(this.#due.getKeys(dueRange(partition, bucket, upTo))))
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
        count += this.#due.getKeysCount(dueRange(partition, bucket, upTo))
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
    const fence = encodeFence(write.watermark, write.owner)
    return {
      check: () => this.#requireOwner(partition, write),
      apply: () => {
        for (const account of accounts) this.#putAccount(partition, account)
        for (const { key, value } of chunks) this.#userChunks.put(key, value)
        for (const { key, delta } of counters) this.#addToCounter(key, delta)
        if (write.state !== undefined) this.#states.put(partitionKey(partition), asBuffer(write.state))
        this.#partitions.put(partitionKey(partition), fence)
      },
    }
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
    const found: CounterBook[] = []
    let left = COUNTERS_PER_TURN
    for (const book of books) {
      const counters = new Map<string, number>()
      found.push(counters)
      const prefix = counterPrefix(book)
      let after: Buffer | undefined
      do {
        // No range stays open from turn to turn: the environment may be closed between.
        const part = this.#read(() => this.#addCounters(prefix, after, left, counters))
        after = part.last
        left -= part.count
        if (left > 0) continue
        await setImmediate()
        left = COUNTERS_PER_TURN
      } while (after !== undefined)
    }
    return found
  }

  /** Adds up to `limit` of a book's counters, those behind a key. `last`: the key of the last of them; undefined: there are no more. */
  #addCounters(
    prefix: Buffer,
    after: Buffer | undefined,
    limit: number,
    counters: Map<string, number>,
  ): { readonly count: number; readonly last: Buffer | undefined } {
    let count = 0
    let last: Buffer | undefined
    const range = {
      start: after ?? prefix,
      exclusiveStart: after !== undefined,
      end: afterEvery(prefix),
      limit,
    }
    for (const { key, value } of this.#counters.getRange(range)) {
      const field = counterField(key, prefix)
      counters.set(field, (counters.get(field) ?? 0) + value.readDoubleBE(0))
      count++
      last = key
    }
    return { count, last: count < limit ? undefined : last }
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
          this.#environment.meta.put(PARTITIONS_KEY, Buffer.from(String(partitions)))
        return existing ?? partitions
      },
    })
    if (found === partitions) return
    throw new UpswellError(
      'PARTITIONS_CHANGED',
      `The state in ${this.#environment.directory} was made with ${found} partitions, and ${partitions} are configured. Configure ${found}, or replay into a directory of its own with ${partitions}.`,
    )
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
    const key = partitionKey(partition)
    const fence = this.#partitions.get(key)
    return { watermark: fence === undefined ? 0 : decodeFence(fence).watermark, state: this.#states.get(key) }
  }

  #requireOwner(partition: number, write: PartitionWrite): void {
    const bytes = this.#partitions.get(partitionKey(partition))
    const found = bytes === undefined ? undefined : decodeFence(bytes)
    if (found !== undefined && found.owner !== write.owner) {
      throw new UpswellError(
        'STORE_FENCED',
        `Partition ${partition} of the store belongs to ${found.owner} now; ${write.owner} may not write it.`,
      )
    }
    if (found?.watermark !== write.expectedWatermark) {
      throw new UpswellError(
        'STORE_MOVED',
        `Partition ${partition} of the store stands at ${found?.watermark ?? 'nothing (it was emptied)'}; the write follows ${write.expectedWatermark}.`,
      )
    }
  }

  #putAccount(partition: number, account: PreparedAccount): void {
    const { key, value, accountId, bucket } = account
    const before = decodeHeader(this.#accounts.getBinaryFast(key))
    const dueAt = account.dueAt ?? before?.dueAt ?? Number.POSITIVE_INFINITY
    if (before?.dueAt !== dueAt || before.bucket !== bucket) {
      if (before !== undefined) this.#due.remove(dueKey(partition, before.bucket, before.dueAt, accountId))
      this.#due.put(account.dueKey ?? dueKey(partition, bucket, dueAt, accountId), NOTHING)
    }
    encodeHeader(value, bucket, dueAt)
    this.#accounts.put(key, value)
    for (const listing of account.listingsRemoved) this.#listings.remove(listing)
    for (const listing of account.listingsAdded) this.#listings.put(listing, NOTHING)
  }

  #addToCounter(key: Buffer, delta: number): void {
    const sum = (this.#counters.get(key)?.readDoubleBE(0) ?? 0) + delta
    if (sum === 0) {
      this.#counters.remove(key)
      return
    }
    const value = Buffer.allocUnsafe(8)
    value.writeDoubleBE(sum, 0)
    this.#counters.put(key, value)
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
    const keys = this.#listings.getKeys({
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
    const bytes = this.#environment.meta.get(PARTITIONS_KEY)
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

function encodeFence(watermark: number, owner: string): Buffer {
  const fence = Buffer.allocUnsafe(8 + Buffer.byteLength(owner))
  fence.writeDoubleBE(watermark, 0)
  fence.write(owner, 8)
  return fence
}

function decodeFence(fence: Buffer): { readonly watermark: number; readonly owner: string } {
  return { watermark: fence.readDoubleBE(0), owner: fence.toString('utf8', 8) }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
