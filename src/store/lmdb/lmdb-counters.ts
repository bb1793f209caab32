import { setImmediate } from 'node:timers/promises'
import type { LmdbEnvironment, LmdbTable } from '../../lib/lmdb/lmdb-environment.ts'
import type { CounterBook, CounterChange } from '../../scoring/population/counters.ts'
import { orderedCounters } from '../ordered-counters.ts'
import { afterEvery, bookOf, bookPrefixOf, counterField, counterKey, counterPrefix } from './lmdb-keys.ts'

/** How many counters are read before other work gets its turn: a few ms. */
const COUNTERS_PER_TURN = 2000

/** Adds to a counter, and removes it at 0. Call it within a transaction. */
export function addToCounter(counters: LmdbTable, key: Buffer, delta: number): void {
  const sum = (counters.get(key)?.readDoubleBE(0) ?? 0) + delta
  if (sum === 0) {
    counters.remove(key)
    return
  }
  const value = Buffer.allocUnsafe(8)
  value.writeDoubleBE(sum, 0)
  counters.put(key, value)
}

/** The books' counters, added up over all partitions. */
export async function readBooks(
  environment: LmdbEnvironment,
  table: LmdbTable,
  books: readonly string[],
): Promise<CounterBook[]> {
  const found: CounterBook[] = []
  let left = COUNTERS_PER_TURN
  for (const book of books) {
    const counters = new Map<string, number>()
    found.push(counters)
    const prefix = counterPrefix(book)
    let after: Buffer | undefined
    do {
      // No range stays open between turns: the environment may be closed meanwhile.
      const part = environment.read('STORE_UNAVAILABLE', () =>
        addCounters(table, prefix, after, left, counters),
      )
      after = part.last
      left -= part.count
      if (left > 0) continue
      await setImmediate()
      left = COUNTERS_PER_TURN
    } while (after !== undefined)
  }
  return found
}

/** All counters of a partition, ordered by book and field. */
export async function readPartitionCounters(
  environment: LmdbEnvironment,
  table: LmdbTable,
  partition: number,
): Promise<CounterChange[]> {
  const books = new Map<string, Map<string, number>>()
  let after: Buffer | undefined
  do {
    const part = environment.read('STORE_UNAVAILABLE', () => partitionCounters(table, partition, after))
    for (const { key, value } of part.counters) {
      const prefix = bookPrefixOf(key)
      const book = bookOf(prefix)
      const fields = books.get(book) ?? new Map<string, number>()
      books.set(book, fields.set(counterField(key, prefix), value.readDoubleBE(0)))
    }
    after = part.last
    if (after !== undefined) await setImmediate()
  } while (after !== undefined)
  return await orderedCounters(books)
}

export interface PartitionCounters {
  readonly counters: readonly { readonly key: Buffer; readonly value: Buffer }[]
  /** The key to continue after; undefined: there are no more. */
  readonly last: Buffer | undefined
}

/**
 * One turn's worth of a partition's counters, from after a key. Counters are ordered by book, then partition,
 * so this skips from book to book.
 */
export function partitionCounters(
  table: LmdbTable,
  partition: number,
  afterKey: Buffer | undefined,
): PartitionCounters {
  const counters: { readonly key: Buffer; readonly value: Buffer }[] = []
  let after = afterKey
  let left = COUNTERS_PER_TURN
  for (;;) {
    const [next] = table.getKeys(
      after === undefined ? { limit: 1 } : { start: after, exclusiveStart: true, limit: 1 },
    )
    if (next === undefined) return { counters, last: undefined }
    // A skip costs as much as a counter.
    left--
    if (left <= 0) return { counters, last: after }
    const prefix = bookPrefixOf(next)
    const first = counterKey(prefix, partition, '')
    const start = after !== undefined && Buffer.compare(after, first) > 0 ? after : first
    const range = { start, exclusiveStart: start === after, end: afterEvery(first), limit: left }
    for (const counter of table.getRange(range)) {
      counters.push(counter)
      after = counter.key
      left--
    }
    if (left <= 0) return { counters, last: after }
    after = afterEvery(prefix)
  }
}

/**
 * Adds up to `limit` of a book's counters, from after a key, to `counters`.
 * @returns `last`: the key to continue after; undefined: there are no more
 */
function addCounters(
  table: LmdbTable,
  prefix: Buffer,
  after: Buffer | undefined,
  limit: number,
  counters: Map<string, number>,
): { readonly count: number; readonly last: Buffer | undefined } {
  let count = 0
  let last: Buffer | undefined
  const range = {
    start: after ?? prefix,
    exclusiveStart: after !== undefined,
    end: afterEvery(prefix),
    limit,
  }
  for (const { key, value } of table.getRange(range)) {
    const field = counterField(key, prefix)
    counters.set(field, (counters.get(field) ?? 0) + value.readDoubleBE(0))
    count++
    last = key
  }
  return { count, last: count < limit ? undefined : last }
}
