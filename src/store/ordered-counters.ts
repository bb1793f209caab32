import { setImmediate } from 'node:timers/promises'
import type { CounterChange } from '../scoring/population/counters.ts'

/** How many counters are sorted before other work gets its turn: a few ms. */
const COUNTERS_PER_TURN = 10_000

/**
 * The counters of books as one list, sorted by book and then field as JavaScript compares texts. Equal
 * counters make equal lists, whatever order a store keeps them in.
 */
export async function orderedCounters(
  books: ReadonlyMap<string, ReadonlyMap<string, number>>,
): Promise<CounterChange[]> {
  const ordered: CounterChange[] = []
  let left = COUNTERS_PER_TURN
  for (const book of [...books.keys()].sort()) {
    const counters = books.get(book)!
    for (const field of [...counters.keys()].sort())
      ordered.push({ book, field, delta: counters.get(field)! })
    left -= counters.size
    if (left > 0) continue
    await setImmediate()
    left = COUNTERS_PER_TURN
  }
  return ordered
}
