import type { Account } from '../../scoring/account.ts'
import { idChunkName } from '../../scoring/activity/many-ids.ts'
import { chunkNames, levelOf } from '../../scoring/activity/users.ts'
import { addChunk } from '../../scoring/codec/chunk-codec.ts'
import { decodeAccount } from '../../scoring/codec/codec.ts'
import type { TickSlice } from '../../scoring/due-slices.ts'
import { isInSlice } from '../../scoring/due-slices.ts'
import { type DueRange, HISTORY_DUE, historyDueUpTo, indexedDueAt } from '../../scoring/history.ts'
import type { LogEntry } from '../../scoring/log-entry.ts'
import { type PartitionMemory, releases } from '../../scoring/partition-memory.ts'
import { type SignalTable, signalRuns } from '../../signals/signal-table.ts'
import type { AccountStore, UserChunkKey } from '../../store/store.ts'
import type { AccountCache } from './account-cache.ts'
import { accountMemory, chunkMemory, newAccountMemory } from './account-memory.ts'
import { indexesOf } from './flush/write-builder.ts'
import type { ScorerMeter } from './scorer-meter.ts'
import { bucketsOfSlice } from './tick-slices.ts'

/** The accounts that a step needs. */
export interface LoadedAccounts {
  /**
   * All existing accounts that the entries name or make due, and possibly others. The fold adds new accounts
   * to it.
   */
  readonly accounts: Map<string, Account>
  /** False: everything was in memory. */
  readonly askedStore: boolean
  /** What the loaded chunks take in memory, about. */
  readonly chunkBytes: number
}

/** The accounts of a step, if they fit. */
export type LoadResult = LoadedAccounts | { readonly neededBytes: number }

/** A signal of a table. */
interface PlacedSignal {
  readonly signals: SignalTable
  readonly place: number
}

/** Accounts, or chunks, that are loaded first, to know whether the others will fit too. */
const FIRST_LOADED = 500

/** Loads the accounts of one partition from memory or the store. */
export class AccountLoader {
  readonly #store: AccountStore
  readonly #partition: number
  readonly #cache: AccountCache
  readonly #memory: PartitionMemory
  readonly #meter: ScorerMeter | undefined

  constructor(
    store: AccountStore,
    partition: number,
    cache: AccountCache,
    memory: PartitionMemory,
    meter?: ScorerMeter,
  ) {
    this.#store = store
    this.#partition = partition
    this.#cache = cache
    this.#memory = memory
    this.#meter = meter
  }

  /**
   * Loads the accounts and chunks that the entries name, or those that a tick makes due, which is the only
   * entry of its step. At most five round trips.
   * @param dirty accounts that the store does not hold as they are now
   * @param mostBytes for accounts that are not in memory
   * @throws UpswellError STORE_UNAVAILABLE
   */
  async load(entries: readonly LogEntry[], dirty: Iterable<Account>, mostBytes: number): Promise<LoadResult> {
    const tick = entries.find(entry => entry.type === 'tick')
    return tick === undefined ? await this.#loadNamed(entries, mostBytes) : await this.#loadDue(tick, dirty)
  }

  async #loadNamed(entries: readonly LogEntry[], mostBytes: number): Promise<LoadResult> {
    const cache = this.#cache
    const missing = new Set<string>()
    // Most accounts are in memory with all their chunks; only the others are looked at a second time.
    const incomplete: PlacedSignal[] = []
    let hits = 0
    let misses = 0
    for (const { signals, from, to } of signalRuns(entries)) {
      for (let i = from; i < to; i++) {
        const accountId = signals.accountId(i)
        const account = cache.find(accountId)
        if (account === undefined) {
          misses++
          missing.add(accountId)
        } else {
          hits++
          if (hasAllUsers(account) && hasAllIds(account)) continue
        }
        incomplete.push({ signals, place: i })
      }
    }
    this.#meter?.lookedUp(hits, misses)
    const neededBytes = await this.#loadMissing([...missing], mostBytes)
    if (neededBytes > mostBytes) return { neededBytes }
    const wanted = this.#missingChunks(incomplete)
    const chunkBytes = await loadWithin(mostBytes, wanted, some => this.#loadChunks(some))
    if (chunkBytes > mostBytes) return { neededBytes: neededBytes + chunkBytes }
    return { accounts: cache.accounts, askedStore: wanted.length > 0 || missing.size > 0, chunkBytes }
  }

  /** The store does not know when dirty accounts are due now, so all of them are included. */
  async #loadDue(
    tick: TickSlice & { readonly timestamp: number },
    dirty: Iterable<Account>,
  ): Promise<LoadedAccounts> {
    const ids = await this.#dueAccounts(tick)
    await this.#loadMissing(
      ids.filter(id => this.#cache.find(id) === undefined),
      Number.POSITIVE_INFINITY,
    )
    const accounts = new Map(Array.from(dirty, account => [account.id, account]))
    for (const id of ids) {
      const account = this.#cache.find(id)
      if (account !== undefined) accounts.set(id, account)
    }
    return { accounts, askedStore: true, chunkBytes: 0 }
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

  /**
   * Loads accounts if they take at most `mostBytes`, and otherwise some of them. Returns what all of them
   * take in memory, about; also those that do not exist yet.
   */
  async #loadMissing(accountIds: readonly string[], mostBytes: number): Promise<number> {
    return await loadWithin(mostBytes, accountIds, some => this.#loadAll(some))
  }

  /** Returns what the accounts take in memory, about. */
  async #loadAll(accountIds: readonly string[]): Promise<number> {
    if (accountIds.length === 0) return 0
    const cache = this.#cache
    const { modelSets } = this.#memory
    let memory = 0
    let absent = 0
    const found = await this.#store.load(this.#partition, accountIds)
    for (const [i, bytes] of found.entries()) {
      if (bytes === undefined) {
        absent++
        memory += newAccountMemory(modelSets.at(-1)!.models.length)
        continue
      }
      const account = decodeAccount(accountIds[i]!, bytes, modelSets)
      const memoryBytes = accountMemory(bytes.length)
      const saved = { lastOffset: account.lastOffset, dueAt: indexedDueAt(account), memoryBytes }
      cache.add(account, { ...saved, ...indexesOf(account, cache) })
      memory += memoryBytes
    }
    this.#meter?.loaded(found.length - absent, absent)
    return memory
  }

  /** The chunks that the signals need and their accounts lack. */
  #missingChunks(placed: readonly PlacedSignal[]): UserChunkKey[] {
    const accounts = this.#cache.accounts
    const wanted = new Map<string, UserChunkKey>()
    for (const { signals, place } of placed) {
      const account = accounts.get(signals.accountId(place))
      if (account === undefined) continue
      const want = (chunk: string) => wanted.set(`${chunk}/${account.id}`, { accountId: account.id, chunk })
      const { users, activity } = account
      const user = hasAllUsers(account) ? undefined : signals.userHash(place)
      if (user !== undefined)
        for (const chunk of chunkNames(activity.userCount, user)) if (!users.chunks.has(chunk)) want(chunk)
      if (hasAllIds(account)) continue
      const chunk = idChunkName(signals.idHash(place))
      if (!activity.manyIds!.chunks.has(chunk)) want(chunk)
    }
    return [...wanted.values()]
  }

  /** Returns what the chunks take in memory, about. */
  async #loadChunks(keys: readonly UserChunkKey[]): Promise<number> {
    const { accounts } = this.#cache
    const found = await this.#store.loadUserChunks(this.#partition, keys)
    let memory = 0
    for (const [i, bytes] of found.entries()) {
      if (bytes === undefined) continue
      const { accountId, chunk } = keys[i]!
      addChunk(accounts.get(accountId)!, chunk, bytes)
      memory += chunkMemory(bytes.length)
    }
    return memory
  }
}

/**
 * Loads everything if it takes at most `mostBytes`, and otherwise some of it. `load` returns what its part
 * takes in memory. Returns what everything takes, about.
 */
async function loadWithin<Item>(
  mostBytes: number,
  items: readonly Item[],
  load: (items: readonly Item[]) => Promise<number>,
): Promise<number> {
  if (items.length === 0) return 0
  if (items.length <= FIRST_LOADED || mostBytes === Number.POSITIVE_INFINITY) return await load(items)
  const firstBytes = await load(items.slice(0, FIRST_LOADED))
  const expectedBytes = (firstBytes / FIRST_LOADED) * items.length
  if (expectedBytes > mostBytes) return expectedBytes
  return firstBytes + (await load(items.slice(FIRST_LOADED)))
}

/** Most accounts have all their ids in the core. Chunks that were just made are all in memory. */
function hasAllIds({ activity: { manyIds } }: Account): boolean {
  return manyIds === undefined || manyIds.isWhole
}

/** The parts of the due index that hold the accounts of a tick. */
function rangesOf(tick: TickSlice & { readonly timestamp: number }, memory: PartitionMemory): DueRange[] {
  const { scope, clock, timestamp } = tick
  const from = Number.NEGATIVE_INFINITY
  if (scope === 'all') return [{ from, upTo: Number.POSITIVE_INFINITY }]
  if (clock === 'event') return [historyDueUpTo(timestamp)]
  return releases(memory, tick) ? [{ from, upTo: timestamp }, HISTORY_DUE] : [{ from, upTo: timestamp }]
}

/** Most accounts have all their users in one chunk, whichever user is asked for. */
function hasAllUsers({ activity: { userCount }, users: { chunks } }: Account): boolean {
  return userCount === 0 || (chunks.first !== undefined && levelOf(userCount) === 0)
}
