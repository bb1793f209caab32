import { beforeEach, describe, expect, it } from 'vitest'
import { DUE_BUCKETS } from '../../../src/scoring/due-slices.ts'
import type { AccountStore } from '../../../src/store/store.ts'
import {
  account,
  bytes,
  codeOf,
  everyBucket,
  everyPage,
  listing,
  loaded,
  type OpenedStore,
  plain,
  query,
  write,
} from './store-fixtures.ts'

export function savesContract(opened: () => OpenedStore): void {
  let store: AccountStore

  beforeEach(() => {
    store = opened().store
  })

  describe('a partition', () => {
    it('has stored offset 0 and no state before the first save', async () => {
      expect(await store.readPartition(3)).toEqual({ storedOffset: 0, state: undefined })
      expect(await store.fence(3, 'owner-1')).toEqual({ storedOffset: 0, state: undefined })
    })

    it('remembers the stored offset and the state of the last save', async () => {
      await store.fence(0, 'owner-1')
      await store.save(0, write({ storedOffset: 10, state: bytes(1, 2, 3) }))
      await store.save(0, write({ expectedStoredOffset: 10, storedOffset: 25 }))
      const expected = { storedOffset: 25, state: bytes(1, 2, 3) }
      expect(plain(await store.readPartition(0))).toEqual(expected)
      expect(plain(await store.fence(0, 'owner-2'))).toEqual(expected)
    })

    it('has its own stored offset and state', async () => {
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
    it('is refused to an earlier fencing token, and writes nothing', async () => {
      await store.fence(0, 'owner-1')
      await store.fence(0, 'owner-2')
      const refused = store.save(0, write({ storedOffset: 5, accounts: [account('a')] }))
      expect(await codeOf(refused)).toBe('STORE_FENCED')
      expect(await store.load(0, ['a'])).toEqual([undefined])
      expect((await store.readPartition(0)).storedOffset).toBe(0)
      await store.save(0, write({ fencingToken: 'owner-2', storedOffset: 5 }))
    })

    it('is accepted after the partition was fenced again with the same token', async () => {
      await store.fence(0, 'owner-1')
      await store.fence(0, 'owner-1')
      await store.save(0, write({ storedOffset: 5 }))
      expect((await store.readPartition(0)).storedOffset).toBe(5)
    })

    it('is accepted while another partition has another fencing token', async () => {
      await store.fence(0, 'owner-1')
      await store.fence(1, 'owner-2')
      await store.save(0, write({ storedOffset: 5 }))
      await store.save(1, write({ fencingToken: 'owner-2', storedOffset: 6 }))
    })

    it('is refused if it expects another stored offset, and writes nothing', async () => {
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

    it('is refused if the partition was never fenced', async () => {
      const codes = [await codeOf(store.save(0, write({ storedOffset: 5 })))]
      codes.push(await codeOf(store.save(0, write({ expectedStoredOffset: 5, storedOffset: 6 }))))
      for (const code of codes) expect(['STORE_FENCED', 'STORE_MOVED']).toContain(code)
    })

    it('is refused after the store was emptied, until the partition is fenced again', async context => {
      if (opened().empty === undefined) return context.skip()
      await store.fence(0, 'owner-1')
      await store.save(0, write({ storedOffset: 5, accounts: [account('a')] }))
      await opened().empty?.()
      const code = await codeOf(store.save(0, write({ expectedStoredOffset: 5, storedOffset: 6 })))
      expect(['STORE_FENCED', 'STORE_MOVED']).toContain(code)
      expect(await store.fence(0, 'owner-2')).toEqual({ storedOffset: 0, state: undefined })
      expect(await store.due(0, everyBucket, Number.POSITIVE_INFINITY)).toEqual([])
      await store.save(0, write({ fencingToken: 'owner-2', storedOffset: 1 }))
    })

    it('may leave the stored offset as it is', async () => {
      await store.fence(0, 'owner-1')
      await store.save(0, write({ storedOffset: 5 }))
      await store.save(0, write({ expectedStoredOffset: 5, storedOffset: 5, accounts: [account('a')] }))
      expect(await loaded(store, 0, ['a'])).toEqual([bytes(1)])
    })

    it('takes 5,000 accounts at once', async () => {
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

  describe('a stored offset', () => {
    it('is read without the state', async () => {
      expect(await store.readStoredOffset(3)).toBe(0)
      await store.fence(3, 'owner-1')
      expect(await store.readStoredOffset(3)).toBe(0)
      await store.save(3, write({ storedOffset: 2 ** 40 + 7, state: bytes(1) }))
      expect(await store.readStoredOffset(3)).toBe(2 ** 40 + 7)
      expect(await store.readStoredOffset(2)).toBe(0)
    })
  })
}
