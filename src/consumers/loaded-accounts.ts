import type { ModelLibrary } from '../models/model-library.ts'
import { encodePartitionMemory } from '../models/partition-memory.ts'
import { type Account, dueBucketOf } from '../scoring/account.ts'
import { decodeAccount, decodeUserChunk, encodeAccount, encodeUserChunk } from '../scoring/codec.ts'
import type { LogEntry, PartitionMemory, TickSlice } from '../scoring/fold.ts'
import { chunkNames } from '../scoring/users.ts'
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
  const add = (cached: CachedAccount): void => {
    accounts.set(cached.account.id, cached.account)
    stored.set(cached.account.id, cached.stored)
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
    add({ account, stored: { dueAt: account.dueAt, listings: listingsOf(account) } })
  }
  await loadUsers(store, partition, entries, accounts)
  const askedStore = missing.length > 0 || entries.some(({ type }) => type === 'tick')
  return { accounts, stored, askedStore }
}

/** After the batch was saved: the store holds the accounts as they are now. */
export function keepAccounts(cache: AccountCache, { accounts }: LoadedAccounts): void {
  for (const account of accounts.values())
    cache.keep({ account, stored: { dueAt: account.dueAt, listings: listingsOf(account) } })
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

async function loadUsers(
  store: AccountStore,
  partition: number,
  entries: readonly LogEntry[],
  accounts: ReadonlyMap<string, Account>,
): Promise<void> {
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
  if (keys.length === 0) return
  const found = await store.loadUserChunks(partition, keys)
  for (const [i, bytes] of found.entries()) {
    const { accountId, chunk } = keys[i]!
    if (bytes !== undefined)
      accounts.get(accountId)!.users.chunks.set(chunk, decodeUserChunk(accountId, bytes))
  }
}

function listingsOf(account: Account): Listing[] {
  return account.standings.map(({ model: { definition }, score, tier }) => ({
    modelId: definition.id,
    tier: definition.tiers[tier]!.name,
    score,
    accountId: account.id,
  }))
}

/** Whether an account's place in any ranked list changed, or it is new. */
export function movedInLists(account: Account, loaded: LoadedAccounts): boolean {
  const before = loaded.stored.get(account.id)?.listings
  return (
    before === undefined ||
    difference(listingsOf(account), before).length > 0 ||
    before.length !== account.standings.length
  )
}

export interface WriteContext {
  readonly owner: string
  readonly expectedWatermark: number
  readonly watermark: number
  /** Undefined: unchanged. */
  readonly memory: PartitionMemory | undefined
  readonly library: ModelLibrary
}

/** What the store is to write for the accounts that a batch touched. */
export function partitionWrite(
  touched: Iterable<Account>,
  loaded: LoadedAccounts,
  context: WriteContext,
): PartitionWrite {
  const { owner, expectedWatermark, watermark, memory, library } = context
  const accounts: AccountWrite[] = []
  const userChunks: (UserChunkKey & { bytes: Uint8Array })[] = []
  for (const account of touched) {
    const before = loaded.stored.get(account.id)
    const listings = listingsOf(account)
    accounts.push({
      accountId: account.id,
      bytes: encodeAccount(account),
      bucket: dueBucketOf(account.id),
      dueAt: before?.dueAt === account.dueAt ? undefined : account.dueAt,
      listingsRemoved: difference(before?.listings ?? [], listings),
      listingsAdded: difference(listings, before?.listings ?? []),
    })
    for (const [chunk, users] of account.users.chunks) {
      if (users.changed) userChunks.push({ accountId: account.id, chunk, bytes: encodeUserChunk(users) })
    }
  }
  const state = memory === undefined ? undefined : encodePartitionMemory(memory, library)
  return { owner, expectedWatermark, watermark, state, accounts, userChunks }
}

function difference(listings: readonly Listing[], others: readonly Listing[]): Listing[] {
  return listings.filter(
    ({ modelId, tier, score }) =>
      !others.some(other => other.modelId === modelId && other.tier === tier && other.score === score),
  )
}
