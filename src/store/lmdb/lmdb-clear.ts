import { setImmediate } from 'node:timers/promises'
import type { LmdbEnvironment, LmdbTable } from '../../lib/lmdb/lmdb-environment.ts'
import { partitionCounters } from './lmdb-counters.ts'
import { accountKeyOfListing, partitionKey } from './lmdb-keys.ts'
import type { StoreTables } from './lmdb-tables.ts'

/**
 * How many entries one transaction removes. It holds the write lock for tens of ms. Measured on 400,000
 * values of 1.4 KB, for each removal: 44 µs in transactions of 1,000; 62 µs in transactions of 5,000 (the
 * longest took 350 ms).
 */
const REMOVED_PER_WRITE = 1000
/** How many listings are read before other work gets its turn: a few ms. */
const LISTINGS_PER_TURN = 2000

/**
 * Removes everything of a partition but its row in `partitions` and its state.
 * @param requireToken runs at the start of each transaction; throws to refuse
 */
export async function clearPartition(
  environment: LmdbEnvironment,
  tables: StoreTables,
  partition: number,
  requireToken: () => void,
): Promise<void> {
  const remove = (table: LmdbTable, keys: readonly Buffer[]) =>
    environment.write('STORE_UNAVAILABLE', {
      check: requireToken,
      apply: () => {
        for (const key of keys) table.remove(key)
      },
    })
  // Before the accounts: they show which listings belong to the partition.
  await removeListings(environment, tables, partition, keys => remove(tables.listings, keys))
  await removeCounters(environment, tables, partition, keys => remove(tables.counters, keys))
  for (const table of [tables.due, tables.userChunks, tables.accounts]) {
    for (;;) {
      const keys = environment.read('STORE_UNAVAILABLE', () => keysOf(table, partition, REMOVED_PER_WRITE))
      if (keys.length > 0) await remove(table, keys)
      if (keys.length < REMOVED_PER_WRITE) break
    }
  }
}

/**
 * Empties every table, each in one transaction, since LMDB only frees its pages: 350,000 values of 1.4 KB
 * took 340 ms, off the main thread. The empty tables stay: reading a deleted table ends the process with a
 * segmentation fault in lmdb-js.
 */
export async function emptyTables(environment: LmdbEnvironment, tables: StoreTables): Promise<void> {
  for (const table of Object.values(tables) as LmdbTable[])
    await environment.empty('STORE_UNAVAILABLE', table)
}

/** The partition's first keys in a table whose keys begin with the partition. */
function keysOf(table: LmdbTable, partition: number, limit: number): Buffer[] {
  return Array.from(
    table.getKeys({ start: partitionKey(partition), end: partitionKey(partition + 1), limit }),
  )
}

/**
 * Removes the partition's listings. Listings are ordered by list and tier, all partitions together, so this
 * reads all of them and looks each account up in the partition.
 */
async function removeListings(
  environment: LmdbEnvironment,
  { accounts, listings }: StoreTables,
  partition: number,
  remove: (keys: readonly Buffer[]) => Promise<void>,
): Promise<void> {
  const hasAccounts = environment.read('STORE_UNAVAILABLE', () => keysOf(accounts, partition, 1).length > 0)
  if (!hasAccounts) return
  let after: Buffer | undefined
  do {
    const keys = environment.read('STORE_UNAVAILABLE', () =>
      Array.from(
        listings.getKeys({
          ...(after === undefined ? {} : { start: after, exclusiveStart: true }),
          limit: LISTINGS_PER_TURN,
        }),
      ),
    )
    const own = environment.read('STORE_UNAVAILABLE', () =>
      keys.filter(key => accounts.getBinaryFast(accountKeyOfListing(partition, key)) !== undefined),
    )
    for (let from = 0; from < own.length; from += REMOVED_PER_WRITE)
      await remove(own.slice(from, from + REMOVED_PER_WRITE))
    after = keys.length < LISTINGS_PER_TURN ? undefined : keys.at(-1)
    await setImmediate()
  } while (after !== undefined)
}

async function removeCounters(
  environment: LmdbEnvironment,
  { counters }: StoreTables,
  partition: number,
  remove: (keys: readonly Buffer[]) => Promise<void>,
): Promise<void> {
  let after: Buffer | undefined
  do {
    const found = environment.read('STORE_UNAVAILABLE', () => partitionCounters(counters, partition, after))
    const keys = found.counters.map(({ key }) => key)
    if (keys.length > 0) await remove(keys)
    after = found.last
    await setImmediate()
  } while (after !== undefined)
}
