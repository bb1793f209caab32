import { createYielder } from '../../../lib/yielder.ts'
import type { PartitionWrite } from '../../../store/store.ts'
import type { AccountCache } from '../account-cache.ts'
import type { DirtyAccounts } from './dirty-accounts.ts'
import { compareAccount, type TouchedAccount, WriteBuilder, type WriteContext } from './write-builder.ts'

/** What one flush writes to the store. */
export interface PreparedFlush {
  /** In the order of `write.accounts`. */
  readonly touched: readonly TouchedAccount[]
  readonly write: PartitionWrite
}

/**
 * Takes about 10 ms. With fewer, a flush takes long when all partitions are busy: between two turns each
 * folds a batch.
 */
const ACCOUNTS_PER_TURN = 500

/** Compares and encodes what a flush writes. Other partitions get their turn in between. */
export async function prepareFlush(
  dirty: DirtyAccounts,
  cache: AccountCache,
  context: WriteContext,
): Promise<PreparedFlush> {
  const yielder = createYielder(ACCOUNTS_PER_TURN)
  const touched: TouchedAccount[] = []
  await yielder.each(dirty.accounts, account => touched.push(compareAccount(account, cache)))
  const builder = new WriteBuilder(cache.writer)
  let next = 1
  await yielder.each(touched, account => builder.add(account, touched[next++]))
  return { touched, write: builder.build(dirty.counts, context) }
}

/** Call after the write: the store holds the accounts as they are now. */
export function keepSaved(cache: AccountCache, { touched, write }: PreparedFlush): void {
  for (const [i, { account, before, shares, changes }] of touched.entries())
    cache.keepSaved(
      account,
      before,
      { rankEntries: changes.rankEntries, shares },
      write.accounts[i]!.bytes.length,
    )
}
