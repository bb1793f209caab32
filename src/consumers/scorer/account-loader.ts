import type { Hash64 } from '../../lib/hash.ts'
import type { Account } from '../../scoring/account.ts'
import { chunkNames, levelOf } from '../../scoring/activity/users.ts'
import { decodeAccount, decodeUserChunk } from '../../scoring/codec/codec.ts'
import { isInSlice } from '../../scoring/due-slices.ts'
import { type DueRange, HISTORY_DUE, historyDueUpTo, indexedDueAt } from '../../scoring/history.ts'
import type { LogEntry, TickSlice } from '../../scoring/log-entry.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import { signalRuns } from '../../signals/signal-table.ts'
import type { AccountStore, UserChunkKey } from '../../store/store.ts'
import type { AccountCache } from './account-cache.ts'
import { bucketsOfSlice } from './tick-slices.ts'
import { indexesOf } from './write-builder.ts'

/** The accounts that a step needs. */
export interface LoadedAccounts {
  /**
   * All existing accounts that the entries name or make due, and possibly others. The fold adds new accounts
   * to it.
   */
  readonly accounts: Map<string, Account>
  /** False: everything was in memory. */
  readonly askedStore: boolean
  /** How many chunks of users were requested. */
  readonly loadedChunks: number
}

interface UserOfAccount {
  readonly accountId: string
  readonly user: Hash64
}

/** Loads the accounts of one partition from memory or the store. */
export class AccountLoader {
  readonly #store: AccountStore
  readonly #partition: number
  readonly #cache: AccountCache
  readonly #memory: PartitionMemory

  constructor(store: AccountStore, partition: number, cache: AccountCache, memory: PartitionMemory) {
    this.#store = store
    this.#partition = partition
    this.#cache = cache
    this.#memory = memory
  }

  /**
   * The accounts that the entries name, with the users that they name, or those that a tick makes due. At
   * most three round trips. `dirty`: accounts that the store does not hold as they are now. A tick is the
   * only entry of its step.
   * @throws UpswellError STORE_UNAVAILABLE
   */
  async load(entries: readonly LogEntry[], dirty: Iterable<Account>): Promise<LoadedAccounts> {
    const tick = entries.find(entry => entry.type === 'tick')
    return tick === undefined ? await this.#loadNamed(entries) : await this.#loadDue(tick, dirty)
  }

  async #loadNamed(entries: readonly LogEntry[]): Promise<LoadedAccounts> {
    const cache = this.#cache
    const missing = new Set<string>()
    // Most accounts are in memory with all their users; only the others are looked at a second time.
    const incomplete: UserOfAccount[] = []
    for (const { signals, from, to } of signalRuns(entries)) {
      for (let i = from; i < to; i++) {
        const accountId = signals.accountId(i)
        const account = cache.find(accountId)
        if (account === undefined) missing.add(accountId)
        else if (hasAllUsers(account)) continue
        const user = signals.userHash(i)
        if (user !== undefined) incomplete.push({ accountId, user })
      }
    }
    await this.#loadMissing([...missing])
    const loadedChunks = await this.#loadUsers(incomplete)
    return { accounts: cache.accounts, askedStore: loadedChunks > 0 || missing.size > 0, loadedChunks }
  }

  /** The store does not know when dirty accounts are due now, so all of them are included. */
  async #loadDue(
    tick: TickSlice & { readonly timestamp: number },
    dirty: Iterable<Account>,
  ): Promise<LoadedAccounts> {
    const ids = await this.#dueAccounts(tick)
    await this.#loadMissing(ids.filter(id => this.#cache.find(id) === undefined))
    const accounts = new Map(Array.from(dirty, account => [account.id, account]))
    for (const id of ids) {
      const account = this.#cache.find(id)
      if (account !== undefined) accounts.set(id, account)
    }
    return { accounts, askedStore: true, loadedChunks: 0 }
  }

  async #dueAccounts(tick: TickSlice & { readonly timestamp: number }): Promise<string[]> {
    const { slice, of } = tick
    const buckets = bucketsOfSlice(slice, of)
    const found = await Promise.all(
      rangesOf(tick, this.#memory).map(({ from, upTo }) =>
        this.#store.due(this.#partition, buckets, upTo, from),
      ),
    )
    return found.flat().filter(id => isInSlice(id, slice, of))
  }

  async #loadMissing(accountIds: readonly string[]): Promise<void> {
    if (accountIds.length === 0) return
    const cache = this.#cache
    const found = await this.#store.load(this.#partition, accountIds)
    for (const [i, bytes] of found.entries()) {
      if (bytes === undefined) continue
      const account = decodeAccount(accountIds[i]!, bytes, this.#memory.modelSets)
      const saved = { lastOffset: account.lastOffset, dueAt: indexedDueAt(account), sizeBytes: bytes.length }
      cache.add(account, { ...saved, ...indexesOf(account, cache) })
    }
  }

  /** Loads the users that their accounts lack. Returns how many chunks were requested. */
  async #loadUsers(users: readonly UserOfAccount[]): Promise<number> {
    const accounts = this.#cache.accounts
    const wanted = new Map<string, UserChunkKey>()
    for (const { accountId, user } of users) {
      const account = accounts.get(accountId)
      if (account === undefined || hasAllUsers(account)) continue
      for (const chunk of chunkNames(account.activity.userCount, user)) {
        if (account.users.chunks.has(chunk)) continue
        wanted.set(`${chunk}/${account.id}`, { accountId: account.id, chunk })
      }
    }
    const keys = [...wanted.values()]
    if (keys.length === 0) return 0
    const found = await this.#store.loadUserChunks(this.#partition, keys)
    for (const [i, bytes] of found.entries()) {
      const { accountId, chunk } = keys[i]!
      if (bytes !== undefined)
        accounts.get(accountId)!.users.chunks.set(chunk, decodeUserChunk(accountId, bytes))
    }
    return keys.length
  }
}

/** The parts of the due index that hold the accounts of a tick. */
function rangesOf(
  { scope, clock, timestamp }: TickSlice & { readonly timestamp: number },
  { release }: PartitionMemory,
): DueRange[] {
  const from = Number.NEGATIVE_INFINITY
  if (scope === 'all') return [{ from, upTo: Number.POSITIVE_INFINITY }]
  if (clock === 'event') return [historyDueUpTo(timestamp)]
  return release === undefined ? [{ from, upTo: timestamp }] : [{ from, upTo: timestamp }, HISTORY_DUE]
}

/** Most accounts have all their users in one chunk, whichever user is asked for. */
function hasAllUsers({ activity: { userCount }, users: { chunks } }: Account): boolean {
  return userCount === 0 || (chunks.first !== undefined && levelOf(userCount) === 0)
}
