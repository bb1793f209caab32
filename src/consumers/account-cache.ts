import type { Account } from '../scoring/account.ts'
import { perModel } from '../scoring/population/per-model.ts'
import { compileRates, type RateShare } from '../scoring/population/rate-cells.ts'
import type { Listing } from '../store/store.ts'

/** What the store's indexes say of an account. */
export interface StoredIndexes {
  /** Of the last record applied. */
  readonly lastOffset: number
  readonly dueAt: number
  readonly listings: readonly Listing[]
  /** Of the models that it stands under, in their order. */
  readonly modelVersions: readonly number[]
  /** What it is counted in. */
  readonly shares: readonly RateShare[]
}

export interface CachedAccount {
  readonly account: Account
  /** Of its core, as the store has it. */
  readonly sizeBytes: number
  readonly stored: StoredIndexes
}

/** In each partition. An active account takes 30 to 270 KiB of heap, far more than its bytes. */
const MOST_ACCOUNTS = 2_000
/** Of all accounts together, as bytes of the store: an account of a megabyte takes the room of thousands. */
const MOST_BYTES = 16 * 1024 * 1024
/** Chunks of about 128 users. */
const MOST_CHUNKS = 32

/**
 * The accounts that a partition's owner used last, as they are in the store: nobody else writes them while it owns the partition. When the session ends,
 * however it ends, the cache goes with it.
 */
export class AccountCache {
  /** The least recently used first. */
  readonly #accounts = new Map<string, CachedAccount>()
  #sizeBytes = 0
  /** Each model's rates are compiled once. */
  readonly ratesOf = perModel(compileRates)

  get(accountId: string): CachedAccount | undefined {
    const found = this.#accounts.get(accountId)
    if (found === undefined) return undefined
    this.#accounts.delete(accountId)
    this.#accounts.set(accountId, found)
    return found
  }

  /** Keeps an account that was just saved, or loaded and left as it was. */
  keep(cached: CachedAccount): void {
    const { chunks } = cached.account.users
    if (chunks.size > MOST_CHUNKS) chunks.clear()
    else for (const chunk of chunks.values()) chunk.changed = false
    this.#drop(cached.account.id)
    this.#accounts.set(cached.account.id, cached)
    this.#sizeBytes += cached.sizeBytes
    for (const oldest of this.#accounts.keys()) {
      if (this.#accounts.size <= MOST_ACCOUNTS && this.#sizeBytes <= MOST_BYTES) break
      this.#drop(oldest)
    }
  }

  #drop(accountId: string): void {
    this.#sizeBytes -= this.#accounts.get(accountId)?.sizeBytes ?? 0
    this.#accounts.delete(accountId)
  }
}
