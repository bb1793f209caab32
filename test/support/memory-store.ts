import { UpswellError } from '../../src/lib/errors.ts'
import { DUE_BUCKETS } from '../../src/scoring/due-slices.ts'
import type { CounterBook, CounterChange } from '../../src/scoring/population/counters.ts'
import { orderedCounters } from '../../src/store/ordered-counters.ts'
import { CLEARING, describePosition, positionsOf, storedOffsetAt } from '../../src/store/position.ts'
import type {
  AccountStore,
  AccountWrite,
  Listing,
  ListQuery,
  PartitionProgress,
  PartitionWrite,
  ReadAccounts,
  StoredPartition,
  UserChunkKey,
} from '../../src/store/store.ts'

/**
 * The store port in memory, for simulation and tests. Each call takes effect before it returns its promise.
 */
export class MemoryStore implements AccountStore {
  readonly #partitions = new Map<number, MemoryPartition>()
  /** List → tier → listings by `keyOf`. */
  readonly #listings = new Map<string, Map<string, Map<string, Listing>>>()
  #claimed: number | undefined

  async fence(partition: number, fencingToken: string, wholeFrom = 0): Promise<StoredPartition> {
    const own = this.#partitions.get(partition) ?? createPartition()
    this.#partitions.set(partition, own)
    own.fencingToken = fencingToken
    own.wholeFrom = wholeFrom
    return storedPartition(own)
  }

  async load(partition: number, accountIds: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const accounts = this.#partitions.get(partition)?.accounts
    return accountIds.map(id => accounts?.get(id)?.bytes.slice())
  }

  async loadUserChunks(
    partition: number,
    keys: readonly UserChunkKey[],
  ): Promise<(Uint8Array | undefined)[]> {
    const userChunks = this.#partitions.get(partition)?.userChunks
    return keys.map(({ accountId, chunk }) => userChunks?.get(accountId)?.get(chunk)?.slice())
  }

  async due(
    partition: number,
    buckets: readonly number[],
    upTo: number,
    from = Number.NEGATIVE_INFINITY,
  ): Promise<string[]> {
    const ids: string[] = []
    for (const [id, { bucket, dueAt }] of this.#partitions.get(partition)?.accounts ?? [])
      if (dueAt >= from && dueAt <= upTo && buckets.includes(bucket)) ids.push(id)
    return ids.sort(compareUtf8)
  }

  async countDue(partition: number, upTo: number, from = Number.NEGATIVE_INFINITY): Promise<number> {
    let count = 0
    for (const { dueAt } of this.#partitions.get(partition)?.accounts.values() ?? [])
      if (dueAt >= from && dueAt <= upTo) count++
    return count
  }

  async save(partition: number, write: PartitionWrite): Promise<void> {
    this.#save(partition, write)
  }

  #save(partition: number, write: PartitionWrite): void {
    const own = this.#requireFence(partition, write)
    for (const { accountId, bucket } of write.accounts)
      if (!(bucket >= 0 && bucket < DUE_BUCKETS))
        throw new Error(`Account ${accountId} has bucket ${bucket}.`)

    for (const account of write.accounts) this.#saveAccount(own, account)
    for (const { accountId, chunk, bytes } of write.userChunks) {
      const chunks = own.userChunks.get(accountId) ?? new Map<string, Uint8Array>()
      if (bytes === undefined) chunks.delete(chunk)
      else own.userChunks.set(accountId, chunks.set(chunk, copyOf(bytes)))
    }
    for (const change of write.counters) addToCounter(own, change)
    if (write.state !== undefined) own.state = copyOf(write.state)
    own.position = positionsOf(write).next
  }

  async clear(partition: number, fencingToken: string): Promise<void> {
    this.#clear(partition, fencingToken)
  }

  #clear(partition: number, fencingToken: string): void {
    const own = this.#partitions.get(partition)
    if (own?.fencingToken !== fencingToken) {
      throw new UpswellError(
        'STORE_FENCED',
        `Partition ${partition} of the store belongs to fencing token ${own?.fencingToken ?? 'none'} now; ${fencingToken} may not clear it.`,
      )
    }
    for (const tiers of this.#listings.values())
      for (const listings of tiers.values())
        for (const [key, { accountId }] of listings) if (own.accounts.has(accountId)) listings.delete(key)
    this.#partitions.set(partition, { ...createPartition(), fencingToken, wholeFrom: own.wholeFrom })
  }

  /** Clears all but what `left` holds, as a clearing does that stops halfway. */
  async clearInPart(partition: number, left: PartitionWrite): Promise<void> {
    this.#clear(partition, left.fencingToken)
    this.#save(partition, left)
    this.#partitions.get(partition)!.position = CLEARING
  }

  async readStoredOffset(partition: number): Promise<number> {
    return storedOffsetAt(this.#partitions.get(partition)?.position ?? 0)
  }

  async readPartitionCounters(partition: number): Promise<CounterChange[]> {
    return await orderedCounters(this.#partitions.get(partition)?.counters ?? new Map())
  }

  async readPartition(partition: number): Promise<StoredPartition> {
    return storedPartition(this.#partitions.get(partition) ?? createPartition())
  }

  async readAccounts(partition: number, accountIds: readonly string[]): Promise<ReadAccounts> {
    const own = this.#partitions.get(partition)
    const accounts = accountIds.map(id => own?.accounts.get(id)?.bytes.slice())
    return { accounts, progress: progressOf(own) }
  }

  async readProgress(partitions: readonly number[]): Promise<PartitionProgress[]> {
    return partitions.map(partition => progressOf(this.#partitions.get(partition)))
  }

  async list({ list, tiers, order, minScore, after, limit }: ListQuery): Promise<Listing[]> {
    const direction = order === 'highest-first' ? -1 : 1
    const listed: Listing[] = []
    for (const tier of new Set(tiers)) {
      for (const listing of this.#tier(list, tier).values()) {
        if (minScore !== undefined && listing.score < minScore) continue
        if (after !== undefined && direction * compareListings(listing, after) <= 0) continue
        listed.push({ ...listing })
      }
    }
    return listed.sort((a, b) => direction * compareListings(a, b)).slice(0, limit)
  }

  async readCounters(books: readonly string[]): Promise<CounterBook[]> {
    return books.map(book => {
      const sums = new Map<string, number>()
      for (const { counters } of this.#partitions.values())
        for (const [field, count] of counters.get(book) ?? []) sums.set(field, (sums.get(field) ?? 0) + count)
      return sums
    })
  }

  async partitions(): Promise<number | undefined> {
    return this.#claimed
  }

  async claimPartitions(partitions: number): Promise<void> {
    this.#claimed ??= partitions
    if (this.#claimed === partitions) return
    throw new UpswellError(
      'PARTITIONS_CHANGED',
      `The state in memory was created with ${this.#claimed} partitions, and ${partitions} are configured.`,
    )
  }

  async drop(): Promise<void> {
    this.empty()
  }

  async ping(): Promise<void> {}

  async time(): Promise<number | undefined> {
    return undefined
  }

  async sizeBytes(): Promise<number> {
    let bytes = 0
    for (const { state, accounts, userChunks } of this.#partitions.values()) {
      bytes += state?.length ?? 0
      for (const account of accounts.values()) bytes += account.bytes.length
      for (const chunks of userChunks.values()) for (const chunk of chunks.values()) bytes += chunk.length
    }
    return bytes
  }

  /** Keeps the contents for the next time that the store is opened. */
  async close(): Promise<void> {}

  /** Every listing of every list. */
  listings(): Listing[] {
    return [...this.#listings.values()].flatMap(tiers =>
      [...tiers.values()].flatMap(listings => [...listings.values()]),
    )
  }

  /** Loses everything, like a flushed Redis. */
  empty(): void {
    this.#partitions.clear()
    this.#listings.clear()
    this.#claimed = undefined
  }

  #requireFence(partition: number, write: PartitionWrite): MemoryPartition {
    const { fencingToken } = write
    const own = this.#partitions.get(partition)
    if (own?.fencingToken !== undefined && own.fencingToken !== fencingToken) {
      throw new UpswellError(
        'STORE_FENCED',
        `Partition ${partition} of the store belongs to fencing token ${own.fencingToken} now; ${fencingToken} may not write it.`,
      )
    }
    const { expected } = positionsOf(write)
    if (own?.position !== expected) {
      const now = own === undefined ? 'was emptied' : describePosition(own.position)
      throw new UpswellError(
        'STORE_MOVED',
        `Partition ${partition} of the store ${now}; the write expects that it ${describePosition(expected)}.`,
      )
    }
    return own
  }

  #saveAccount(partition: MemoryPartition, write: AccountWrite): void {
    const { accountId, bucket } = write
    const before = partition.accounts.get(accountId)
    const dueAt = write.dueAt ?? before?.dueAt ?? Number.POSITIVE_INFINITY
    partition.accounts.set(accountId, { bytes: copyOf(write.bytes), bucket, dueAt })
    for (const listing of write.listingsRemoved) this.#tier(listing.list, listing.tier).delete(keyOf(listing))
    for (const listing of write.listingsAdded)
      this.#tier(listing.list, listing.tier).set(keyOf(listing), { ...listing })
  }

  #tier(list: string, tier: string): Map<string, Listing> {
    const tiers = this.#listings.get(list) ?? new Map<string, Map<string, Listing>>()
    this.#listings.set(list, tiers)
    const listings = tiers.get(tier) ?? new Map<string, Listing>()
    tiers.set(tier, listings)
    return listings
  }
}

interface MemoryPartition {
  fencingToken: string | undefined
  wholeFrom: number | undefined
  /** See `src/store/position.ts`. */
  position: number
  state: Uint8Array | undefined
  readonly accounts: Map<string, MemoryAccount>
  /** Account → chunk → bytes. */
  readonly userChunks: Map<string, Map<string, Uint8Array>>
  /** Book → field → count. */
  readonly counters: Map<string, Map<string, number>>
}

interface MemoryAccount {
  readonly bytes: Uint8Array
  readonly bucket: number
  readonly dueAt: number
}

function createPartition(): MemoryPartition {
  return {
    fencingToken: undefined,
    wholeFrom: undefined,
    position: 0,
    state: undefined,
    accounts: new Map(),
    userChunks: new Map(),
    counters: new Map(),
  }
}

function addToCounter({ counters }: MemoryPartition, { book, field, delta }: CounterChange): void {
  const fields = counters.get(book) ?? new Map<string, number>()
  counters.set(book, fields)
  const sum = (fields.get(field) ?? 0) + delta
  if (sum === 0) fields.delete(field)
  else fields.set(field, sum)
}

function progressOf(partition: MemoryPartition | undefined): PartitionProgress {
  const { position, wholeFrom, fencingToken } = partition ?? createPartition()
  return { position, wholeFrom, fencingToken }
}

function storedPartition({ position, state }: MemoryPartition): StoredPartition {
  return { storedOffset: storedOffsetAt(position), state: state?.slice() }
}

/** Not `slice`: a Buffer's `slice` is a view. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}

function keyOf({ score, accountId }: Listing): string {
  return `${score} ${accountId}`
}

type Rank = Pick<Listing, 'score' | 'accountId'>

function compareListings(a: Rank, b: Rank): number {
  return a.score - b.score || compareUtf8(a.accountId, b.accountId)
}

/** Compares by bytes, as the other stores do. JavaScript's own order differs beyond U+FFFF. */
function compareUtf8(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}
