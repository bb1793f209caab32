import type { ModelLibrary } from '../models/model-library.ts'
import { encodePartitionMemory } from '../models/partition-memory.ts'
import { type Account, dueBucketOf } from '../scoring/account.ts'
import { decodeAccount, decodeUserChunk, encodeAccount, encodeUserChunk } from '../scoring/codec.ts'
import type { FoldResult, LogEntry, PartitionMemory, TickSlice } from '../scoring/fold.ts'
import { CounterChanges } from '../scoring/population/counters.ts'
import { countShares, rateShares } from '../scoring/population/rate-cells.ts'
import type { Standing } from '../scoring/standing.ts'
import { chunkNames } from '../scoring/users.ts'
import { listName } from '../store/list-name.ts'
import {
  type AccountStore,
  type AccountWrite,
  DUE_BUCKETS,
  type Listing,
  type PartitionWrite,
  type UserChunkKey,
} from '../store/store.ts'
import type { AccountCache, CachedAccount, StoredIndexes } from './account-cache.ts'

/** The accounts that a batch needs, with what the store's indexes say of them now, so that only what changes is written. */
export interface LoadedAccounts {
  readonly accounts: Map<string, Account>
  readonly stored: ReadonlyMap<string, StoredIndexes>
  /** Of their cores in the store. */
  readonly sizeBytes: ReadonlyMap<string, number>
  /** Whether the store was asked; if not, all was in the cache. */
  readonly askedStore: boolean
}

/** The accounts that the entries name or make due, with the users in them: from the cache, or in three round trips at most. */
export async function loadAccounts(
  store: AccountStore,
  cache: AccountCache,
  partition: number,
  entries: readonly LogEntry[],
  memory: PartitionMemory,
): Promise<LoadedAccounts> {
  const ids = new Set<string>()
  for (const entry of entries) {
    if (entry.type === 'signal') ids.add(entry.signal.accountId)
    else if (entry.type === 'tick') for (const id of await dueAccounts(store, partition, entry)) ids.add(id)
  }
  const accounts = new Map<string, Account>()
  const stored = new Map<string, StoredIndexes>()
  const sizes = new Map<string, number>()
  const add = (cached: CachedAccount): void => {
    accounts.set(cached.account.id, cached.account)
    stored.set(cached.account.id, cached.stored)
    sizes.set(cached.account.id, cached.sizeBytes)
  }
  const missing: string[] = []
  for (const id of ids) {
    const cached = cache.get(id)
    if (cached === undefined) missing.push(id)
    else add(cached)
  }
  const found = missing.length === 0 ? [] : await store.load(partition, missing)
  for (const [i, bytes] of found.entries()) {
    if (bytes === undefined) continue
    const account = decodeAccount(missing[i]!, bytes, memory.modelSets)
    add({ account, sizeBytes: bytes.length, stored: indexesOf(account, cache) })
  }
  const askedUsers = await loadUsers(store, partition, entries, accounts)
  const askedStore = askedUsers || missing.length > 0 || entries.some(({ type }) => type === 'tick')
  return { accounts, stored, sizeBytes: sizes, askedStore }
}

function dueAccounts(
  store: AccountStore,
  partition: number,
  tick: TickSlice & { timestamp: number },
): Promise<string[]> {
  const buckets: number[] = []
  for (let bucket = tick.slice; bucket < DUE_BUCKETS; bucket += tick.of) buckets.push(bucket)
  return store.due(partition, buckets, tick.scope === 'all' ? Number.POSITIVE_INFINITY : tick.timestamp)
}

/** Answers whether the store was asked. */
async function loadUsers(
  store: AccountStore,
  partition: number,
  entries: readonly LogEntry[],
  accounts: ReadonlyMap<string, Account>,
): Promise<boolean> {
  const wanted = new Map<string, UserChunkKey>()
  for (const entry of entries) {
    if (entry.type !== 'signal' || entry.signal.userId === undefined) continue
    const account = accounts.get(entry.signal.accountId)
    if (account === undefined || account.activity.userCount === 0) continue
    for (const chunk of chunkNames(account.activity.userCount, entry.signal.userId)) {
      if (account.users.chunks.has(chunk)) continue
      wanted.set(`${chunk}/${account.id}`, { accountId: account.id, chunk })
    }
  }
  const keys = [...wanted.values()]
  if (keys.length === 0) return false
  const found = await store.loadUserChunks(partition, keys)
  for (const [i, bytes] of found.entries()) {
    const { accountId, chunk } = keys[i]!
    if (bytes !== undefined)
      accounts.get(accountId)!.users.chunks.set(chunk, decodeUserChunk(accountId, bytes))
  }
  return true
}

/** What the indexes are to say of the account as it is now. */
function indexesOf(account: Account, cache: AccountCache): StoredIndexes {
  const listings = account.standings.flatMap(standing => listingsOf(account.id, standing))
  const modelVersions = account.standings.map(({ model }) => model.definition.version)
  const { lastOffset, dueAt } = account
  return { lastOffset, dueAt, listings, modelVersions, shares: rateShares(account, cache.ratesOf) }
}

/** In the model's list, and in that of each facet's value. */
function listingsOf(accountId: string, { model: { definition }, score, tier, facets }: Standing): Listing[] {
  const place = { tier: definition.tiers[tier]!.name, score, accountId }
  const listings = [{ list: listName(definition.id), ...place }]
  for (const [i, value] of facets.entries()) {
    const { name } = definition.facets[i]!
    if (value !== undefined) listings.push({ list: listName(definition.id, { name, value }), ...place })
  }
  return listings
}

/** An account that a batch was applied to, and what that changes in the indexes. */
export interface TouchedAccount {
  readonly account: Account
  /** Undefined: it is new. */
  readonly before: StoredIndexes | undefined
  readonly now: StoredIndexes
  readonly listingsRemoved: readonly Listing[]
  readonly listingsAdded: readonly Listing[]
  /** Whether its place in any ranked list or the version of a model changed, or it is new. */
  readonly isMoved: boolean
}

/** What the store is to write of accounts that it does not have yet, and of which the bytes are known; without their users. */
export function accountWrites(
  accounts: readonly { readonly account: Account; readonly bytes: Uint8Array }[],
  cache: AccountCache,
): Pick<PartitionWrite, 'accounts' | 'counters'> {
  const counters = new CounterChanges()
  const writes = accounts.map(({ account, bytes }) => {
    const { dueAt, listings, shares } = indexesOf(account, cache)
    countShares([], shares, counters)
    return {
      accountId: account.id,
      bytes,
      bucket: dueBucketOf(account.id),
      dueAt,
      listingsRemoved: [],
      listingsAdded: listings,
    }
  })
  return { accounts: writes, counters: counters.list() }
}

/** Compares the accounts that were touched with what the store holds of them; once for all that is made of it. */
export function compareTouched(
  touched: Iterable<Account>,
  loaded: LoadedAccounts,
  cache: AccountCache,
): TouchedAccount[] {
  return Array.from(touched, account => {
    const before = loaded.stored.get(account.id)
    const now = indexesOf(account, cache)
    const listingsRemoved = difference(before?.listings ?? [], now.listings)
    const listingsAdded = difference(now.listings, before?.listings ?? [])
    const isMoved =
      before === undefined ||
      listingsRemoved.length > 0 ||
      listingsAdded.length > 0 ||
      now.modelVersions.some((version, i) => version !== before.modelVersions[i])
    return { account, before, now, listingsRemoved, listingsAdded, isMoved }
  })
}

/** After the batch was saved: the store holds the accounts as they are now. */
export function keepAccounts(
  cache: AccountCache,
  { accounts, stored, sizeBytes }: LoadedAccounts,
  touched: readonly TouchedAccount[],
  written: readonly AccountWrite[],
): void {
  const now = new Map(touched.map(each => [each.account.id, each.now]))
  const sizes = new Map(written.map(({ accountId, bytes }) => [accountId, bytes.length]))
  // Of one that was not touched the store holds what it held.
  for (const account of accounts.values()) {
    cache.keep({
      account,
      sizeBytes: sizes.get(account.id) ?? sizeBytes.get(account.id)!,
      stored: now.get(account.id) ?? stored.get(account.id)!,
    })
  }
}

export interface WriteContext {
  readonly owner: string
  readonly expectedWatermark: number
  readonly watermark: number
  /** Undefined: unchanged. */
  readonly memory: PartitionMemory | undefined
  readonly library: ModelLibrary
}

/** What the store is to write for a batch. `counts`: what was counted while it was folded. */
export function partitionWrite(
  touched: readonly TouchedAccount[],
  counts: FoldResult['counts'],
  context: WriteContext,
): PartitionWrite {
  const { owner, expectedWatermark, watermark, memory, library } = context
  const accounts: AccountWrite[] = []
  const userChunks: (UserChunkKey & { bytes: Uint8Array })[] = []
  const counters = new CounterChanges()
  for (const { account, before, now, listingsRemoved, listingsAdded } of touched) {
    accounts.push({
      accountId: account.id,
      bytes: encodeAccount(account),
      bucket: dueBucketOf(account.id),
      dueAt: before?.dueAt === now.dueAt ? undefined : now.dueAt,
      listingsRemoved,
      listingsAdded,
    })
    for (const [chunk, users] of account.users.chunks) {
      if (users.changed) userChunks.push({ accountId: account.id, chunk, bytes: encodeUserChunk(users) })
    }
    countShares(before?.shares ?? [], now.shares, counters)
  }
  const state = memory === undefined ? undefined : encodePartitionMemory(memory, library)
  // The fold's counters and the rates' are in books of different names.
  return {
    owner,
    expectedWatermark,
    watermark,
    state,
    accounts,
    userChunks,
    counters: [...counts, ...counters.list()],
  }
}

function difference(listings: readonly Listing[], others: readonly Listing[]): Listing[] {
  return listings.filter(
    ({ list, tier, score }) =>
      !others.some(other => other.list === list && other.tier === tier && other.score === score),
  )
}
