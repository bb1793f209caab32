import { beforeEach, describe, expect, it } from 'vitest'
import type { AccountStore } from '../../../src/store/store.ts'
import { account, bytes, fillPartition, type OpenedStore, plainBytes, write } from './store-fixtures.ts'

const NEVER_FENCED = { position: 0, wholeFrom: undefined, fencingToken: undefined }

export function progressContract(opened: () => OpenedStore): void {
  let store: AccountStore

  async function progressOf(partition: number) {
    const [found] = await store.readProgress([partition])
    // Both ways to read it say the same.
    expect((await store.readAccounts(partition, [])).progress).toEqual(found)
    return found
  }

  beforeEach(() => {
    store = opened().store
  })

  describe("a partition's progress", () => {
    it('is empty before anybody has fenced the partition', async () => {
      expect(await progressOf(0)).toEqual(NEVER_FENCED)
      expect(await store.readProgress([])).toEqual([])
    })

    it('says who owns it, how far it is, and from which offset it is whole', async () => {
      await store.fence(0, 'owner-1', 7)
      expect(await progressOf(0)).toEqual({ position: 0, wholeFrom: 7, fencingToken: 'owner-1' })
      await store.save(0, write({ storedOffset: 5 }))
      expect(await progressOf(0)).toEqual({ position: 5, wholeFrom: 7, fencingToken: 'owner-1' })
      await store.fence(0, 'owner-2')
      expect(await progressOf(0)).toEqual({ position: 5, wholeFrom: 0, fencingToken: 'owner-2' })
    })

    it('counts the parts of a filling, and keeps the owner and its offset when it is cleared', async () => {
      await fillPartition(store, 0)
      await store.fence(0, 'owner-1', 7)
      await store.clear(0, 'owner-1')
      expect(await progressOf(0)).toEqual({ position: 0, wholeFrom: 7, fencingToken: 'owner-1' })
      await store.save(0, write({ part: 1, storedOffset: 0 }))
      expect(await progressOf(0)).toEqual({ position: -2, wholeFrom: 7, fencingToken: 'owner-1' })
    })

    it('is that of each partition, in the order asked', async () => {
      await store.fence(2, 'of 2', 22)
      await store.fence(0, 'of 0', 20)
      const found = await store.readProgress([2, 1, 0])
      expect(found.map(({ fencingToken, wholeFrom }) => [fencingToken, wholeFrom])).toEqual([
        ['of 2', 22],
        [undefined, undefined],
        ['of 0', 20],
      ])
    })

    it('is gone with everything else when the store is dropped', async () => {
      await store.fence(0, 'owner-1', 7)
      await store.drop()
      expect(await progressOf(0)).toEqual(NEVER_FENCED)
    })

    it('comes with the accounts, in the order asked', async () => {
      await store.fence(0, 'owner-1', 7)
      const accounts = [account('a', { bytes: bytes(1) }), account('b', { bytes: bytes(2) })]
      await store.save(0, write({ storedOffset: 5, accounts }))
      const found = await store.readAccounts(0, ['b', 'none', 'a', 'b'])
      expect(found.accounts.map(plainBytes)).toEqual([bytes(2), undefined, bytes(1), bytes(2)])
      expect(found.progress).toEqual({ position: 5, wholeFrom: 7, fencingToken: 'owner-1' })
    })
  })
}
