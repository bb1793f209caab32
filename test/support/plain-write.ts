import { AccountCache } from '../../src/consumers/scorer/account-cache.ts'
import {
  compareAccount,
  WriteBuilder,
  type WriteContext,
} from '../../src/consumers/scorer/flush/write-builder.ts'
import type { Account } from '../../src/scoring/account.ts'
import type { FoldResult } from '../../src/scoring/fold.ts'
import type { PartitionWrite } from '../../src/store/store.ts'

/** The write that fills an empty store with these accounts, all at once. */
export function plainWrite(
  accounts: Iterable<Account>,
  counts: FoldResult['counts'],
  context: WriteContext,
): PartitionWrite {
  const cache = new AccountCache()
  const builder = new WriteBuilder(cache.writer)
  for (const account of accounts) builder.add(compareAccount(account, cache), undefined)
  return builder.build(counts, context)
}
