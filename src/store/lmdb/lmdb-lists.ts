import type { LmdbTable } from '../../lib/lmdb/lmdb-environment.ts'
import type { Listing, ListQuery } from '../store.ts'
import { afterEvery, listingKey, listingsFrom, parseListing, tierPrefix } from './lmdb-keys.ts'

/** A page of a ranked list, over all partitions. Reads one page of each tier, then merges them. */
export function readList(listings: LmdbTable, query: ListQuery): Listing[] {
  const tiers = [...new Set(query.tiers)]
  const found = tiers.flatMap(tier => listTier(listings, query, tier))
  found.sort((a, b) => Buffer.compare(a.rank, b.rank))
  if (query.order === 'highest-first') found.reverse()
  return found.slice(0, query.limit).map(({ listing }) => listing)
}

function listTier(
  listings: LmdbTable,
  query: ListQuery,
  tier: string,
): { readonly rank: Buffer; readonly listing: Listing }[] {
  const prefix = tierPrefix(query.list, tier)
  const lowest = query.minScore === undefined ? prefix : listingsFrom(prefix, query.minScore)
  const after = query.after && listingKey(prefix, query.after.score, query.after.accountId)
  const range =
    query.order === 'highest-first'
      ? { start: after ?? afterEvery(prefix), end: lowest, inclusiveEnd: true, reverse: true }
      : {
          start: after !== undefined && Buffer.compare(after, lowest) > 0 ? after : lowest,
          end: afterEvery(prefix),
        }
  const keys = listings.getKeys({
    ...range,
    exclusiveStart: range.start === after,
    limit: query.limit,
  })
  return Array.from(keys, key => {
    const { rank, score, accountId } = parseListing(key, prefix)
    return { rank, listing: { list: query.list, tier, score, accountId } }
  })
}
