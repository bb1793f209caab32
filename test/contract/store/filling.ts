import { beforeEach, describe, expect, it } from 'vitest'
import type { AccountStore, PartitionWrite } from '../../../src/store/store.ts'
import {
  account,
  bytes,
  codeOf,
  expectEmpty,
  fillPartition,
  loaded,
  type OpenedStore,
  plain,
  write,
} from './store-fixtures.ts'

export function fillingContract(opened: () => OpenedStore): void {
  let store: AccountStore

  /** Writes part 1 to `parts` of a filling, one account in each. */
  async function fill(parts: number): Promise<void> {
    for (let part = 1; part <= parts; part++) await store.save(0, partWrite(part))
  }

  beforeEach(() => {
    store = opened().store
  })

  describe('a filling', () => {
    beforeEach(async () => {
      await store.fence(0, 'owner-1')
    })

    it('leaves the stored offset at 0 until its last part', async () => {
      await store.clear(0, 'owner-1')
      await store.save(0, partWrite(1, { state: bytes(9) }))
      await store.save(0, partWrite(2))
      expect(await store.readStoredOffset(0)).toBe(0)
      expect(plain(await store.readPartition(0))).toEqual({ storedOffset: 0, state: bytes(9) })
      await store.save(0, partWrite(3, { storedOffset: 40 }))
      expect(plain(await store.readPartition(0))).toEqual({ storedOffset: 40, state: bytes(9) })
      expect(await loaded(store, 0, ['a1', 'a2', 'a3'])).toEqual([bytes(1), bytes(2), bytes(3)])
      await store.save(0, write({ expectedStoredOffset: 40, storedOffset: 41 }))
      expect(await store.readStoredOffset(0)).toBe(41)
    })

    it('may have one part', async () => {
      await store.save(0, partWrite(1, { storedOffset: 7 }))
      expect(await store.readStoredOffset(0)).toBe(7)
    })

    it.each([1, 2, 4, 5])('refuses part %i where part 3 follows, and writes nothing of it', async part => {
      await fill(2)
      const accounts = [account('late')]
      const late = partWrite(part, { accounts, state: bytes(1), storedOffset: part === 5 ? 9 : 0 })
      expect(await codeOf(store.save(0, late))).toBe('STORE_MOVED')
      expect(await loaded(store, 0, ['late'])).toEqual([undefined])
      expect(await store.readPartition(0)).toEqual({ storedOffset: 0, state: undefined })
      await store.save(0, partWrite(3, { storedOffset: 9 }))
    })

    it('refuses a write that is no part, even if it expects the stored offset 0', async () => {
      await fill(1)
      expect(await codeOf(store.save(0, write({ storedOffset: 5 })))).toBe('STORE_MOVED')
    })

    it('is refused where records are stored', async () => {
      await store.save(0, write({ storedOffset: 5 }))
      for (const part of [1, 4, 5, 6])
        expect(await codeOf(store.save(0, partWrite(part)))).toBe('STORE_MOVED')
    })

    it('of an earlier owner is read as the stored offset 0, and is cleared before the next', async () => {
      await fill(2)
      expect((await store.fence(0, 'owner-2')).storedOffset).toBe(0)
      const next = { fencingToken: 'owner-2' }
      expect(await codeOf(store.save(0, partWrite(1, next)))).toBe('STORE_MOVED')
      expect(await codeOf(store.save(0, write({ ...next, storedOffset: 5 })))).toBe('STORE_MOVED')
      await store.clear(0, 'owner-2')
      await expectEmpty(store, 0)
      await store.save(0, partWrite(1, next))
    })
  })

  describe('an interrupted clearing', () => {
    it('is read as the stored offset 0, and nothing is saved before another one has ended', async () => {
      await fillPartition(store, 0)
      // The fence is done after the clearing's first step, and before its second if it has one.
      const clearing = codeOf(store.clear(0, 'owner-1'))
      expect((await store.fence(0, 'owner-2')).storedOffset).toBe(0)
      expect(await clearing).toBe(opened().clearsAtOnce === true ? 'nothing was thrown' : 'STORE_FENCED')
      expect(await store.readPartition(0)).toEqual({ storedOffset: 0, state: undefined })
      const next = { fencingToken: 'owner-2' }
      if (opened().clearsAtOnce === true) {
        await expectEmpty(store, 0)
        await store.save(0, write({ ...next, storedOffset: 5 }))
        return
      }
      expect(await codeOf(store.save(0, write({ ...next, storedOffset: 5 })))).toBe('STORE_MOVED')
      expect(await codeOf(store.save(0, partWrite(1, next)))).toBe('STORE_MOVED')
      await store.clear(0, 'owner-2')
      await expectEmpty(store, 0)
      await store.save(0, write({ ...next, storedOffset: 5 }))
    })
  })
}

function partWrite(part: number, parts: Partial<PartitionWrite> = {}): PartitionWrite {
  const accounts = [account(`a${part}`, { bytes: bytes(part) })]
  return write({ part, storedOffset: 0, accounts, ...parts })
}
