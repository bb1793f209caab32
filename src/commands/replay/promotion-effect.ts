import { type PromotionEffect, PromotionTally } from '../../analysis/promotion-effect.ts'
import type { FoundLineage } from '../../consumers/lineage/lineages.ts'
import { UpswellError } from '../../lib/errors.ts'
import { byPartition } from '../../log/partition-of.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { decodePartitionMemory } from '../../models/partition-memory-codec.ts'
import type { Account } from '../../scoring/account.ts'
import { type AccountScores, decodeScores, UnreadableStateError } from '../../scoring/codec/codec.ts'
import type { AccountStore } from '../../store/store.ts'
import { readAllAccounts, readOverview } from '../model/read-accounts.ts'
import { progressBar } from '../progress-bar.ts'

const ACCOUNTS_PER_READ = 500
const ATTEMPTS = 3

/**
 * Compares every account of a replay with the same account in the lineage that serves, as the promotion would
 * do. It only reads; records that neither has scored yet are missing.
 * @throws UpswellError STORE_UNAVAILABLE, STATE_UNREADABLE
 */
export async function readPromotionEffect(
  served: FoundLineage,
  promoted: FoundLineage,
  library: ModelLibrary,
): Promise<PromotionEffect> {
  const now = await readOverview(served.backend.store, library)
  const then = await readOverview(promoted.backend.store, library)
  const tally = new PromotionTally(now.activeModels, then.activeModels, promoted.names.namespace)
  const bar = progressBar('comparing', 'accounts', then.accounts)
  let done = 0
  try {
    for await (const accounts of batches(readAllAccounts(promoted.backend.store, library))) {
      const known = await readKnown(served.backend.store, accounts, library)
      for (const account of accounts) tally.add(known.get(account.id), account)
      done += accounts.length
      bar.update(done)
    }
  } finally {
    bar.stop()
  }
  return tally.finish()
}

async function* batches(accounts: ReturnType<typeof readAllAccounts>): AsyncGenerator<Account[]> {
  let batch: Account[] = []
  for await (const { account } of accounts) {
    batch.push(account)
    if (batch.length < ACCOUNTS_PER_READ) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** The same accounts in another store, by their ids. */
async function readKnown(
  store: AccountStore,
  accounts: readonly Account[],
  library: ModelLibrary,
): Promise<Map<string, AccountScores>> {
  const known = new Map<string, AccountScores>()
  const partitions = (await store.partitions()) ?? 0
  if (partitions === 0) return known
  for (const [partition, group] of byPartition(accounts, ({ id }) => id, partitions)) {
    const ids = group.map(({ id }) => id)
    for (const [id, scores] of await readScores(store, partition, ids, library)) known.set(id, scores)
  }
  return known
}

async function readScores(
  store: AccountStore,
  partition: number,
  ids: readonly string[],
  library: ModelLibrary,
): Promise<[string, AccountScores][]> {
  for (let attempt = 1; ; attempt++) {
    const { modelSets } = decodePartitionMemory((await store.readPartition(partition)).state, library)
    const found = await store.load(partition, ids)
    try {
      return found.flatMap((bytes, i) =>
        bytes === undefined ? [] : [[ids[i]!, decodeScores(ids[i]!, bytes, modelSets)]],
      )
    } catch (error) {
      if (!(error instanceof UnreadableStateError)) throw error
      // Models may have changed between the two reads.
      if (attempt < ATTEMPTS) continue
      throw new UpswellError('STATE_UNREADABLE', `cannot read the store: ${error.message}`, { cause: error })
    }
  }
}
