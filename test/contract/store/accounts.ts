import { beforeEach, describe, expect, it } from 'vitest'
import type { AccountStore, UserChunkKey } from '../../../src/store/store.ts'
import {
  account,
  bytes,
  byUtf8,
  everyBucket,
  everyPage,
  listing,
  loaded,
  type OpenedStore,
  oddIds,
  plain,
  plainBytes,
  query,
  write,
} from './store-fixtures.ts'

export function accountsContract(opened: () => OpenedStore): void {
  let store: AccountStore

  beforeEach(() => {
    store = opened().store
  })

  describe('accounts', () => {
    it('are loaded in the order asked, undefined if unknown', async () => {
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

    it('do not change after they were loaded', async () => {
      await store.fence(0, 'owner-1')
      await store.save(0, write({ storedOffset: 1, accounts: [account('a', { bytes: bytes(1, 1) })] }))
      const [before] = await store.load(0, ['a'])
      const accounts = [account('a', { bytes: bytes(2, 2) })]
      await store.save(0, write({ expectedStoredOffset: 1, storedOffset: 2, accounts }))
      expect(await loaded(store, 0, ['a'])).toEqual([bytes(2, 2)])
      expect(plainBytes(before)).toEqual(bytes(1, 1))
    })

    it('may be given as a view into a larger array', async () => {
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
    it('are loaded in the order asked, undefined if unknown', async () => {
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

    it('keep accounts apart whose names run together', async () => {
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

    it('are removed by a later save, and nothing else is', async () => {
      await store.fence(0, 'owner-1')
      const keys = ['i.0', 'i.7f', '0', 'unknown'].map(chunk => ({ accountId: 'a', chunk }))
      const other = { accountId: 'a:', chunk: 'i.0' }
      const [removed, replaced, kept, unknown] = keys as [
        UserChunkKey,
        UserChunkKey,
        UserChunkKey,
        UserChunkKey,
      ]
      const before = [removed, replaced, kept, other].map(key => ({ ...key, bytes: bytes(1) }))
      const accounts = [account('a', { bytes: bytes(5) })]
      await store.save(0, write({ storedOffset: 1, accounts, userChunks: before }))
      const userChunks = [
        { ...removed, bytes: undefined },
        { ...replaced, bytes: bytes(2) },
        { ...unknown, bytes: undefined },
      ]
      const counters = [{ book: 'days', field: 'x', delta: 1 }]
      await store.save(0, write({ expectedStoredOffset: 1, storedOffset: 2, userChunks, counters }))
      const found = (await store.loadUserChunks(0, [...keys, other])).map(plainBytes)
      expect(found).toEqual([undefined, bytes(2), bytes(1), undefined, bytes(1)])
      expect(await loaded(store, 0, ['a'])).toEqual([bytes(5)])
      expect(await store.readPartitionCounters(0)).toEqual(counters)
      expect(await store.readStoredOffset(0)).toBe(2)
    })

    it('stay when a save that removes them is refused', async () => {
      await store.fence(0, 'owner-1')
      const key = { accountId: 'a', chunk: 'i.0' }
      await store.save(0, write({ storedOffset: 1, userChunks: [{ ...key, bytes: bytes(1) }] }))
      await expect(
        store.save(0, write({ storedOffset: 2, userChunks: [{ ...key, bytes: undefined }] })),
      ).rejects.toThrow()
      expect((await store.loadUserChunks(0, [key])).map(plainBytes)).toEqual([bytes(1)])
    })
  })
}
