import type { Hash64 } from '../../lib/hash.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { encodePartitionMemory } from '../../models/partition-memory.ts'
import type { Account } from '../../scoring/account.ts'
import { chunkNames, levelOf } from '../../scoring/activity/users.ts'
import type { ByteWriter } from '../../scoring/codec/bytes.ts'
import { decodeAccount, decodeUserChunk, encodeAccount, encodeUserChunk } from '../../scoring/codec/codec.ts'
import { dueBucketOf, isInSlice } from '../../scoring/due-buckets.ts'
import type { FoldResult } from '../../scoring/fold.ts'
import type { LogEntry, TickSlice } from '../../scoring/log-entry.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import { CounterChanges } from '../../scoring/population/counters.ts'
import { countShares, type RateShare, rateShares } from '../../scoring/population/rate-cells.ts'
import { prefetchSeries } from '../../scoring/prefetch.ts'
import { signalRuns } from '../../signals/signal-table.ts'
import type { AccountStore, AccountWrite, PartitionWrite, UserChunkKey } from '../../store/store.ts'
import type { AccountCache, Indexed, SavedAccount } from './account-cache.ts'
import { compareRankEntries, listingsOf, type RankChanges, rankEntriesOf } from './rank-entries.ts'
import { bucketsOfSlice } from './tick-slices.ts'

/** The accounts that a batch needs. */
export interface LoadedAccounts {
  /** Those that exist among the ones that the entries name or make due, and maybe others. New ones are to be added to it. */
  readonly accounts: Map<string, Account>
  /** Whether the store was asked; if not, all was in memory. */
  readonly askedStore: boolean
  /** How many chunks of users were asked for. */
  readonly loadedChunks: number
}

/**
 * The accounts that the entries name or make due, with the users in them: from memory, or in three round trips at most. A tick comes alone: then they are its own
 * and those in `unsaved`, of which the store does not know when they are due now.
 */
export async function loadAccounts(
  store: AccountStore,
  cache: AccountCache,
  partition: number,
  entries: readonly LogEntry[],
  memory: PartitionMemory,
  unsaved: Iterable<Account> = [],
): Promise<LoadedAccounts> {
  const tick = entries.find(entry => entry.type === 'tick')
  if (tick !== undefined) {
    const ids = await dueAccounts(store, partition, tick)
    await loadMissing(store, cache, partition, ids, memory)
    const accounts = new Map(Array.from(unsaved, account => [account.id, account]))
    for (const id of ids) {
      const account = cache.find(id)
      if (account !== undefined) accounts.set(id, account)
    }
    return { accounts, askedStore: true, loadedChunks: 0 }
  }
  const missing = new Set<string>()
  // Most signals are of accounts that are there with all their users: only the others are looked at again.
  const incomplete: { readonly accountId: string; readonly user: Hash64 }[] = []
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
  if (missing.size > 0) await loadMissing(store, cache, partition, [...missing], memory)
  const loadedChunks = await loadUsers(store, partition, incomplete, cache)
  return { accounts: cache.accounts, askedStore: loadedChunks > 0 || missing.size > 0, loadedChunks }
}

async function loadMissing(
  store: AccountStore,
  cache: AccountCache,
  partition: number,
  accountIds: readonly string[],
  memory: PartitionMemory,
): Promise<void> {
  const missing = accountIds.filter(id => cache.find(id) === undefined)
  if (missing.length === 0) return
  const found = await store.load(partition, missing)
  for (const [i, bytes] of found.entries()) {
    if (bytes === undefined) continue
    const account = decodeAccount(missing[i]!, bytes, memory.modelSets)
    const { lastOffset, dueAt } = account
    cache.add(account, { lastOffset, dueAt, ...indexedOf(account, cache), sizeBytes: bytes.length })
  }
}

async function dueAccounts(
  store: AccountStore,
  partition: number,
  { slice, of, scope, timestamp }: TickSlice & { timestamp: number },
): Promise<string[]> {
  const until = scope === 'all' ? Number.POSITIVE_INFINITY : timestamp
  const ids = await store.due(partition, bucketsOfSlice(slice, of), until)
  return ids.filter(id => isInSlice(id, slice, of))
}

/** Those of the users that their accounts lack. Answers how many chunks the store was asked for. */
async function loadUsers(
  store: AccountStore,
  partition: number,
  users: readonly { readonly accountId: string; readonly user: Hash64 }[],
  cache: AccountCache,
): Promise<number> {
  const wanted = new Map<string, UserChunkKey>()
  for (const { accountId, user } of users) {
    const account = cache.accounts.get(accountId)
    if (account === undefined || hasAllUsers(account)) continue
    for (const chunk of chunkNames(account.activity.userCount, user)) {
      if (account.users.chunks.has(chunk)) continue
      wanted.set(`${chunk}/${account.id}`, { accountId: account.id, chunk })
    }
  }
  const keys = [...wanted.values()]
  if (keys.length === 0) return 0
  const found = await store.loadUserChunks(partition, keys)
  for (const [i, bytes] of found.entries()) {
    const { accountId, chunk } = keys[i]!
    if (bytes !== undefined)
      cache.accounts.get(accountId)!.users.chunks.set(chunk, decodeUserChunk(accountId, bytes))
  }
  return keys.length
}

/** Most accounts have all their users in one chunk; then there is no need to look at the user. */
function hasAllUsers({ activity: { userCount }, users: { chunks } }: Account): boolean {
  return userCount === 0 || (chunks.first !== undefined && levelOf(userCount) === 0)
}

/** What the indexes are to say of the account as it is now. */
function indexedOf(account: Account, cache: AccountCache): Indexed {
  return { rankEntries: rankEntriesOf(account.standings), shares: rateShares(account, cache.ratesOf) }
}

/** An account that a batch was applied to, and what that changes in the indexes. */
export interface TouchedAccount {
  readonly account: Account
  /** What the store has of it until it is saved; undefined: it is new. */
  readonly before: SavedAccount | undefined
  /** What it is counted in now. */
  readonly shares: readonly RateShare[]
  /** Of its places in the lists. Those that moved have their scores published. */
  readonly changes: RankChanges
}

/** What the store is to write of accounts that it does not have yet, and of which the bytes are known; without their users. */
export function accountWrites(
  accounts: readonly { readonly account: Account; readonly bytes: Uint8Array }[],
  cache: AccountCache,
): Pick<PartitionWrite, 'accounts' | 'counters'> {
  const counters = new CounterChanges()
  const writes = accounts.map(({ account, bytes }) => {
    const { rankEntries, shares } = indexedOf(account, cache)
    countShares([], shares, counters)
    return {
      accountId: account.id,
      bytes,
      bucket: dueBucketOf(account.id),
      dueAt: account.dueAt,
      listingsRemoved: [],
      listingsAdded: listingsOf(account.id, rankEntries),
    }
  })
  return { accounts: writes, counters: counters.list() }
}

/** Compares an account that was touched with what the store holds of it; once for all that is made of it. */
export function compareAccount(account: Account, cache: AccountCache): TouchedAccount {
  const before = cache.savedOf(account.id)
  const shares = rateShares(account, cache.ratesOf)
  const changes = compareRankEntries(account.id, before?.rankEntries, account.standings)
  return { account, before, shares, changes }
}

/** The store holds the accounts as they are now. `written`: of each of `touched`, in their order. */
export function keepSaved(
  cache: AccountCache,
  touched: readonly TouchedAccount[],
  written: readonly AccountWrite[],
): void {
  for (const [i, { account, before, shares, changes }] of touched.entries())
    cache.saved(account, before, { rankEntries: changes.rankEntries, shares }, written[i]!.bytes.length)
  cache.trim()
}

export interface WriteContext {
  readonly fencingToken: string
  readonly expectedStoredOffset: number
  readonly storedOffset: number
  /** Undefined: unchanged. */
  readonly memory: PartitionMemory | undefined
  readonly library: ModelLibrary
}

/** Means nothing; it is kept so that the reads are done. */
const prefetched = { sum: 0 }

/** Puts together what the store is to write for a batch, one account after the other. */
export class WriteBuilder {
  readonly #accounts: AccountWrite[] = []
  readonly #userChunks: (UserChunkKey & { bytes: Uint8Array })[] = []
  readonly #counters = new CounterChanges()
  readonly #writer: ByteWriter

  constructor(writer: ByteWriter) {
    this.#writer = writer
  }

  /** `next`: the one that comes next. */
  add({ account, before, shares, changes }: TouchedAccount, next: TouchedAccount | undefined): void {
    if (next !== undefined) prefetched.sum += prefetchSeries(next.account)
    this.#accounts.push({
      accountId: account.id,
      bytes: encodeAccount(account, this.#writer),
      bucket: dueBucketOf(account.id),
      dueAt: before?.dueAt === account.dueAt ? undefined : account.dueAt,
      listingsRemoved: changes.listingsRemoved,
      listingsAdded: changes.listingsAdded,
    })
    for (const [chunk, users] of account.users.chunks) {
      if (users.changed)
        this.#userChunks.push({ accountId: account.id, chunk, bytes: encodeUserChunk(users, this.#writer) })
    }
    countShares(before?.shares ?? [], shares, this.#counters)
  }

  /** `counts`: what was counted while it was folded. */
  build(counts: FoldResult['counts'], context: WriteContext): PartitionWrite {
    const { fencingToken, expectedStoredOffset, storedOffset, memory, library } = context
    return {
      fencingToken,
      expectedStoredOffset,
      storedOffset,
      state: memory === undefined ? undefined : encodePartitionMemory(memory, library),
      accounts: this.#accounts,
      userChunks: this.#userChunks,
      // The fold's counters and the rates' are in books of different names.
      counters: [...counts, ...this.#counters.list()],
    }
  }
}
