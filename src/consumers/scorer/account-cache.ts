import type { Account } from '../../scoring/account.ts'
import { perModel } from '../../scoring/definition/per-model.ts'
import { compileRates, type RateShare } from '../../scoring/population/rate-cells.ts'
import type { RankEntry } from './rank-entries.ts'

/** An account as the store has it, and what the store's indexes say of it. One object for as long as the account is in memory: each write changes it. */
export interface SavedAccount {
  /** Of the last record applied. */
  lastOffset: number
  dueAt: number
  /** Under the models that it stands under, in their order. */
  rankEntries: readonly RankEntry[]
  /** What it is counted in. */
  shares: readonly RateShare[]
  /** Of its core. */
  sizeBytes: number
}

/** What of an account's indexes is compared with what it is after a batch. */
export type Indexed = Pick<SavedAccount, 'rankEntries' | 'shares'>

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
  readonly #stored = new Map<string, SavedAccount>()
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
  add(account: Account, stored: SavedAccount): void {
    this.#newer.set(account.id, account)
    this.#newerBytes += stored.sizeBytes
    this.#stored.set(account.id, stored)
  }

  /** Undefined: the store does not have the account. */
  savedOf(accountId: string): SavedAccount | undefined {
    return this.#stored.get(accountId)
  }

  /** The account was saved as it is now. `stored`: what `storedOf` answers of it. */
  saved(account: Account, stored: SavedAccount | undefined, now: Indexed, sizeBytes: number): void {
    const { chunks } = account.users
    if (chunks.size > MOST_CHUNKS) chunks.clear()
    else for (const chunk of chunks.values()) chunk.changed = false
    const { lastOffset, dueAt } = account
    const { rankEntries, shares } = now
    this.#newerBytes += sizeBytes - (stored?.sizeBytes ?? 0)
    if (stored === undefined) {
      this.#stored.set(account.id, { lastOffset, dueAt, rankEntries, shares, sizeBytes })
      return
    }
    stored.lastOffset = lastOffset
    stored.dueAt = dueAt
    stored.rankEntries = rankEntries
    stored.shares = shares
    stored.sizeBytes = sizeBytes
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
