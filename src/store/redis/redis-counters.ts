import { setImmediate } from 'node:timers/promises'
import type { CounterBook, CounterChange } from '../../scoring/population/counters.ts'
import { orderedCounters } from '../ordered-counters.ts'
import { answerOf, type RedisConnection } from './redis-connection.ts'
import type { RedisKeys } from './redis-keys.ts'

/** How many counters are added up before other work gets its turn: a few ms. */
const COUNTERS_PER_TURN = 2000
/** How many books one pipeline reads. */
const BOOKS_PER_PIPELINE = 200

/** The books' counters, added up over the partitions. One round trip. */
export async function readBooks(
  connection: RedisConnection,
  keys: RedisKeys,
  partitions: readonly number[],
  books: readonly string[],
): Promise<CounterBook[]> {
  const counters = books.map(() => new Map<string, number>())
  const answers = await connection.ask(async redis => {
    const pipeline = redis.pipeline()
    for (const partition of partitions)
      for (const book of books) pipeline.hgetall(keys.counters(partition, book))
    return (await pipeline.exec()) ?? []
  })
  let left = COUNTERS_PER_TURN
  for (const [i, answer] of answers.entries()) {
    const sums = counters[i % books.length]!
    const found = Object.entries(answerOf(answer) as Record<string, string>)
    for (const [field, count] of found) sums.set(field, (sums.get(field) ?? 0) + Number(count))
    left -= found.length
    if (left > 0) continue
    await setImmediate()
    left = COUNTERS_PER_TURN
  }
  return counters
}

/** All counters of one partition, ordered by book and field. */
export async function readPartitionCounters(
  connection: RedisConnection,
  keys: RedisKeys,
  partition: number,
): Promise<CounterChange[]> {
  const names = await connection.ask(redis => redis.smembers(keys.books(partition)))
  const books = new Map<string, Map<string, number>>()
  for (let from = 0; from < names.length; from += BOOKS_PER_PIPELINE) {
    const asked = names.slice(from, from + BOOKS_PER_PIPELINE)
    const answers = await connection.ask(async redis => {
      const pipeline = redis.pipeline()
      for (const book of asked) pipeline.hgetall(keys.counters(partition, book))
      return (await pipeline.exec()) ?? []
    })
    for (const [i, answer] of answers.entries()) {
      const found = Object.entries(answerOf(answer) as Record<string, string>)
      books.set(asked[i]!, new Map(found.map(([field, count]) => [field, Number(count)])))
    }
  }
  return await orderedCounters(books)
}
