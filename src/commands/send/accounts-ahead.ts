import { byPartition } from '../../log/partition-of.ts'
import { clockIn } from '../../scoring/codec/codec.ts'
import { dayOf } from '../../signals/time.ts'
import type { AccountStore } from '../../store/store.ts'

/** So many accounts of a file are looked up; about a second. */
const MOST_ACCOUNTS = 10_000
const ACCOUNTS_PER_READ = 500

export type ReadableStore = Pick<AccountStore, 'partitions' | 'load' | 'countDue'>

/**
 * How many accounts are at a later UTC day than their oldest signal of a file: such signals will be late. Of
 * the first 10,000 accounts; 0 if the store cannot be read.
 * @param begins account → its oldest signal of the file, ms
 */
export async function countAccountsAhead(
  store: ReadableStore,
  begins: Iterable<readonly [accountId: string, oldest: number]>,
): Promise<number> {
  try {
    const partitions = await store.partitions()
    if (partitions === undefined) return 0
    const looked: (readonly [accountId: string, oldest: number])[] = []
    for (const begin of begins) {
      if (looked.length === MOST_ACCOUNTS) break
      looked.push(begin)
    }
    let ahead = 0
    for (const [partition, accounts] of byPartition(looked, ([accountId]) => accountId, partitions))
      ahead += await countIn(store, partition, accounts)
    return ahead
  } catch {
    return 0
  }
}

async function countIn(
  store: ReadableStore,
  partition: number,
  accounts: readonly (readonly [accountId: string, oldest: number])[],
): Promise<number> {
  let ahead = 0
  for (let i = 0; i < accounts.length; i += ACCOUNTS_PER_READ) {
    const some = accounts.slice(i, i + ACCOUNTS_PER_READ)
    const found = await store.load(
      partition,
      some.map(([accountId]) => accountId),
    )
    for (const [j, bytes] of found.entries()) {
      const [accountId, oldest] = some[j]!
      if (bytes !== undefined && dayOf(clockIn(accountId, bytes)) > dayOf(oldest)) ahead++
    }
  }
  return ahead
}
