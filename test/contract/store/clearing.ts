import { beforeEach, describe, expect, it } from 'vitest'
import { DUE_BUCKETS } from '../../../src/scoring/due-slices.ts'
import type { AccountStore } from '../../../src/store/store.ts'
import {
  account,
  bytes,
  codeOf,
  everyPage,
  expectEmpty,
  expectFull,
  fillPartition,
  listing,
  type OpenedStore,
  oddIds,
  query,
  write,
} from './store-fixtures.ts'

export function clearingContract(opened: () => OpenedStore): void {
  let store: AccountStore

  beforeEach(() => {
    store = opened().store
  })

  describe('clearing a partition', () => {
    it('is refused to another fencing token, and then removes nothing', async () => {
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

    it('removes everything of it, and nothing of other partitions', async () => {
      for (const partition of [0, 1, 10, 256]) await fillPartition(store, partition)
      await store.claimPartitions(257)
      await store.clear(1, 'owner-1')
      await expectEmpty(store, 1)
      for (const partition of [0, 10, 256]) await expectFull(store, partition)
      expect(await store.partitions()).toBe(257)
    })

    it('keeps the fencing token: its holder starts again at 0, and nobody else', async () => {
      await fillPartition(store, 0)
      await store.clear(0, 'owner-1')
      const stale = write({ expectedStoredOffset: 7, storedOffset: 8 })
      expect(await codeOf(store.save(0, stale))).toBe('STORE_MOVED')
      const foreign = write({ fencingToken: 'owner-2', storedOffset: 8 })
      expect(await codeOf(store.save(0, foreign))).toBe('STORE_FENCED')
      await fillPartition(store, 0, { isFenced: true })
      await expectFull(store, 0)
    })

    it('has no effect on an empty partition, or the second time', async () => {
      await store.fence(0, 'owner-1')
      await store.clear(0, 'owner-1')
      await fillPartition(store, 0)
      await store.clear(0, 'owner-1')
      await store.clear(0, 'owner-1')
      await expectEmpty(store, 0)
    })

    it('removes thousands of accounts with any id', async () => {
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
      const other = opened().inNamespace('other')
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

    it('is empty after it was dropped, and can be used again', async () => {
      const [one, two, below] = ['one', 'one*', 'one/below'].map(name => opened().inNamespace(name))
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

    it('can be dropped before it was ever written', async () => {
      const other = opened().inNamespace('never')
      await other.drop()
      expect(await other.partitions()).toBeUndefined()
    })
  })

  describe('as a whole', () => {
    it('stores the number of partitions once', async () => {
      expect(await store.partitions()).toBeUndefined()
      await store.claimPartitions(8)
      expect(await store.partitions()).toBe(8)
      await store.claimPartitions(8)
      const refused = store.claimPartitions(16)
      expect(await codeOf(refused)).toBe('PARTITIONS_CHANGED')
      await expect(refused).rejects.toThrow(/8.*16/s)
      expect(await store.partitions()).toBe(8)
    })

    it('answers a ping and reports its size', async () => {
      await store.ping()
      await store.fence(0, 'owner-1')
      await store.save(0, write({ accounts: [account('a', { bytes: Buffer.alloc(10_000, 1) })] }))
      expect(await store.sizeBytes()).toBeGreaterThan(0)
    })
  })
}
