import { setImmediate } from 'node:timers/promises'
import type { LmdbEnvironment, LmdbTable } from '../../lib/lmdb-environment.ts'
import { partitionCounters } from './lmdb-counters.ts'
import { accountKeyOfListing, partitionKey } from './lmdb-keys.ts'
import type { StoreTables } from './lmdb-tables.ts'

/**
 * How many entries a transaction removes. The write lock is held for tens of ms: a removal from a table of 400,000 values of 1.4 KB
 * took 44 µs in transactions of 1,000 and 62 µs in those of 5,000, of which the longest took 350 ms.
 */
const REMOVED_PER_WRITE = 1000
/** How many listings are looked at before other work gets its turn: a few ms. */
const LISTINGS_PER_TURN = 2000

/**
 * Removes what is kept of a partition beside its row in `partitions`. Every transaction asks `requireOwner` first, which throws to refuse.
 */
export async function clearPartition(
  environment: LmdbEnvironment,
  tables: StoreTables,
  partition: number,
  requireOwner: () => void,
): Promise<void> {
  const remove = (table: LmdbTable, keys: readonly Buffer[]) =>
    environment.write('STORE_UNAVAILABLE', {
      check: requireOwner,
      apply: () => {
        for (const key of keys) table.remove(key)
      },
    })
  // Before the accounts, which tell whose they are.
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
 * Empties every table. Each is one transaction, since LMDB only hands back its pages: 350,000 values of 1.4 KB took 340 ms, off the main
 * thread. The empty tables stay: lmdb-js ends the process with a segmentation fault where somebody reads one that was deleted.
 */
export async function emptyTables(environment: LmdbEnvironment, tables: StoreTables): Promise<void> {
  for (const table of Object.values(tables) as LmdbTable[])
    await environment.empty('STORE_UNAVAILABLE', table)
}

/** The first keys of a table whose keys begin with the partition. */
function keysOf(table: LmdbTable, partition: number, limit: number): Buffer[] {
  return Array.from(
    table.getKeys({ start: partitionKey(partition), end: partitionKey(partition + 1), limit }),
  )
}

/** Listings stand by model and tier, those of all partitions together: all are looked at, and the account tells whose they are. */
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
