import { hash128Hex } from '../lib/hash.ts'
import type { CounterBook, CounterChange } from '../scoring/population/counters.ts'

/**
 * The store port: the rolling state of every account, by partition, with the indexes that time and the query API need, and counters
 * of the population.
 * Values are opaque bytes here; `scoring/codec.ts` gives them meaning.
 *
 * A partition has one owner at a time. `fence` makes the caller the owner; `save` by anyone else is refused, and so is a save
 * that does not follow the watermark that is there (a store that was emptied or rolled back).
 */
export interface AccountStore {
  /** Makes `owner` (a token unique to this assignment) the only writer of the partition, and reads what the store knows of it. */
  fence(partition: number, fencingToken: string): Promise<StoredPartition>

  /** In the order asked; undefined where there is none. One round trip. */
  load(partition: number, accountIds: readonly string[]): Promise<(Uint8Array | undefined)[]>

  /** Chunks of the accounts' user records, in the order asked; undefined where there is none. One round trip. */
  loadUserChunks(partition: number, keys: readonly UserChunkKey[]): Promise<(Uint8Array | undefined)[]>

  /** Ids of the accounts of these buckets whose `dueAt` is `≤ upTo` (ms), ascending by id; all accounts with `upTo` Infinity. */
  due(partition: number, buckets: readonly number[], upTo: number): Promise<string[]>

  /** How many accounts of the partition are due at `upTo` (ms); all with Infinity. */
  countDue(partition: number, upTo: number): Promise<number>

  /**
   * Writes a batch, all or nothing.
   * @throws UpswellError STORE_FENCED: another owner; STORE_MOVED: the watermark is not `expectedWatermark`; STORE_UNAVAILABLE.
   */
  save(partition: number, write: PartitionWrite): Promise<void>

  /**
   * Removes all that is known of a partition, but for its owner: watermark 0, no state, no accounts, no counters. Not all or nothing: done again, it
   * removes the rest.
   * @throws UpswellError STORE_FENCED: another owner; STORE_UNAVAILABLE.
   */
  clear(partition: number, fencingToken: string): Promise<void>

  // For readers, who own nothing.
  /** As `readPartition`, of the watermark alone. */
  readStoredOffset(partition: number): Promise<number>
  /** All counters of one partition, ordered by book and field. What is saved meanwhile may be in them or not. */
  readPartitionCounters(partition: number): Promise<CounterChange[]>
  readPartition(partition: number): Promise<StoredPartition>
  /** A page of a ranked list, over all partitions. */
  list(query: ListQuery): Promise<Listing[]>
  /**
   * Each of the books, in the order asked, added up over all partitions; an empty one where nothing was counted. One round trip. Of many counters over several
   * turns of the event loop: what is saved meanwhile may be in them or not.
   */
  readCounters(books: readonly string[]): Promise<CounterBook[]>
  /** How many partitions the state was made with; undefined before the first `claimPartitions`. */
  partitions(): Promise<number | undefined>
  /** Removes all that is kept in this namespace: every partition, and their number. For a namespace that nobody writes any more. */
  drop(): Promise<void>
  /** Writes down the number of partitions, once. @throws UpswellError PARTITIONS_CHANGED if another number is there. */
  claimPartitions(partitions: number): Promise<void>
  /** Resolves if the store answers. @throws UpswellError STORE_UNAVAILABLE */
  ping(): Promise<void>
  /** Bytes that the store's data takes, as far as it can tell. */
  sizeBytes(): Promise<number>
  close(): Promise<void>
}

export interface StoredPartition {
  /** The offset of the first record that is not in the store. 0 for an empty one. */
  readonly storedOffset: number
  /** What the partition as a whole remembers; undefined for an empty one. */
  readonly state: Uint8Array | undefined
}

export interface UserChunkKey {
  readonly accountId: string
  /** Short text made by `scoring/users.ts`. */
  readonly chunk: string
}

export interface PartitionWrite {
  readonly fencingToken: string
  readonly expectedStoredOffset: number
  readonly storedOffset: number
  /** Undefined: unchanged. */
  readonly state: Uint8Array | undefined
  readonly accounts: readonly AccountWrite[]
  readonly userChunks: readonly (UserChunkKey & { readonly bytes: Uint8Array })[]
  /**
   * Added to the partition's counters. They are written with the watermark that they belong to, so each record counts once. A counter
   * at 0 takes no room. A book and a field together take at most 1,800 bytes.
   */
  readonly counters: readonly CounterChange[]
}

export interface AccountWrite {
  readonly accountId: string
  readonly bytes: Uint8Array
  /** 0 to `DUE_BUCKETS` − 1: which part of the due index it stands in. */
  readonly bucket: number
  /** The next moment at which time alone may change the account, ms; Infinity: never. Undefined: unchanged. */
  readonly dueAt: number | undefined
  readonly listingsRemoved: readonly Listing[]
  readonly listingsAdded: readonly Listing[]
}

/** One account's place in a ranked list: that of a model, or of its accounts with one value of a facet. */
export interface Listing {
  /** Its name: see `listName`. */
  readonly list: string
  readonly tier: string
  readonly score: number
  readonly accountId: string
}

/** The name of a model's ranked list; with a facet, of its accounts that have this value of it. A value may be of any length. */
export function listName(modelId: string, facet?: { readonly name: string; readonly value: string }): string {
  return facet === undefined ? modelId : `${modelId}?${facet.name}=${hash128Hex(facet.value)}`
}

export interface ListQuery {
  readonly list: string
  /** The tiers to list; at least one. */
  readonly tiers: readonly string[]
  readonly order: 'highest-first' | 'lowest-first'
  /** Inclusive. */
  readonly minScore: number | undefined
  /** The last listing of the page before: the page starts right after it in (score, accountId). */
  readonly after: { readonly score: number; readonly accountId: string } | undefined
  readonly limit: number
}
