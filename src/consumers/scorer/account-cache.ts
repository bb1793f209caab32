import type { Account } from '../../scoring/account.ts'
import { ByteWriter } from '../../scoring/codec/bytes.ts'
import { perModel } from '../../scoring/definition/per-model.ts'
import { indexedDueAt } from '../../scoring/history.ts'
import { compileRates, type RateShare } from '../../scoring/population/rate-cells.ts'
import type { RankEntry } from './rank-entries.ts'

/**
 * An account and its indexes as the store holds them. One object for as long as the account is in memory;
 * each write changes it.
 */
export interface SavedAccount {
  /** The offset of the last record applied. */
  lastOffset: number
  /** Its time in the due index (`indexedDueAt`). */
  dueAt: number
  /** One for each of its models, in their order. */
  rankEntries: readonly RankEntry[]
  /** The rates' cells that count it. */
  shares: readonly RateShare[]
  /** The size of its core. */
  sizeBytes: number
}

/** What the store's indexes hold of an account. A flush compares it with what was saved last. */
export type Indexes = Pick<SavedAccount, 'rankEntries' | 'shares'>

/** The most accounts of each generation. */
const MOST_ACCOUNTS = 16_000
/** The most bytes of a generation, as the store holds them: one large account takes the room of thousands. */
const MOST_BYTES = 16 * 1024 * 1024
/** The most user chunks that an account keeps after a flush, about 128 users each. */
const MOST_CHUNKS = 32

/**
 * The accounts of a partition in memory: the recently used and the dirty ones. Only this owner writes them.
 *
 * They form two generations. Use moves an account into the newer one; when that is full, the older one is
 * dropped. So a look-up costs one look into a map, and no list of uses is kept.
 */
export class AccountCache {
  #newer = new Map<string, Account>()
  #older = new Map<string, Account>()
  /** Account id → the account as the store holds it. */
  readonly #saved = new Map<string, SavedAccount>()
  #newerBytes = 0
  /** Each model's rates are compiled once. */
  readonly ratesOf = perModel(compileRates)
  /** Encodes the partition's accounts. */
  readonly writer = new ByteWriter()

  /** The newer generation. The fold adds new accounts to it. */
  get accounts(): Map<string, Account> {
    return this.#newer
  }

  /** How many accounts are in memory. */
  get size(): number {
    return this.#newer.size + this.#older.size
  }

  find(accountId: string): Account | undefined {
    const found = this.#newer.get(accountId)
    if (found !== undefined) return found
    const older = this.#older.get(accountId)
    if (older === undefined) return undefined
    this.#older.delete(accountId)
    this.#newer.set(accountId, older)
    this.#newerBytes += this.#saved.get(accountId)?.sizeBytes ?? 0
    return older
  }

  /** Adds an account that was just loaded. */
  add(account: Account, saved: SavedAccount): void {
    this.#newer.set(account.id, account)
    this.#newerBytes += saved.sizeBytes
    this.#saved.set(account.id, saved)
  }

  /** Undefined: the store does not hold the account. */
  savedOf(accountId: string): SavedAccount | undefined {
    return this.#saved.get(accountId)
  }

  /** The account was saved as it is now. `before` is the answer of `savedOf`. */
  keepSaved(account: Account, before: SavedAccount | undefined, now: Indexes, sizeBytes: number): void {
    const { chunks } = account.users
    if (chunks.size > MOST_CHUNKS) chunks.clear()
    else for (const chunk of chunks.values()) chunk.isUnsaved = false
    const { activity } = account
    if (activity.manyIds?.isOver === true) activity.manyIds = undefined
    else activity.manyIds?.leaveToStore()
    const { lastOffset } = account
    const dueAt = indexedDueAt(account)
    const { rankEntries, shares } = now
    this.#newerBytes += sizeBytes - (before?.sizeBytes ?? 0)
    if (before === undefined) {
      this.#saved.set(account.id, { lastOffset, dueAt, rankEntries, shares, sizeBytes })
      return
    }
    before.lastOffset = lastOffset
    before.dueAt = dueAt
    before.rankEntries = rankEntries
    before.shares = shares
    before.sizeBytes = sizeBytes
  }

  /** Drops the older generation if the newer one is full. Call it only when nothing is dirty. */
  trim(): void {
    if (this.#newer.size <= MOST_ACCOUNTS && this.#newerBytes <= MOST_BYTES) return
    for (const accountId of this.#older.keys()) this.#saved.delete(accountId)
    this.#older = this.#newer
    this.#newer = new Map()
    this.#newerBytes = 0
  }
}
