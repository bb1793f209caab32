import { beforeEach, describe, expect, it } from 'vitest'
import type { AccountStore } from '../../../src/store/store.ts'
import {
  account,
  byScoreAndId,
  everyPage,
  idsOf,
  listing,
  type OpenedStore,
  query,
  saveListings,
  write,
} from './store-fixtures.ts'

export function rankedListContract(opened: () => OpenedStore): void {
  let store: AccountStore

  beforeEach(() => {
    store = opened().store
  })

  describe('the ranked list', () => {
    it('is ordered by score, then by the bytes of the id', async () => {
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

    it('shows every account once over its pages, in both orders, even if all scores are equal', async () => {
      const listings = Array.from({ length: 57 }, (_, i) => listing(`id-${i}`, i < 40 ? 70 : i % 4))
      await saveListings(store, listings)
      const ascending = listings.toSorted(byScoreAndId)
      for (const limit of [1, 2, 7, 40, 57, 58]) {
        expect(await everyPage(store, query({ order: 'lowest-first', limit }))).toEqual(ascending)
        const descending = await everyPage(store, query({ order: 'highest-first', limit }))
        expect(descending).toEqual(ascending.toReversed())
      }
    })

    it('continues after a row that no longer exists', async () => {
      await saveListings(store, [listing('a', 10), listing('c', 10), listing('d', 20)])
      const after = { score: 10, accountId: 'b' }
      expect(idsOf(await store.list(query({ order: 'lowest-first', after })))).toEqual(['c', 'd'])
      expect(idsOf(await store.list(query({ order: 'highest-first', after })))).toEqual(['a'])
      const beyond = { score: 1_000, accountId: 'x' }
      expect(await store.list(query({ order: 'lowest-first', after: beyond }))).toEqual([])
      expect(await store.list(query({ order: 'highest-first', after: beyond }))).toHaveLength(3)
    })

    it('leaves out scores below minScore, and includes minScore itself', async () => {
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

    it('merges tiers and partitions, and leaves out other tiers and lists', async () => {
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

    it('lists an account once if its tier is named twice', async () => {
      await saveListings(store, [listing('a', 10, 'hot'), listing('b', 40, 'warm')])
      const twice = query({ tiers: ['hot', 'warm', 'hot'], order: 'highest-first' })
      expect(idsOf(await store.list(twice))).toEqual(['b', 'a'])
      expect(idsOf(await everyPage(store, { ...twice, limit: 1 }))).toEqual(['b', 'a'])
    })

    it('keeps lists and tiers apart whose names run together', async () => {
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

    it('moves an account that is removed from one tier and added to another', async () => {
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

    it('ignores the removal of an unknown row and a second addition', async () => {
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
}
