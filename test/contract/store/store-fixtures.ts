import { expect } from 'vitest'
import { UpswellError } from '../../../src/lib/errors.ts'
import { DUE_BUCKETS } from '../../../src/scoring/due-slices.ts'
import type {
  AccountStore,
  AccountWrite,
  Listing,
  ListQuery,
  PartitionWrite,
} from '../../../src/store/store.ts'

export interface OpenedStore {
  readonly store: AccountStore
  /** The store of another namespace in the same place. */
  inNamespace(namespace: string): AccountStore
  close(): Promise<void>
  /** True: clearing takes one step, so nothing can interrupt it. */
  readonly clearsAtOnce?: boolean
  /**
   * Loses everything in the store while it stays open, as a flushed Redis does. Left out: those tests are
   * skipped.
   */
  empty?(): Promise<void>
}

export const everyBucket = Array.from({ length: DUE_BUCKETS }, (_, bucket) => bucket)

export const oddIds = [
  'plain',
  'with space',
  ' ',
  '{braces}',
  '{}',
  'a:b:c',
  'a/b\\c',
  'tab\tand\nline',
  'Zürich-東京-🚀',
  '🚀',
  '\uffee',
  'quote"\'`',
  '*?[]',
  'null',
  '0',
  'x'.repeat(512),
  'ü'.repeat(256),
]

export function write(parts: Partial<PartitionWrite>): PartitionWrite {
  return {
    fencingToken: 'owner-1',
    expectedStoredOffset: 0,
    storedOffset: 1,
    state: undefined,
    accounts: [],
    userChunks: [],
    counters: [],
    ...parts,
  }
}

export function account(accountId: string, parts: Partial<AccountWrite> = {}): AccountWrite {
  return {
    accountId,
    bytes: bytes(1),
    bucket: 0,
    dueAt: Number.POSITIVE_INFINITY,
    listingsRemoved: [],
    listingsAdded: [],
    ...parts,
  }
}

export function listing(accountId: string, score: number, tier = 'hot'): Listing {
  return { list: 'model', tier, score, accountId }
}

export function query(parts: Partial<ListQuery>): ListQuery {
  return {
    list: 'model',
    tiers: ['hot'],
    order: 'highest-first',
    minScore: undefined,
    after: undefined,
    limit: 100,
    ...parts,
  }
}

/** Saves the listings as the partition's first save: stored offset 0 to 1. */
export async function saveListings(
  store: AccountStore,
  listings: readonly Listing[],
  partition = 0,
): Promise<void> {
  await store.fence(partition, 'owner-1')
  const accounts = listings.map(each => account(each.accountId, { listingsAdded: [each] }))
  await store.save(partition, write({ accounts }))
}

/**
 * Saves two accounts in every index, with state, user chunks and counters, at stored offset 7. Names hold the
 * partition.
 */
export async function fillPartition(
  store: AccountStore,
  partition: number,
  { fencingToken = 'owner-1', isFenced = false } = {},
): Promise<void> {
  if (!isFenced) await store.fence(partition, fencingToken)
  const ids = ['first', 'second'].map(name => `${name} of ${partition}`)
  const accounts = ids.map((id, i) =>
    account(id, {
      bytes: bytes(i),
      bucket: i * (DUE_BUCKETS - 1),
      dueAt: i === 0 ? 500 : Number.POSITIVE_INFINITY,
      listingsAdded: [listing(id, i), { ...listing(id, i, 'cold'), list: `list of ${partition}` }],
    }),
  )
  const userChunks = ids.flatMap(accountId =>
    ['0', '1'].map(chunk => ({ accountId, chunk, bytes: bytes(9) })),
  )
  const counters = ['x', 'y'].map(field => ({ book: 'of all', field, delta: 1 }))
  const ownCounter = { book: `of ${partition}`, field: 'x', delta: 1 }
  await store.save(
    partition,
    write({
      fencingToken,
      storedOffset: 7,
      state: bytes(5),
      accounts,
      userChunks,
      counters: [...counters, ownCounter],
    }),
  )
}

/** Expects everything that `fillPartition` wrote. */
export async function expectFull(store: AccountStore, partition: number): Promise<void> {
  const ids = ['first', 'second'].map(name => `${name} of ${partition}`)
  expect(plain(await store.readPartition(partition))).toEqual({ storedOffset: 7, state: bytes(5) })
  expect(await store.readStoredOffset(partition)).toBe(7)
  expect(await loaded(store, partition, ids)).toEqual([bytes(0), bytes(1)])
  expect(await store.due(partition, everyBucket, Number.POSITIVE_INFINITY)).toEqual(ids)
  const keys = ids.flatMap(accountId => ['0', '1'].map(chunk => ({ accountId, chunk })))
  expect((await store.loadUserChunks(partition, keys)).map(plainBytes)).toEqual(keys.map(() => bytes(9)))
  const listed = idsOf(await store.list(query({ order: 'lowest-first' })))
  expect(listed.filter(id => ids.includes(id))).toEqual(ids)
  expect(idsOf(await store.list(query({ list: `list of ${partition}`, tiers: ['cold'] })))).toHaveLength(2)
  expect(await store.readPartitionCounters(partition)).toEqual([
    { book: `of ${partition}`, field: 'x', delta: 1 },
    { book: 'of all', field: 'x', delta: 1 },
    { book: 'of all', field: 'y', delta: 1 },
  ])
  const [own] = await store.readCounters([`of ${partition}`])
  expect(Object.fromEntries(own!)).toEqual({ x: 1 })
}

/** Expects nothing of what `fillPartition` wrote. */
export async function expectEmpty(store: AccountStore, partition: number): Promise<void> {
  const ids = ['first', 'second'].map(name => `${name} of ${partition}`)
  expect(await store.readPartition(partition)).toEqual({ storedOffset: 0, state: undefined })
  expect(await store.readStoredOffset(partition)).toBe(0)
  expect(await store.load(partition, ids)).toEqual([undefined, undefined])
  expect(await store.countDue(partition, Number.POSITIVE_INFINITY)).toBe(0)
  const keys = ids.flatMap(accountId => ['0', '1'].map(chunk => ({ accountId, chunk })))
  expect(await store.loadUserChunks(partition, keys)).toEqual(keys.map(() => undefined))
  expect(idsOf(await store.list(query({}))).filter(id => ids.includes(id))).toEqual([])
  expect(await store.list(query({ list: `list of ${partition}`, tiers: ['cold'] }))).toEqual([])
  expect(await store.readPartitionCounters(partition)).toEqual([])
  const [own] = await store.readCounters([`of ${partition}`])
  expect(own!.size).toBe(0)
}

/** All pages of the query, read one after the other as a client does. */
export async function everyPage(store: AccountStore, first: ListQuery): Promise<Listing[]> {
  const all: Listing[] = []
  for (let after = first.after; ; after = all.at(-1)) {
    const page = await store.list({ ...first, after })
    expect(page.length).toBeLessThanOrEqual(first.limit)
    all.push(...page)
    if (page.length < first.limit) return all
  }
}

export async function loaded(store: AccountStore, partition: number, ids: readonly string[]) {
  return (await store.load(partition, ids)).map(plainBytes)
}

export async function codeOf(refused: Promise<unknown>): Promise<string> {
  try {
    await refused
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(UpswellError)
    return (thrown as UpswellError).code
  }
  return 'nothing was thrown'
}

export function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values)
}

/** A Buffer does not equal a Uint8Array of the same bytes. */
export function plainBytes(value: Uint8Array | undefined): Uint8Array | undefined {
  return value && new Uint8Array(value)
}

export function plain(stored: { readonly storedOffset: number; readonly state: Uint8Array | undefined }) {
  return { storedOffset: stored.storedOffset, state: plainBytes(stored.state) }
}

export function idsOf(listings: readonly Listing[]): string[] {
  return listings.map(each => each.accountId)
}

export function byUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

export function byScoreAndId(a: Listing, b: Listing): number {
  return a.score - b.score || byUtf8(a.accountId, b.accountId)
}
