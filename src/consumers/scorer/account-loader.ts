import type { Account } from '../../scoring/account.ts'
import { idChunkName, isIdChunk } from '../../scoring/activity/many-ids.ts'
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
import type { ScorerMeter } from './scorer-meter.ts'
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
  /** How many user chunks were requested. An id chunk counts as `USER_CHUNKS_PER_ID_CHUNK`. */
  readonly loadedChunks: number
}

/** A signal of a table. */
interface PlacedSignal {
  readonly signals: SignalTable
  readonly place: number
}

/** A full id chunk takes about as much memory as this many user chunks. */
const USER_CHUNKS_PER_ID_CHUNK = 16

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
   * The accounts that the entries name, with the chunks that the signals need, or those that a tick makes
   * due. At most three round trips. `dirty`: accounts that the store does not hold as they are now. A tick is
   * the only entry of its step.
   * @throws UpswellError STORE_UNAVAILABLE
   */
  async load(entries: readonly LogEntry[], dirty: Iterable<Account>): Promise<LoadedAccounts> {
    const tick = entries.find(entry => entry.type === 'tick')
    return tick === undefined ? await this.#loadNamed(entries) : await this.#loadDue(tick, dirty)
  }

  async #loadNamed(entries: readonly LogEntry[]): Promise<LoadedAccounts> {
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
    await this.#loadMissing([...missing])
    const loadedChunks = await this.#loadChunks(incomplete)
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
    let absent = 0
    for (const [i, bytes] of found.entries()) {
      if (bytes === undefined) {
        absent++
        continue
      }
      const account = decodeAccount(accountIds[i]!, bytes, this.#memory.modelSets)
      const saved = { lastOffset: account.lastOffset, dueAt: indexedDueAt(account), sizeBytes: bytes.length }
      cache.add(account, { ...saved, ...indexesOf(account, cache) })
    }
    this.#meter?.loaded(found.length - absent, absent)
  }

  /** Loads the chunks that the signals need and their accounts lack. Returns `loadedChunks`. */
  async #loadChunks(placed: readonly PlacedSignal[]): Promise<number> {
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
    const keys = [...wanted.values()]
    if (keys.length === 0) return 0
    const found = await this.#store.loadUserChunks(this.#partition, keys)
    let loadedChunks = 0
    for (const [i, bytes] of found.entries()) {
      const { accountId, chunk } = keys[i]!
      if (bytes !== undefined) addChunk(accounts.get(accountId)!, chunk, bytes)
      loadedChunks += isIdChunk(chunk) ? USER_CHUNKS_PER_ID_CHUNK : 1
    }
    return loadedChunks
  }
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
