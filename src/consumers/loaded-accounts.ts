import type { ModelLibrary } from '../models/model-library.ts'
import { encodePartitionMemory } from '../models/partition-memory.ts'
import { type Account, dueBucketOf } from '../scoring/account.ts'
import { decodeAccount, decodeUserChunk, encodeAccount, encodeUserChunk } from '../scoring/codec.ts'
import type { FoldResult, LogEntry, PartitionMemory, TickSlice } from '../scoring/fold.ts'
import type { Hash64 } from '../scoring/hash.ts'
import { CounterChanges } from '../scoring/population/counters.ts'
import { countShares, rateShares } from '../scoring/population/rate-cells.ts'
import { signalRuns } from '../scoring/signal-table.ts'
import type { Standing } from '../scoring/standing.ts'
import { chunkNames, levelOf } from '../scoring/users.ts'
import { listName } from '../store/list-name.ts'
import {
  type AccountStore,
  type AccountWrite,
  DUE_BUCKETS,
  type Listing,
  type PartitionWrite,
  type UserChunkKey,
} from '../store/store.ts'
import type { AccountCache, StoredIndexes } from './account-cache.ts'

/** The accounts that a batch needs. */
export interface LoadedAccounts {
  /** Those that exist among the ones that the entries name or make due, and maybe others. New ones are to be added to it. */
  readonly accounts: Map<string, Account>
  /** Whether the store was asked; if not, all was in memory. */
  readonly askedStore: boolean
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
    return { accounts, askedStore: true }
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
  const askedUsers = await loadUsers(store, partition, incomplete, cache)
  return { accounts: cache.accounts, askedStore: askedUsers || missing.size > 0 }
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
    cache.add(account, { sizeBytes: bytes.length, indexes: indexesOf(account, cache) })
  }
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

/** Those of the users that their accounts lack. Answers whether the store was asked. */
async function loadUsers(
  store: AccountStore,
  partition: number,
  users: readonly { readonly accountId: string; readonly user: Hash64 }[],
  cache: AccountCache,
): Promise<boolean> {
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
  if (keys.length === 0) return false
  const found = await store.loadUserChunks(partition, keys)
  for (const [i, bytes] of found.entries()) {
    const { accountId, chunk } = keys[i]!
    if (bytes !== undefined)
      cache.accounts.get(accountId)!.users.chunks.set(chunk, decodeUserChunk(accountId, bytes))
  }
  return true
}

/** Most accounts have all their users in one chunk; then there is no need to look at the user. */
function hasAllUsers({ activity: { userCount }, users: { chunks } }: Account): boolean {
  return userCount === 0 || (chunks.has('0') && levelOf(userCount) === 0)
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
  /** Whether its score or tier by any model or a model's version changed, or it is new: then its scores are published. */
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
export function compareTouched(touched: Iterable<Account>, cache: AccountCache): TouchedAccount[] {
  return Array.from(touched, account => {
    const before = cache.storedOf(account.id)?.indexes
    const now = indexesOf(account, cache)
    const listingsRemoved = difference(before?.listings ?? [], now.listings)
    const listingsAdded = difference(now.listings, before?.listings ?? [])
    const isMoved =
      before === undefined ||
      now.modelVersions.length !== before.modelVersions.length ||
      now.modelVersions.some((version, i) => version !== before.modelVersions[i]) ||
      account.standings.some(({ model }) => isIn(listingsAdded, listName(model.definition.id)))
    return { account, before, now, listingsRemoved, listingsAdded, isMoved }
  })
}

/** The store holds the accounts as they are now. `written`: of each of `touched`, in their order. */
export function keepSaved(
  cache: AccountCache,
  touched: readonly TouchedAccount[],
  written: readonly AccountWrite[],
): void {
  touched.forEach(({ account, now }, i) => {
    cache.saved(account, { indexes: now, sizeBytes: written[i]!.bytes.length })
  })
  cache.trim()
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

function isIn(listings: readonly Listing[], list: string): boolean {
  return listings.some(listing => listing.list === list)
}
