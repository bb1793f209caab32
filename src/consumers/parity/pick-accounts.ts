import { DUE_BUCKETS } from '../../scoring/due-buckets.ts'
import type { AccountStore } from '../../store/store.ts'

/** As many ids are listed as this for each one that is wanted, so that they do not all come from one bucket where buckets are small. */
const LISTED_PER_PICK = 4

/**
 * Ids of up to `count` accounts of a partition, at random: from random buckets of the due index, so that those of a million accounts are never listed at once.
 * `random` gives numbers from 0 up to 1, as `Math.random`.
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

/** Fisher and Yates; in place. */
function shuffle<T>(items: T[], random: () => number): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const item = items[last]!
    items[last] = items[other]!
    items[other] = item
  }
  return items
}
