import { beforeEach, describe, expect, it } from 'vitest'
import type { AccountStore } from '../../../src/store/store.ts'
import { codeOf, type OpenedStore, oddIds, write } from './store-fixtures.ts'

export function countersContract(opened: () => OpenedStore): void {
  let store: AccountStore

  beforeEach(() => {
    store = opened().store
  })

  describe('the counters', () => {
    const counter = (book: string, field: string, delta: number) => ({ book, field, delta })
    const read = async (...books: string[]) =>
      (await store.readCounters(books)).map(found => Object.fromEntries(found))

    it('add up the deltas of all saves, for each field of each book', async () => {
      await store.fence(0, 'owner-1')
      const first = [counter('a', 'x', 2), counter('a', 'y', -3), counter('b', 'x', 5)]
      await store.save(0, write({ storedOffset: 1, counters: first }))
      const second = [counter('a', 'x', 40), counter('b', 'x', -6), counter('a', 'x', 1)]
      await store.save(0, write({ expectedStoredOffset: 1, storedOffset: 2, counters: second }))
      expect(await read('b', 'missing', 'a', 'b')).toEqual([{ x: -1 }, {}, { x: 43, y: -3 }, { x: -1 }])
      expect(await read()).toEqual([])
    })

    it('disappear at 0, and can start again', async () => {
      await store.fence(0, 'owner-1')
      await store.save(0, write({ storedOffset: 1, counters: [counter('a', 'x', 2), counter('a', 'y', 1)] }))
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

    it('do not change if the save is refused', async () => {
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

    it('take 10,000 fields in one save', async () => {
      await store.fence(0, 'owner-1')
      const counters = Array.from({ length: 10_000 }, (_, i) => counter('a', `field-${i}`, i + 1))
      await store.save(0, write({ counters }))
      const [found] = await store.readCounters(['a'])
      expect(found?.size).toBe(10_000)
      expect(found?.get('field-9999')).toBe(10_000)
    })

    it('keep books apart whose names run together', async () => {
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

    it('start again after the store was emptied', async context => {
      if (opened().empty === undefined) return context.skip()
      await store.fence(0, 'owner-1')
      await store.save(0, write({ storedOffset: 5, counters: [counter('a', 'x', 3)] }))
      await opened().empty?.()
      expect(await read('a')).toEqual([{}])
      await store.fence(0, 'owner-2')
      await store.save(0, write({ fencingToken: 'owner-2', counters: [counter('a', 'x', 1)] }))
      expect(await read('a')).toEqual([{ x: 1 }])
    })
  })

  describe('the counters of one partition', () => {
    it('are ordered by book and field, without counters of other partitions', async () => {
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

    it('are the sums over all saves, without counters at 0', async () => {
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

    it('are complete for thousands of books and fields', async () => {
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
}
