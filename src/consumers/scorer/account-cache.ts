import type { Account } from '../../scoring/account.ts'
import { ByteWriter } from '../../scoring/codec/bytes.ts'
import { perModel } from '../../scoring/definition/per-model.ts'
import { indexedDueAt } from '../../scoring/history.ts'
import { compileRates, type RateShare } from '../../scoring/population/rate-cells.ts'
import { accountMemory, usersMemory } from './account-memory.ts'
import type { RankEntry } from './flush/rank-entries.ts'

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
  /** What it takes in memory, about. */
  memoryBytes: number
}

/** What the store's indexes hold of an account. A flush compares it with what was saved last. */
export type Indexes = Pick<SavedAccount, 'rankEntries' | 'shares'>

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
  /** As it was when it became the older one. */
  #olderBytes = 0
  /** Each model's rates are compiled once. */
  readonly ratesOf = perModel(compileRates)
  /** Encodes the partition's accounts. */
  readonly writer = new ByteWriter()

  /** The newer generation. The fold adds new accounts to it. */
  get accounts(): Map<string, Account> {
    return this.#newer
  }

  /** What the accounts take in memory, about: as they were saved last. */
  get memoryBytes(): number {
    return this.#newerBytes + this.#olderBytes
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
    this.#newerBytes += this.#saved.get(accountId)?.memoryBytes ?? 0
    return older
  }

  /** Adds an account that was just loaded. */
  add(account: Account, saved: SavedAccount): void {
    this.#newer.set(account.id, account)
    this.#newerBytes += saved.memoryBytes
    this.#saved.set(account.id, saved)
  }

  /** Undefined: the store does not hold the account. */
  savedOf(accountId: string): SavedAccount | undefined {
    return this.#saved.get(accountId)
  }

  /**
   * The account was saved as it is now. `before` is the answer of `savedOf`.
   * @param coreBytes the bytes of its core
   */
  keepSaved(account: Account, before: SavedAccount | undefined, now: Indexes, coreBytes: number): void {
    const { chunks } = account.users
    if (chunks.size > MOST_CHUNKS) chunks.clear()
    else for (const chunk of chunks.values()) chunk.isUnsaved = false
    const { activity } = account
    if (activity.manyIds?.isOver === true) activity.manyIds = undefined
    else activity.manyIds?.leaveToStore()
    const { lastOffset } = account
    const dueAt = indexedDueAt(account)
    const { rankEntries, shares } = now
    const memoryBytes = accountMemory(coreBytes) + usersMemory(account)
    this.#newerBytes += memoryBytes - (before?.memoryBytes ?? 0)
    if (before === undefined) {
      this.#saved.set(account.id, { lastOffset, dueAt, rankEntries, shares, memoryBytes })
      return
    }
    before.lastOffset = lastOffset
    before.dueAt = dueAt
    before.rankEntries = rankEntries
    before.shares = shares
    before.memoryBytes = memoryBytes
  }

  /**
   * Drops the older generation if the newer one takes more than `mostBytes`. Call it only when nothing is
   * dirty.
   */
  trim(mostBytes: number): void {
    if (this.#newerBytes > mostBytes) this.#dropOlder()
  }

  /** Drops everything. Call it only when nothing is dirty. */
  clear(): void {
    this.#dropOlder()
    this.#dropOlder()
  }

  #dropOlder(): void {
    for (const accountId of this.#older.keys()) this.#saved.delete(accountId)
    this.#older = this.#newer
    this.#olderBytes = this.#newerBytes
    this.#newer = new Map()
    this.#newerBytes = 0
  }
}
