import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UpswellError } from '../../src/lib/errors.ts'
import { DUE_BUCKETS } from '../../src/scoring/due-buckets.ts'
import type { AccountStore, AccountWrite, Listing, ListQuery, PartitionWrite } from '../../src/store/store.ts'

export interface OpenedStore {
  readonly store: AccountStore
  /** The store of another namespace in the same place. */
  inNamespace(namespace: string): AccountStore
  close(): Promise<void>
  /** Loses everything that the store holds, as a flushed Redis does, while it stays open. Left out: those tests are skipped. */
  empty?(): Promise<void>
}

/**
 * What every account store does. `open` gives an empty one; it is called before each test.
 */
export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`${name}: the account store`, () => {
    let opened: OpenedStore
    let store: AccountStore

    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })

    afterEach(async () => {
      await opened.close()
    })

    describe('a partition', () => {
      it('that nobody wrote has watermark 0 and no state', async () => {
        expect(await store.readPartition(3)).toEqual({ storedOffset: 0, state: undefined })
        expect(await store.fence(3, 'owner-1')).toEqual({ storedOffset: 0, state: undefined })
      })

      it('remembers the watermark and the state of the last save', async () => {
        await store.fence(0, 'owner-1')
        await store.save(0, write({ storedOffset: 10, state: bytes(1, 2, 3) }))
        await store.save(0, write({ expectedStoredOffset: 10, storedOffset: 25 }))
        const expected = { storedOffset: 25, state: bytes(1, 2, 3) }
        expect(plain(await store.readPartition(0))).toEqual(expected)
        expect(plain(await store.fence(0, 'owner-2'))).toEqual(expected)
      })

      it('has a watermark and a state of its own', async () => {
        await store.fence(0, 'owner-1')
        await store.fence(1, 'owner-1')
        await store.save(0, write({ storedOffset: 10, state: bytes(1) }))
        expect(await store.readPartition(1)).toEqual({ storedOffset: 0, state: undefined })
      })

      it('keeps an offset beyond 32 bits', async () => {
        await store.fence(0, 'owner-1')
        await store.save(0, write({ storedOffset: 2 ** 40 + 7 }))
        await store.save(0, write({ expectedStoredOffset: 2 ** 40 + 7, storedOffset: 2 ** 40 + 8 }))
        expect((await store.readPartition(0)).storedOffset).toBe(2 ** 40 + 8)
      })
    })

    describe('a save', () => {
      it('by an earlier owner is refused, and writes nothing', async () => {
        await store.fence(0, 'owner-1')
        await store.fence(0, 'owner-2')
        const refused = store.save(0, write({ storedOffset: 5, accounts: [account('a')] }))
        expect(await codeOf(refused)).toBe('STORE_FENCED')
        expect(await store.load(0, ['a'])).toEqual([undefined])
        expect((await store.readPartition(0)).storedOffset).toBe(0)
        await store.save(0, write({ fencingToken: 'owner-2', storedOffset: 5 }))
      })

      it('by the same owner goes on after its partition was fenced for it again', async () => {
        await store.fence(0, 'owner-1')
        await store.fence(0, 'owner-1')
        await store.save(0, write({ storedOffset: 5 }))
        expect((await store.readPartition(0)).storedOffset).toBe(5)
      })

      it('is not refused for the owner of another partition', async () => {
        await store.fence(0, 'owner-1')
        await store.fence(1, 'owner-2')
        await store.save(0, write({ storedOffset: 5 }))
        await store.save(1, write({ fencingToken: 'owner-2', storedOffset: 6 }))
      })

      it('that does not follow the watermark is refused, and writes nothing', async () => {
        await store.fence(0, 'owner-1')
        await store.save(0, write({ storedOffset: 5 }))
        for (const expectedStoredOffset of [0, 4, 6]) {
          const late = write({
            expectedStoredOffset,
            storedOffset: 9,
            state: bytes(1),
            accounts: [account('a')],
          })
          expect(await codeOf(store.save(0, late))).toBe('STORE_MOVED')
        }
        expect(await store.load(0, ['a'])).toEqual([undefined])
        expect(await store.readPartition(0)).toEqual({ storedOffset: 5, state: undefined })
      })

      it('to a partition that nobody owns is refused', async () => {
        const codes = [await codeOf(store.save(0, write({ storedOffset: 5 })))]
        codes.push(await codeOf(store.save(0, write({ expectedStoredOffset: 5, storedOffset: 6 }))))
        for (const code of codes) expect(['STORE_FENCED', 'STORE_MOVED']).toContain(code)
      })

      it('to a store that was emptied is refused until the partition is fenced again', async context => {
        if (opened.empty === undefined) return context.skip()
        await store.fence(0, 'owner-1')
        await store.save(0, write({ storedOffset: 5, accounts: [account('a')] }))
        await opened.empty()
        const code = await codeOf(store.save(0, write({ expectedStoredOffset: 5, storedOffset: 6 })))
        expect(['STORE_FENCED', 'STORE_MOVED']).toContain(code)
        expect(await store.fence(0, 'owner-2')).toEqual({ storedOffset: 0, state: undefined })
        expect(await store.due(0, everyBucket, Number.POSITIVE_INFINITY)).toEqual([])
        await store.save(0, write({ fencingToken: 'owner-2', storedOffset: 1 }))
      })

      it('may leave the watermark where it is', async () => {
        await store.fence(0, 'owner-1')
        await store.save(0, write({ storedOffset: 5 }))
        await store.save(0, write({ expectedStoredOffset: 5, storedOffset: 5, accounts: [account('a')] }))
        expect(await loaded(store, 0, ['a'])).toEqual([bytes(1)])
      })

      it('of 5,000 accounts is one save', async () => {
        const accounts = Array.from({ length: 5_000 }, (_, i) =>
          account(`account-${String(i).padStart(5, '0')}`, {
            bytes: Buffer.alloc(1_400, i % 256),
            bucket: i % DUE_BUCKETS,
            dueAt: 1_000 + i,
            listingsAdded: [listing(`account-${String(i).padStart(5, '0')}`, i % 100)],
          }),
        )
        await store.fence(0, 'owner-1')
        await store.save(0, write({ storedOffset: 5_000, accounts }))
        const ids = accounts.map(each => each.accountId)
        const states = await store.load(0, ids)
        expect(states.every((state, i) => state?.length === 1_400 && state[0] === i % 256)).toBe(true)
        expect(await store.countDue(0, Number.POSITIVE_INFINITY)).toBe(5_000)
        expect(await store.due(0, everyBucket, Number.POSITIVE_INFINITY)).toEqual(ids)
        expect(await everyPage(store, query({ limit: 700 }))).toHaveLength(5_000)
      }, 60_000)
    })

    describe('accounts', () => {
      it('are loaded in the order asked, undefined where there is none', async () => {
        await store.fence(0, 'owner-1')
        const accounts = ['a', 'b', 'c'].map((id, i) => account(id, { bytes: bytes(i) }))
        await store.save(0, write({ accounts }))
        const found = await loaded(store, 0, ['c', 'missing', 'a', 'c'])
        expect(found).toEqual([bytes(2), undefined, bytes(0), bytes(2)])
        expect(await store.load(0, [])).toEqual([])
      })

      it('belong to their partition', async () => {
        await store.fence(0, 'owner-1')
        await store.save(0, write({ accounts: [account('a')] }))
        expect(await store.load(1, ['a'])).toEqual([undefined])
        expect(await store.countDue(1, Number.POSITIVE_INFINITY)).toBe(0)
      })

      it('keep every byte, at any length', async () => {
        const contents = [
          Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
          Buffer.alloc(1),
          Buffer.from([0xff, 0xfe, 0x0d, 0x0a, 0x00]),
          Buffer.alloc(300_000, 0xab),
        ]
        await store.fence(0, 'owner-1')
        const accounts = contents.map((content, i) => account(`a${i}`, { bytes: content }))
        await store.save(0, write({ accounts }))
        const found = await store.load(0, ['a0', 'a1', 'a2', 'a3'])
        found.forEach((content, i) => {
          expect(Buffer.compare(content!, contents[i]!)).toBe(0)
        })
      })

      it('that were loaded do not change with later loads and saves', async () => {
        await store.fence(0, 'owner-1')
        await store.save(0, write({ storedOffset: 1, accounts: [account('a', { bytes: bytes(1, 1) })] }))
        const [before] = await store.load(0, ['a'])
        const accounts = [account('a', { bytes: bytes(2, 2) })]
        await store.save(0, write({ expectedStoredOffset: 1, storedOffset: 2, accounts }))
        expect(await loaded(store, 0, ['a'])).toEqual([bytes(2, 2)])
        expect(plainBytes(before)).toEqual(bytes(1, 1))
      })

      it('take any bytes array, also a view into a larger one', async () => {
        const large = new Uint8Array([9, 9, 1, 2, 3, 9, 9])
        await store.fence(0, 'owner-1')
        const state = large.subarray(3, 5)
        await store.save(0, write({ state, accounts: [account('a', { bytes: large.subarray(2, 5) })] }))
        expect(await loaded(store, 0, ['a'])).toEqual([bytes(1, 2, 3)])
        expect(plain(await store.readPartition(0)).state).toEqual(bytes(2, 3))
      })

      it('may have any id', async () => {
        await store.fence(0, 'owner-1')
        const accounts = oddIds.map((id, i) =>
          account(id, { bytes: bytes(i), bucket: i, dueAt: i, listingsAdded: [listing(id, 50)] }),
        )
        const userChunks = oddIds.map((accountId, i) => ({ accountId, chunk: '0', bytes: bytes(i) }))
        await store.save(0, write({ accounts, userChunks }))
        const expected = oddIds.map((_, i) => bytes(i))
        expect(await loaded(store, 0, oddIds)).toEqual(expected)
        const keys = oddIds.map(accountId => ({ accountId, chunk: '0' }))
        expect((await store.loadUserChunks(0, keys)).map(plainBytes)).toEqual(expected)
        expect(await store.due(0, everyBucket, Number.POSITIVE_INFINITY)).toHaveLength(oddIds.length)
        expect(new Set(await store.due(0, everyBucket, Number.POSITIVE_INFINITY))).toEqual(new Set(oddIds))
        const listed = await everyPage(store, query({ limit: 3, order: 'lowest-first' }))
        expect(listed.map(each => each.accountId)).toEqual([...oddIds].sort(byUtf8))
      })
    })

    describe('user chunks', () => {
      it('are loaded in the order asked, undefined where there is none', async () => {
        await store.fence(0, 'owner-1')
        const userChunks = [
          { accountId: 'a', chunk: '0', bytes: bytes(1) },
          { accountId: 'a', chunk: '1', bytes: bytes(2) },
          { accountId: 'b', chunk: '0', bytes: bytes(3) },
        ]
        await store.save(0, write({ userChunks }))
        const keys = [
          { accountId: 'b', chunk: '0' },
          { accountId: 'b', chunk: '1' },
          { accountId: 'a', chunk: '1' },
          { accountId: 'a', chunk: '0' },
        ]
        const found = (await store.loadUserChunks(0, keys)).map(plainBytes)
        expect(found).toEqual([bytes(3), undefined, bytes(2), bytes(1)])
        expect(await store.loadUserChunks(0, [])).toEqual([])
        expect(await store.loadUserChunks(1, keys)).toEqual(keys.map(() => undefined))
      })

      it('of different accounts never meet, however their names are joined', async () => {
        await store.fence(0, 'owner-1')
        const keys = [
          { accountId: 'a', chunk: '11' },
          { accountId: 'a1', chunk: '1' },
          { accountId: 'a:1', chunk: '1' },
          { accountId: 'a', chunk: '1:1' },
        ]
        const userChunks = keys.map((key, i) => ({ ...key, bytes: bytes(i) }))
        await store.save(0, write({ userChunks }))
        const found = (await store.loadUserChunks(0, keys)).map(plainBytes)
        expect(found).toEqual(keys.map((_, i) => bytes(i)))
      })

      it('are replaced by a later save', async () => {
        await store.fence(0, 'owner-1')
        const key = { accountId: 'a', chunk: '7' }
        await store.save(0, write({ storedOffset: 1, userChunks: [{ ...key, bytes: bytes(1, 2) }] }))
        const second = { expectedStoredOffset: 1, storedOffset: 2, userChunks: [{ ...key, bytes: bytes(3) }] }
        await store.save(0, write(second))
        expect((await store.loadUserChunks(0, [key])).map(plainBytes)).toEqual([bytes(3)])
      })
    })

    describe('the due index', () => {
      it('finds the accounts due at a time, that time included, ascending by id', async () => {
        await store.fence(0, 'owner-1')
        const accounts = [
          account('d', { dueAt: 100 }),
          account('b', { dueAt: 300 }),
          account('a', { dueAt: 200 }),
          account('c', { dueAt: 199.5 }),
          account('never', { dueAt: Number.POSITIVE_INFINITY }),
        ]
        await store.save(0, write({ accounts }))
        expect(await store.due(0, [0], 99)).toEqual([])
        expect(await store.due(0, [0], 100)).toEqual(['d'])
        expect(await store.due(0, [0], 200)).toEqual(['a', 'c', 'd'])
        expect(await store.due(0, [0], Number.MAX_SAFE_INTEGER)).toEqual(['a', 'b', 'c', 'd'])
        expect(await store.due(0, [0], Number.POSITIVE_INFINITY)).toEqual(['a', 'b', 'c', 'd', 'never'])
      })

      it('counts what it finds, over all buckets', async () => {
        await store.fence(0, 'owner-1')
        const accounts = [
          account('a', { dueAt: 100, bucket: 0 }),
          account('b', { dueAt: 200, bucket: DUE_BUCKETS - 1 }),
          account('c', { dueAt: Number.POSITIVE_INFINITY, bucket: 7 }),
        ]
        await store.save(0, write({ accounts }))
        expect(await store.countDue(0, 99)).toBe(0)
        expect(await store.countDue(0, 100)).toBe(1)
        expect(await store.countDue(0, 200)).toBe(2)
        expect(await store.countDue(0, Number.POSITIVE_INFINITY)).toBe(3)
      })

      it('looks into the buckets that are asked for alone', async () => {
        await store.fence(0, 'owner-1')
        const buckets = [0, 1, 2, 128, 255]
        const accounts = buckets.map(bucket => account(`in-${bucket}`, { bucket, dueAt: 100 }))
        await store.save(0, write({ accounts }))
        expect(await store.due(0, [1, 255], 100)).toEqual(['in-1', 'in-255'])
        expect(await store.due(0, [255, 128, 0], 100)).toEqual(['in-0', 'in-128', 'in-255'])
        expect(await store.due(0, [3], Number.POSITIVE_INFINITY)).toEqual([])
        expect(await store.due(0, [], Number.POSITIVE_INFINITY)).toEqual([])
      })

      it('moves an account, so that it never stands there twice', async () => {
        await store.fence(0, 'owner-1')
        const times = [500, 100, Number.POSITIVE_INFINITY, 300, Number.POSITIVE_INFINITY, 300, 200]
        for (const [i, dueAt] of times.entries()) {
          const accounts = [account('a', { dueAt }), account('b', { dueAt: 1_000 })]
          await store.save(0, write({ expectedStoredOffset: i, storedOffset: i + 1, accounts }))
          expect(await store.countDue(0, Number.POSITIVE_INFINITY)).toBe(2)
          expect(await store.due(0, [0], Math.min(dueAt - 1, 10_000))).not.toContain('a')
          expect(await store.due(0, [0], dueAt)).toContain('a')
        }
      })

      it('keeps an account where it stands if its time is not given', async () => {
        await store.fence(0, 'owner-1')
        const first = [account('a', { dueAt: 100 }), account('b', { dueAt: Number.POSITIVE_INFINITY })]
        await store.save(0, write({ storedOffset: 1, accounts: first }))
        const second = [
          account('a', { dueAt: undefined, bytes: bytes(2) }),
          account('b', { dueAt: undefined }),
        ]
        await store.save(0, write({ expectedStoredOffset: 1, storedOffset: 2, accounts: second }))
        expect(await store.due(0, [0], 99)).toEqual([])
        expect(await store.due(0, [0], 100)).toEqual(['a'])
        expect(await store.due(0, [0], Number.POSITIVE_INFINITY)).toEqual(['a', 'b'])
        expect(await loaded(store, 0, ['a'])).toEqual([bytes(2)])
      })
    })

    describe('the counters', () => {
      const counter = (book: string, field: string, delta: number) => ({ book, field, delta })
      const read = async (...books: string[]) =>
        (await store.readCounters(books)).map(found => Object.fromEntries(found))

      it('add up what saves give them, each field of each book on its own', async () => {
        await store.fence(0, 'owner-1')
        const first = [counter('a', 'x', 2), counter('a', 'y', -3), counter('b', 'x', 5)]
        await store.save(0, write({ storedOffset: 1, counters: first }))
        const second = [counter('a', 'x', 40), counter('b', 'x', -6), counter('a', 'x', 1)]
        await store.save(0, write({ expectedStoredOffset: 1, storedOffset: 2, counters: second }))
        expect(await read('b', 'missing', 'a', 'b')).toEqual([{ x: -1 }, {}, { x: 43, y: -3 }, { x: -1 }])
        expect(await read()).toEqual([])
      })

      it('are gone at 0, and can begin again', async () => {
        await store.fence(0, 'owner-1')
        await store.save(
          0,
          write({ storedOffset: 1, counters: [counter('a', 'x', 2), counter('a', 'y', 1)] }),
        )
        await store.save(
          0,
          write({ expectedStoredOffset: 1, storedOffset: 2, counters: [counter('a', 'x', -2)] }),
        )
        expect(await read('a')).toEqual([{ y: 1 }])
        const others = [counter('a', 'x', 7), counter('a', 'y', -1)]
        await store.save(0, write({ expectedStoredOffset: 2, storedOffset: 3, counters: others }))
        expect(await read('a')).toEqual([{ x: 7 }])
      })

      it('are read over all partitions', async () => {
        await store.claimPartitions(3)
        for (const partition of [0, 1, 2]) {
          await store.fence(partition, 'owner-1')
          const counters = [counter('a', 'x', 10 ** partition), counter('a', `only-${partition}`, 1)]
          await store.save(partition, write({ counters }))
        }
        expect(await read('a')).toEqual([{ x: 111, 'only-0': 1, 'only-1': 1, 'only-2': 1 }])
      })

      it('stay as they are if the save is refused', async () => {
        await store.fence(0, 'owner-1')
        await store.save(0, write({ storedOffset: 5, counters: [counter('a', 'x', 1)] }))
        const again = write({ storedOffset: 5, counters: [counter('a', 'x', 1)] })
        expect(await codeOf(store.save(0, again))).toBe('STORE_MOVED')
        await store.fence(0, 'owner-2')
        const late = write({ expectedStoredOffset: 5, storedOffset: 6, counters: [counter('a', 'x', 1)] })
        expect(await codeOf(store.save(0, late))).toBe('STORE_FENCED')
        expect(await read('a')).toEqual([{ x: 1 }])
      })

      it('keep large numbers, and any name', async () => {
        await store.fence(0, 'owner-1')
        const large = counter('sums', 'large', 9_000_000_000_000_000)
        const names = oddIds.map((name, i) => counter(name, `${name} `, i + 1))
        await store.save(0, write({ storedOffset: 1, counters: [large, ...names] }))
        await store.save(
          0,
          write({ expectedStoredOffset: 1, storedOffset: 2, counters: [counter('sums', 'large', -1)] }),
        )
        expect(await read('sums')).toEqual([{ large: 8_999_999_999_999_999 }])
        expect(await read(...oddIds)).toEqual(oddIds.map((name, i) => ({ [`${name} `]: i + 1 })))
      })

      it('of 10,000 fields are one save', async () => {
        await store.fence(0, 'owner-1')
        const counters = Array.from({ length: 10_000 }, (_, i) => counter('a', `field-${i}`, i + 1))
        await store.save(0, write({ counters }))
        const [found] = await store.readCounters(['a'])
        expect(found?.size).toBe(10_000)
        expect(found?.get('field-9999')).toBe(10_000)
      })

      it('never mix up books whose names run together', async () => {
        await store.fence(0, 'owner-1')
        const counters = [
          counter('a', 'b:c', 1),
          counter('a:b', 'c', 2),
          counter('ab', 'c', 3),
          counter('', 'a', 4),
        ]
        await store.save(0, write({ counters }))
        expect(await read('a', 'a:b', 'ab', '')).toEqual([{ 'b:c': 1 }, { c: 2 }, { c: 3 }, { a: 4 }])
      })

      it('of a store that was emptied begin again', async context => {
        if (opened.empty === undefined) return context.skip()
        await store.fence(0, 'owner-1')
        await store.save(0, write({ storedOffset: 5, counters: [counter('a', 'x', 3)] }))
        await opened.empty()
        expect(await read('a')).toEqual([{}])
        await store.fence(0, 'owner-2')
        await store.save(0, write({ fencingToken: 'owner-2', counters: [counter('a', 'x', 1)] }))
        expect(await read('a')).toEqual([{ x: 1 }])
      })
    })

    describe('the ranked list', () => {
      it('goes by score and, where it is equal, by the bytes of the id', async () => {
        await saveListings(store, [
          listing('b', 50),
          listing('a', 50),
          listing('é', 50),
          listing('z', 50),
          listing('B', 50),
          listing('low', 1.5),
          listing('negative', -20),
          listing('zero', 0),
          listing('high', 99.999999),
        ])
        const ascending = ['negative', 'zero', 'low', 'B', 'a', 'b', 'z', 'é', 'high']
        const lowest = await store.list(query({ order: 'lowest-first' }))
        expect(lowest.map(each => each.accountId)).toEqual(ascending)
        expect(lowest[0]).toEqual(listing('negative', -20))
        const highest = await store.list(query({ order: 'highest-first' }))
        expect(highest.map(each => each.accountId)).toEqual(ascending.toReversed())
      })

      it('gives every account once over its pages, in both orders, also where all scores are equal', async () => {
        const listings = Array.from({ length: 57 }, (_, i) => listing(`id-${i}`, i < 40 ? 70 : i % 4))
        await saveListings(store, listings)
        const ascending = listings.toSorted(byScoreAndId)
        for (const limit of [1, 2, 7, 40, 57, 58]) {
          expect(await everyPage(store, query({ order: 'lowest-first', limit }))).toEqual(ascending)
          const descending = await everyPage(store, query({ order: 'highest-first', limit }))
          expect(descending).toEqual(ascending.toReversed())
        }
      })

      it('starts after a place where nobody stands any more', async () => {
        await saveListings(store, [listing('a', 10), listing('c', 10), listing('d', 20)])
        const after = { score: 10, accountId: 'b' }
        expect(idsOf(await store.list(query({ order: 'lowest-first', after })))).toEqual(['c', 'd'])
        expect(idsOf(await store.list(query({ order: 'highest-first', after })))).toEqual(['a'])
        const beyond = { score: 1_000, accountId: 'x' }
        expect(await store.list(query({ order: 'lowest-first', after: beyond }))).toEqual([])
        expect(await store.list(query({ order: 'highest-first', after: beyond }))).toHaveLength(3)
      })

      it('holds back scores below the lowest that is asked for, that one included', async () => {
        await saveListings(store, [
          listing('a', 9.999999),
          listing('b', 10),
          listing('c', 10),
          listing('d', 20),
        ])
        for (const order of ['lowest-first', 'highest-first'] as const) {
          const found = await everyPage(store, query({ order, minScore: 10, limit: 1 }))
          expect(idsOf(found).toSorted()).toEqual(['b', 'c', 'd'])
          expect(await store.list(query({ order, minScore: 20.5 }))).toEqual([])
        }
        const after = { score: 5, accountId: 'x' }
        const found = await store.list(query({ order: 'lowest-first', minScore: 10, after }))
        expect(idsOf(found)).toEqual(['b', 'c', 'd'])
      })

      it('merges tiers and partitions, and leaves out other tiers and models', async () => {
        await saveListings(
          store,
          [listing('a', 10, 'hot'), listing('b', 40, 'warm'), listing('c', 20, 'cold')],
          0,
        )
        await saveListings(store, [listing('d', 15, 'warm'), listing('e', 40, 'hot')], 1)
        await saveListings(store, [{ ...listing('f', 30, 'hot'), list: 'other' }], 2)
        const both = query({ tiers: ['warm', 'hot'], order: 'highest-first' })
        expect(await store.list(both)).toEqual([
          listing('e', 40, 'hot'),
          listing('b', 40, 'warm'),
          listing('d', 15, 'warm'),
          listing('a', 10, 'hot'),
        ])
        expect(idsOf(await everyPage(store, { ...both, limit: 1 }))).toEqual(['e', 'b', 'd', 'a'])
        expect(idsOf(await everyPage(store, { ...both, order: 'lowest-first', limit: 3 }))).toEqual([
          'a',
          'd',
          'b',
          'e',
        ])
        expect(idsOf(await store.list(query({ tiers: ['cold'] })))).toEqual(['c'])
        expect(await store.list(query({ tiers: ['unknown'] }))).toEqual([])
        expect(idsOf(await store.list(query({ list: 'other', tiers: ['hot'] })))).toEqual(['f'])
      })

      it('never mixes up models and tiers whose names run together', async () => {
        await saveListings(store, [
          { list: 'm', tier: 'ab', score: 1, accountId: 'first' },
          { list: 'ma', tier: 'b', score: 2, accountId: 'second' },
          { list: 'm:a', tier: 'b', score: 3, accountId: 'third' },
          { list: 'm', tier: 'a:b', score: 4, accountId: 'fourth' },
        ])
        const found = async (list: string, tier: string) =>
          idsOf(await store.list(query({ list, tiers: [tier] })))
        expect(await found('m', 'ab')).toEqual(['first'])
        expect(await found('ma', 'b')).toEqual(['second'])
        expect(await found('m:a', 'b')).toEqual(['third'])
        expect(await found('m', 'a:b')).toEqual(['fourth'])
        expect(await found('m', 'a')).toEqual([])
      })

      it('moves an account by what is removed and added', async () => {
        await saveListings(store, [listing('a', 10, 'cold'), listing('b', 20, 'cold')])
        const moved = account('a', {
          listingsRemoved: [listing('a', 10, 'cold')],
          listingsAdded: [listing('a', 30, 'hot')],
        })
        await store.save(0, write({ expectedStoredOffset: 1, storedOffset: 2, accounts: [moved] }))
        expect(idsOf(await store.list(query({ tiers: ['cold'] })))).toEqual(['b'])
        expect(await store.list(query({ tiers: ['hot', 'cold'] }))).toEqual([
          listing('a', 30, 'hot'),
          listing('b', 20, 'cold'),
        ])
      })

      it('forgives what is removed and is not there, and what is added again', async () => {
        await saveListings(store, [listing('a', 10)])
        const again = account('a', {
          listingsRemoved: [listing('a', 77), listing('a', 10)],
          listingsAdded: [listing('a', 10), listing('a', 10)],
        })
        await store.save(0, write({ expectedStoredOffset: 1, storedOffset: 2, accounts: [again] }))
        expect(await store.list(query({}))).toEqual([listing('a', 10)])
      })

      it('ends a page at the limit', async () => {
        await saveListings(store, [listing('a', 1, 'hot'), listing('b', 2, 'cold'), listing('c', 3, 'hot')])
        expect(idsOf(await store.list(query({ tiers: ['hot', 'cold'], limit: 2 })))).toEqual(['c', 'b'])
      })
    })

    describe('a watermark', () => {
      it('is read without the state', async () => {
        expect(await store.readStoredOffset(3)).toBe(0)
        await store.fence(3, 'owner-1')
        expect(await store.readStoredOffset(3)).toBe(0)
        await store.save(3, write({ storedOffset: 2 ** 40 + 7, state: bytes(1) }))
        expect(await store.readStoredOffset(3)).toBe(2 ** 40 + 7)
        expect(await store.readStoredOffset(2)).toBe(0)
      })
    })

    describe('the counters of one partition', () => {
      it('are ordered by book and field, and none of another partition', async () => {
        expect(await store.readPartitionCounters(1)).toEqual([])
        for (const partition of [0, 1, 2, 256]) {
          await store.fence(partition, 'owner-1')
          const names = ['b', 'aa', 'a', '', 'é', `only ${partition}`]
          const counters = names.flatMap(book =>
            ['y', 'x', '', 'xx'].map(field => ({ book, field, delta: partition + 1 })),
          )
          await store.save(partition, write({ counters }))
        }
        const found = await store.readPartitionCounters(1)
        const expected = ['', 'a', 'aa', 'b', 'only 1', 'é'].flatMap(book =>
          ['', 'x', 'xx', 'y'].map(field => ({ book, field, delta: 2 })),
        )
        expect(found).toEqual(expected)
      })

      it('are what all saves come to, without those at 0', async () => {
        await store.fence(0, 'owner-1')
        const first = [
          { book: 'a', field: 'x', delta: 2 },
          { book: 'b', field: 'x', delta: 3 },
          { book: 'b', field: 'y', delta: 4 },
        ]
        await store.save(0, write({ storedOffset: 1, counters: first }))
        const second = [
          { book: 'a', field: 'x', delta: -2 },
          { book: 'b', field: 'x', delta: -3 },
          { book: 'b', field: 'y', delta: -5 },
        ]
        await store.save(0, write({ expectedStoredOffset: 1, storedOffset: 2, counters: second }))
        expect(await store.readPartitionCounters(0)).toEqual([{ book: 'b', field: 'y', delta: -1 }])
        const third = [{ book: 'a', field: 'x', delta: 9 }]
        await store.save(0, write({ expectedStoredOffset: 2, storedOffset: 3, counters: third }))
        expect(await store.readPartitionCounters(0)).toEqual([
          { book: 'a', field: 'x', delta: 9 },
          { book: 'b', field: 'y', delta: -1 },
        ])
      })

      it('are all there, however many books and fields there are', async () => {
        await store.fence(0, 'owner-1')
        await store.fence(1, 'owner-1')
        const names = Array.from({ length: 2_500 }, (_, i) => `name ${String(i).padStart(4, '0')}`)
        const counters = [
          ...names.map(field => ({ book: 'a book', field, delta: 1 })),
          ...names.map(book => ({ book, field: 'a field', delta: 2 })),
        ]
        await store.save(0, write({ counters }))
        await store.save(1, write({ counters: counters.map(each => ({ ...each, delta: 3 })) }))
        expect(await store.readPartitionCounters(0)).toEqual(counters)
      })

      it('may have any names', async () => {
        await store.fence(0, 'owner-1')
        const counters = oddIds.map((name, i) => ({ book: name, field: `${name} `, delta: i + 1 }))
        await store.save(0, write({ counters }))
        const found = await store.readPartitionCounters(0)
        expect(found).toHaveLength(oddIds.length)
        expect(new Set(found)).toEqual(new Set(counters))
      })
    })

    describe('clearing a partition', () => {
      it('is refused to all but its owner, and then removes nothing', async () => {
        const nobody = store.clear(0, 'owner-1')
        expect(await codeOf(nobody)).toBe('STORE_FENCED')
        await fillPartition(store, 0)
        await store.fence(0, 'owner-2')
        const refused = store.clear(0, 'owner-1')
        expect(await codeOf(refused)).toBe('STORE_FENCED')
        await expect(refused).rejects.toThrow(/owner-2/)
        await expectFull(store, 0)
        await store.clear(0, 'owner-2')
        await expectEmpty(store, 0)
      })

      it('removes all of it, and leaves the others alone', async () => {
        for (const partition of [0, 1, 10, 256]) await fillPartition(store, partition)
        await store.claimPartitions(257)
        await store.clear(1, 'owner-1')
        await expectEmpty(store, 1)
        for (const partition of [0, 10, 256]) await expectFull(store, partition)
        expect(await store.partitions()).toBe(257)
      })

      it('lets its owner begin again at 0, and nobody else', async () => {
        await fillPartition(store, 0)
        await store.clear(0, 'owner-1')
        const stale = write({ expectedStoredOffset: 7, storedOffset: 8 })
        expect(await codeOf(store.save(0, stale))).toBe('STORE_MOVED')
        const foreign = write({ fencingToken: 'owner-2', storedOffset: 8 })
        expect(await codeOf(store.save(0, foreign))).toBe('STORE_FENCED')
        await fillPartition(store, 0, { isFenced: true })
        await expectFull(store, 0)
      })

      it('that is empty, and again, changes nothing', async () => {
        await store.fence(0, 'owner-1')
        await store.clear(0, 'owner-1')
        await fillPartition(store, 0)
        await store.clear(0, 'owner-1')
        await store.clear(0, 'owner-1')
        await expectEmpty(store, 0)
      })

      it('of many accounts with any id leaves none', async () => {
        await store.fence(0, 'owner-1')
        await store.fence(1, 'owner-1')
        for (const partition of [0, 1]) {
          const ids = [...oddIds, ...Array.from({ length: 2_500 }, (_, i) => `account-${i}`)]
          const accounts = ids.map((id, i) =>
            account(`${id} of ${partition}`, {
              bucket: i % DUE_BUCKETS,
              dueAt: i % 3 === 0 ? Number.POSITIVE_INFINITY : i,
              listingsAdded: [listing(`${id} of ${partition}`, i % 50)],
            }),
          )
          const userChunks = accounts.map(({ accountId }) => ({ accountId, chunk: '0', bytes: bytes(1) }))
          await store.save(partition, write({ accounts, userChunks }))
        }
        await store.clear(0, 'owner-1')
        expect(await store.countDue(0, Number.POSITIVE_INFINITY)).toBe(0)
        const count = 2_500 + oddIds.length
        expect(await store.countDue(1, Number.POSITIVE_INFINITY)).toBe(count)
        const listed = await everyPage(store, query({ limit: 1_000 }))
        expect(listed).toHaveLength(count)
        expect(listed.every(({ accountId }) => accountId.endsWith(' of 1'))).toBe(true)
        const left = listed.map(({ accountId }) => accountId)
        expect((await store.load(1, left)).every(found => found !== undefined)).toBe(true)
        const gone = left.map(id => id.replace(/1$/, '0'))
        expect((await store.load(0, gone)).every(found => found === undefined)).toBe(true)
        const chunks = gone.map(accountId => ({ accountId, chunk: '0' }))
        expect((await store.loadUserChunks(0, chunks)).every(found => found === undefined)).toBe(true)
      }, 60_000)
    })

    describe('a namespace', () => {
      it('shares nothing with another one', async () => {
        const other = opened.inNamespace('other')
        await fillPartition(store, 0)
        await store.claimPartitions(4)
        await expectEmpty(other, 0)
        expect(await other.partitions()).toBeUndefined()
        await fillPartition(other, 0, { fencingToken: 'owner-2' })
        await other.claimPartitions(8)
        await expectFull(store, 0)
        await expectFull(other, 0)
        await store.clear(0, 'owner-1')
        await expectEmpty(store, 0)
        await expectFull(other, 0)
        expect([await store.partitions(), await other.partitions()]).toEqual([4, 8])
        await other.drop()
      })

      it('that was dropped is as if it had never been', async () => {
        const [one, two, below] = ['one', 'one*', 'one/below'].map(name => opened.inNamespace(name))
        for (const each of [store, one!, two!, below!]) {
          for (const partition of [0, 1]) await fillPartition(each, partition)
          await each.claimPartitions(2)
        }
        await one!.drop()
        for (const partition of [0, 1]) await expectEmpty(one!, partition)
        expect(await one!.partitions()).toBeUndefined()
        const saved = one!.save(0, write({ expectedStoredOffset: 7, storedOffset: 8 }))
        expect(['STORE_FENCED', 'STORE_MOVED']).toContain(await codeOf(saved))
        for (const each of [store, two!, below!]) {
          for (const partition of [0, 1]) await expectFull(each, partition)
          expect(await each.partitions()).toBe(2)
        }
        await two!.drop()
        for (const partition of [0, 1]) await expectFull(below!, partition)

        await one!.claimPartitions(3)
        await fillPartition(one!, 2)
        await expectFull(one!, 2)
        for (const each of [one!, below!]) await each.drop()
      })

      it('that was never written can be dropped', async () => {
        const other = opened.inNamespace('never')
        await other.drop()
        expect(await other.partitions()).toBeUndefined()
      })
    })

    describe('as a whole', () => {
      it('writes down the number of partitions once', async () => {
        expect(await store.partitions()).toBeUndefined()
        await store.claimPartitions(8)
        expect(await store.partitions()).toBe(8)
        await store.claimPartitions(8)
        const refused = store.claimPartitions(16)
        expect(await codeOf(refused)).toBe('PARTITIONS_CHANGED')
        await expect(refused).rejects.toThrow(/8.*16/s)
        expect(await store.partitions()).toBe(8)
      })

      it('answers a ping and tells its size', async () => {
        await store.ping()
        await store.fence(0, 'owner-1')
        await store.save(0, write({ accounts: [account('a', { bytes: Buffer.alloc(10_000, 1) })] }))
        expect(await store.sizeBytes()).toBeGreaterThan(0)
      })
    })
  })
}

const everyBucket = Array.from({ length: DUE_BUCKETS }, (_, bucket) => bucket)

const oddIds = [
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

function write(parts: Partial<PartitionWrite>): PartitionWrite {
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

function account(accountId: string, parts: Partial<AccountWrite> = {}): AccountWrite {
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

function listing(accountId: string, score: number, tier = 'hot'): Listing {
  return { list: 'model', tier, score, accountId }
}

function query(parts: Partial<ListQuery>): ListQuery {
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

/** As the first save of the partition: watermark 0 to 1. */
async function saveListings(store: AccountStore, listings: readonly Listing[], partition = 0): Promise<void> {
  await store.fence(partition, 'owner-1')
  const accounts = listings.map(each => account(each.accountId, { listingsAdded: [each] }))
  await store.save(partition, write({ accounts }))
}

/** Two accounts, named after the partition, in every index; with a state, user chunks and counters, at watermark 7. */
async function fillPartition(
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

/** Expects of a partition what `fillPartition` wrote. */
async function expectFull(store: AccountStore, partition: number): Promise<void> {
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

/** Expects nothing there of what `fillPartition` writes. */
async function expectEmpty(store: AccountStore, partition: number): Promise<void> {
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

/** All pages of the query, one after the other, as a client would follow them. */
async function everyPage(store: AccountStore, first: ListQuery): Promise<Listing[]> {
  const all: Listing[] = []
  for (let after = first.after; ; after = all.at(-1)) {
    const page = await store.list({ ...first, after })
    expect(page.length).toBeLessThanOrEqual(first.limit)
    all.push(...page)
    if (page.length < first.limit) return all
  }
}

async function loaded(store: AccountStore, partition: number, ids: readonly string[]) {
  return (await store.load(partition, ids)).map(plainBytes)
}

async function codeOf(refused: Promise<unknown>): Promise<string> {
  try {
    await refused
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(UpswellError)
    return (thrown as UpswellError).code
  }
  return 'nothing was thrown'
}

function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values)
}

/** A Buffer does not equal a Uint8Array of the same bytes. */
function plainBytes(value: Uint8Array | undefined): Uint8Array | undefined {
  return value && new Uint8Array(value)
}

function plain(stored: { readonly storedOffset: number; readonly state: Uint8Array | undefined }) {
  return { storedOffset: stored.storedOffset, state: plainBytes(stored.state) }
}

function idsOf(listings: readonly Listing[]): string[] {
  return listings.map(each => each.accountId)
}

function byUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function byScoreAndId(a: Listing, b: Listing): number {
  return a.score - b.score || byUtf8(a.accountId, b.accountId)
}
