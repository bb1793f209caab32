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

/** An account as the store has it. */
export interface StoredAccount {
  readonly indexes: StoredIndexes
  /** Of its core. */
  readonly sizeBytes: number
}

/** In each partition: so many that were used since the last turn-over, and as many that were used before it. */
const MOST_ACCOUNTS = 16_000
/** The same, as bytes of the store: an account of a megabyte takes the room of thousands. */
const MOST_BYTES = 16 * 1024 * 1024
/** Of an account, of about 128 users each. */
const MOST_CHUNKS = 32

/**
 * The accounts of a partition in memory: those that were used last, and all that are not saved yet. Nobody else writes them while this owner holds the
 * partition. When the session ends, however it ends, the cache goes with it.
 *
 * They lie in two generations. What is used moves into the newer one; when that is full, the older one is let go and the newer one takes its place. So a
 * look-up costs one look into a map, and no list of what was used when is kept.
 */
export class AccountCache {
  #newer = new Map<string, Account>()
  #older = new Map<string, Account>()
  /** Those that the store has, as it has them. */
  readonly #stored = new Map<string, StoredAccount>()
  #newerBytes = 0
  /** Each model's rates are compiled once. */
  readonly ratesOf = perModel(compileRates)

  /** Those that were looked up or added lately; whoever makes a new account adds it here. */
  get accounts(): Map<string, Account> {
    return this.#newer
  }

  find(accountId: string): Account | undefined {
    const found = this.#newer.get(accountId)
    if (found !== undefined) return found
    const older = this.#older.get(accountId)
    if (older === undefined) return undefined
    this.#older.delete(accountId)
    this.#newer.set(accountId, older)
    this.#newerBytes += this.#stored.get(accountId)?.sizeBytes ?? 0
    return older
  }

  /** An account that was just loaded. */
  add(account: Account, stored: StoredAccount): void {
    this.#newer.set(account.id, account)
    this.#newerBytes += stored.sizeBytes
    this.#stored.set(account.id, stored)
  }

  /** Undefined: the store does not have the account. */
  storedOf(accountId: string): StoredAccount | undefined {
    return this.#stored.get(accountId)
  }

  /** The account was saved as it is now. */
  saved(account: Account, stored: StoredAccount): void {
    const { chunks } = account.users
    if (chunks.size > MOST_CHUNKS) chunks.clear()
    else for (const chunk of chunks.values()) chunk.changed = false
    this.#newerBytes += stored.sizeBytes - (this.#stored.get(account.id)?.sizeBytes ?? 0)
    this.#stored.set(account.id, stored)
  }

  /** Lets go what was not used for long. Only where nothing is unsaved. */
  trim(): void {
    if (this.#newer.size <= MOST_ACCOUNTS && this.#newerBytes <= MOST_BYTES) return
    for (const accountId of this.#older.keys()) this.#stored.delete(accountId)
    this.#older = this.#newer
    this.#newer = new Map()
    this.#newerBytes = 0
  }
}
