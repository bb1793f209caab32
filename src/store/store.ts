import { hash128Hex } from '../lib/hash.ts'
import type { CounterBook, CounterChange } from '../scoring/population/counters.ts'

// The store port. For each partition the store keeps:
//
//   stored offset   the store holds all records before it; 0 while it is cleared or filled
//   fencing token   proves that its holder owns the partition
//   whole from      the partition is whole once its stored offset has reached this
//   state           what the partition remembers as a whole
//   accounts        each account's activity and standings
//   chunks          each some of an account's users, or of its ids if it has many
//   due index       account → bucket and the time when it is due
//   listings        the rows of the ranked lists
//   counters        of the population: book and field → a number
//
// Values are opaque bytes here; `scoring/codec/` gives them meaning.

/**
 * A partition has one writer at a time. `fence` makes the caller the writer. A save with another fencing
 * token is refused. So is a save that expects another stored offset, or other parts of a filling: the store
 * was emptied or rolled back.
 */
export interface AccountStore {
  /**
   * Makes the caller the only writer of the partition, and reads it.
   * @param fencingToken unique to this assignment
   * @param wholeFrom the partition is whole once its stored offset has reached this; left out: it is whole
   */
  fence(partition: number, fencingToken: string, wholeFrom?: number): Promise<StoredPartition>

  /** The accounts' bytes in the order asked; undefined for an unknown account. One round trip. */
  load(partition: number, accountIds: readonly string[]): Promise<(Uint8Array | undefined)[]>

  /** Chunks of users or ids, in the order asked; undefined for an unknown chunk. One round trip. */
  loadUserChunks(partition: number, keys: readonly UserChunkKey[]): Promise<(Uint8Array | undefined)[]>

  /**
   * Ids of the buckets' accounts with `from ≤ dueAt ≤ upTo` (ms), sorted by their bytes. Without `from`: up
   * to `upTo`; with Infinity all accounts. A repeated bucket is read once.
   */
  due(partition: number, buckets: readonly number[], upTo: number, from?: number): Promise<string[]>

  /** How many accounts of the partition have `from ≤ dueAt ≤ upTo` (ms). Bounds as in `due`. */
  countDue(partition: number, upTo: number, from?: number): Promise<number>

  /**
   * Writes a batch, all or nothing.
   * @throws UpswellError STORE_FENCED: another fencing token; STORE_MOVED: the stored offset is not
   * `expectedStoredOffset`, the parts before `part` are not there, or clearing has not ended;
   * STORE_UNAVAILABLE.
   */
  save(partition: number, write: PartitionWrite): Promise<void>

  /**
   * Removes all of a partition but what `fence` wrote; the stored offset is 0 then. Not atomic: after a
   * failure, another call removes the rest, and no save is accepted before that.
   * @throws UpswellError STORE_FENCED: another fencing token; STORE_UNAVAILABLE.
   */
  clear(partition: number, fencingToken: string): Promise<void>

  // For readers. They need no fencing token.
  /** Like `load`, with the partition's progress at the same moment. One round trip. */
  readAccounts(partition: number, accountIds: readonly string[]): Promise<ReadAccounts>
  /** The partitions' progress, in the order asked, each at its own moment. One round trip. */
  readProgress(partitions: readonly number[]): Promise<PartitionProgress[]>
  readPartition(partition: number): Promise<StoredPartition>
  /** The stored offset alone, which is cheaper than `readPartition`. */
  readStoredOffset(partition: number): Promise<number>
  /** All counters of one partition, ordered by book and field. May include saves made meanwhile. */
  readPartitionCounters(partition: number): Promise<CounterChange[]>
  /** A page of a ranked list, over all partitions. */
  list(query: ListQuery): Promise<Listing[]>
  /**
   * The books in the order asked, each added up over all partitions; an unknown book is empty. One round
   * trip. Many counters take several turns of the event loop, and may include saves made meanwhile.
   */
  readCounters(books: readonly string[]): Promise<CounterBook[]>
  /** How many partitions the state was made with; undefined before the first `claimPartitions`. */
  partitions(): Promise<number | undefined>
  /**
   * Stores the number of partitions, once.
   * @throws UpswellError PARTITIONS_CHANGED if another number is stored.
   */
  claimPartitions(partitions: number): Promise<void>
  /** Removes every partition of the namespace, and their number. The namespace must have no writer. */
  drop(): Promise<void>
  /** Resolves if the store answers. @throws UpswellError STORE_UNAVAILABLE */
  ping(): Promise<void>
  /**
   * The clock of the store's machine, ms; undefined: it has none of its own.
   * @throws UpswellError STORE_UNAVAILABLE
   */
  time(): Promise<number | undefined>
  /** About how many bytes the store's data takes. */
  sizeBytes(): Promise<number>
  close(): Promise<void>
}

export interface StoredPartition {
  /** The store holds all records before it; 0 for an empty partition. */
  readonly storedOffset: number
  /** What the partition remembers as a whole; undefined for an empty partition. */
  readonly state: Uint8Array | undefined
}

/** How far a partition is. Readers find out from it whether something is missing. */
export interface PartitionProgress {
  /** See `position.ts`. */
  readonly position: number
  /** As its owner said when it fenced the partition; undefined: nobody has. */
  readonly wholeFrom: number | undefined
  /** Undefined: nobody has fenced the partition. */
  readonly fencingToken: string | undefined
}

export interface ReadAccounts {
  /** In the order asked; undefined for an unknown account. */
  readonly accounts: readonly (Uint8Array | undefined)[]
  readonly progress: PartitionProgress
}

export interface UserChunkKey {
  readonly accountId: string
  /** A short text without a colon, made by `scoring/activity/users.ts` or `many-ids.ts`. */
  readonly chunk: string
}

export interface PartitionWrite {
  readonly fencingToken: string
  readonly expectedStoredOffset: number
  readonly storedOffset: number
  /**
   * Set if the write is a part of a filling: its number, from 1. The store must hold the parts before it and
   * nothing else. The stored offset is 0 until the last part sets it.
   */
  readonly part?: number
  /** Undefined: unchanged. */
  readonly state: Uint8Array | undefined
  readonly accounts: readonly AccountWrite[]
  /** Each key once. */
  readonly userChunks: readonly UserChunkWrite[]
  /**
   * Deltas for the partition's counters. They are written together with the stored offset, so each record
   * counts once. A counter at 0 is removed. Book and field together take at most 1,800 bytes.
   */
  readonly counters: readonly CounterChange[]
}

export interface UserChunkWrite extends UserChunkKey {
  /** Undefined: the chunk is removed, if it is there. */
  readonly bytes: Uint8Array | undefined
}

export interface AccountWrite {
  readonly accountId: string
  readonly bytes: Uint8Array
  /** The account's part of the due index: 0 to `DUE_BUCKETS` − 1. */
  readonly bucket: number
  /** When time alone may next change the account, ms; Infinity: never; undefined: as before. */
  readonly dueAt: number | undefined
  readonly listingsRemoved: readonly Listing[]
  readonly listingsAdded: readonly Listing[]
}

/** One row of a ranked list: a model's accounts, or its accounts with one value of a facet. */
export interface Listing {
  /** A name made by `listName`. */
  readonly list: string
  readonly tier: string
  readonly score: number
  readonly accountId: string
}

/**
 * The name of a model's ranked list; with a facet, of the list of its accounts with that value, of any
 * length.
 */
export function listName(modelId: string, facet?: { readonly name: string; readonly value: string }): string {
  return facet === undefined ? modelId : `${modelId}?${facet.name}=${hash128Hex(facet.value)}`
}

export interface ListQuery {
  readonly list: string
  /** The tiers to list; at least one. A tier that is named twice is listed once. */
  readonly tiers: readonly string[]
  readonly order: 'highest-first' | 'lowest-first'
  /** Inclusive. */
  readonly minScore: number | undefined
  /** The last row of the page before: this page starts right after it in (score, accountId). */
  readonly after: { readonly score: number; readonly accountId: string } | undefined
  readonly limit: number
}
