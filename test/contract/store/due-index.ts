import { beforeEach, describe, expect, it } from 'vitest'
import { DUE_BUCKETS } from '../../../src/scoring/due-slices.ts'
import type { AccountStore } from '../../../src/store/store.ts'
import { account, bytes, loaded, type OpenedStore, write } from './store-fixtures.ts'

export function dueIndexContract(opened: () => OpenedStore): void {
  let store: AccountStore

  beforeEach(() => {
    store = opened().store
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

    it('reads and counts a range, both ends included', async () => {
      await store.fence(0, 'owner-1')
      const far = 2 ** 50
      const accounts = [
        account('soon', { dueAt: 100 }),
        account('first', { dueAt: far + 100 }),
        account('last', { dueAt: 2 ** 51 }),
        account('never', { dueAt: Number.POSITIVE_INFINITY }),
      ]
      await store.save(0, write({ accounts }))
      expect(await store.due(0, [0], 2 ** 51, far)).toEqual(['first', 'last'])
      expect(await store.due(0, [0], far + 100, far + 100)).toEqual(['first'])
      expect(await store.due(0, [0], 2 ** 51, far + 101)).toEqual(['last'])
      expect(await store.due(0, [0], far - 1)).toEqual(['soon'])
      expect(await store.countDue(0, 2 ** 51, far)).toBe(2)
      expect(await store.countDue(0, far + 99, far)).toBe(0)
      expect(await store.countDue(0, far - 1)).toBe(1)
    })

    it('reads only the buckets asked for', async () => {
      await store.fence(0, 'owner-1')
      const buckets = [0, 1, 2, 128, 255]
      const accounts = buckets.map(bucket => account(`in-${bucket}`, { bucket, dueAt: 100 }))
      await store.save(0, write({ accounts }))
      expect(await store.due(0, [1, 255], 100)).toEqual(['in-1', 'in-255'])
      expect(await store.due(0, [255, 128, 0], 100)).toEqual(['in-0', 'in-128', 'in-255'])
      expect(await store.due(0, [1, 1, 255, 1], 100)).toEqual(['in-1', 'in-255'])
      expect(await store.due(0, [3], Number.POSITIVE_INFINITY)).toEqual([])
      expect(await store.due(0, [], Number.POSITIVE_INFINITY)).toEqual([])
    })

    it('moves an account, and never holds it twice', async () => {
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

    it('keeps the due time of an account that is saved without one', async () => {
      await store.fence(0, 'owner-1')
      const first = [account('a', { dueAt: 100 }), account('b', { dueAt: Number.POSITIVE_INFINITY })]
      await store.save(0, write({ storedOffset: 1, accounts: first }))
      const second = [account('a', { dueAt: undefined, bytes: bytes(2) }), account('b', { dueAt: undefined })]
      await store.save(0, write({ expectedStoredOffset: 1, storedOffset: 2, accounts: second }))
      expect(await store.due(0, [0], 99)).toEqual([])
      expect(await store.due(0, [0], 100)).toEqual(['a'])
      expect(await store.due(0, [0], Number.POSITIVE_INFINITY)).toEqual(['a', 'b'])
      expect(await loaded(store, 0, ['a'])).toEqual([bytes(2)])
    })
  })
}
