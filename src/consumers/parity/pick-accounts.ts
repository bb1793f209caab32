import { DUE_BUCKETS } from '../../scoring/due-slices.ts'
import type { AccountStore } from '../../store/store.ts'

/**
 * How many ids to list for each wanted one, so that they do not all come from one bucket when buckets are
 * small.
 */
const LISTED_PER_PICK = 4

/**
 * Up to `count` random account ids of a partition. They come from random buckets of the due index, so that
 * the ids of a million accounts are never listed at once.
 * `random` returns numbers from 0 up to 1, as `Math.random`.
 * @throws UpswellError STORE_UNAVAILABLE
 */
export async function pickAccounts(
  store: AccountStore,
  partition: number,
  count: number,
  random: () => number,
): Promise<string[]> {
  const held = await store.countDue(partition, Number.POSITIVE_INFINITY)
  const buckets = shuffle(
    Array.from({ length: DUE_BUCKETS }, (_, bucket) => bucket),
    random,
  )
  const perList = Math.max(1, Math.ceil((DUE_BUCKETS * count * LISTED_PER_PICK) / Math.max(held, 1)))
  const listed: string[] = []
  for (let first = 0; first < DUE_BUCKETS && listed.length < count; first += perList)
    listed.push(
      ...(await store.due(partition, buckets.slice(first, first + perList), Number.POSITIVE_INFINITY)),
    )
  return shuffle(listed, random).slice(0, count)
}

/** In place, by Fisher and Yates. */
function shuffle<T>(items: T[], random: () => number): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const item = items[last]!
    items[last] = items[other]!
    items[other] = item
  }
  return items
}
