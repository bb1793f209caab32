import { partitionOf } from '../../log/partition-of.ts'
import { type AccountScores, decodeScores, UnreadableStateError } from '../../scoring/codec/codec.ts'
import { SIGNAL_LIMITS } from '../../signals/parse-signal.ts'
import type { Partitions } from './partitions.ts'
import type { LoadAccounts } from './shared-loads.ts'

export interface StoredAccount {
  readonly accountId: string
  readonly partition: number
  readonly scores: AccountScores
}

/** One fails only if the models change between its two reads. */
const ATTEMPTS = 3

/** Undefined if the store does not know the account. */
export async function readAccount(
  load: LoadAccounts,
  partitions: Partitions,
  accountId: string,
): Promise<StoredAccount | undefined> {
  // No signal can have a longer one, and a store may refuse it as a key.
  if (Buffer.byteLength(accountId) > SIGNAL_LIMITS.accountIdBytes) return undefined
  return (await readAccounts(load, partitions, [accountId])).get(accountId)
}

/** Those of the accounts that the store knows. One round trip, to the partitions concerned at the same time. */
export async function readAccounts(
  load: LoadAccounts,
  partitions: Partitions,
  accountIds: readonly string[],
): Promise<Map<string, StoredAccount>> {
  const count = await partitions.count()
  if (count === undefined) return new Map()
  const idsByPartition = new Map<number, string[]>()
  for (const id of accountIds) {
    const partition = partitionOf(id, count)
    const ids = idsByPartition.get(partition)
    if (ids === undefined) idsByPartition.set(partition, [id])
    else ids.push(id)
  }
  const found = await Promise.all(
    Array.from(idsByPartition, ([partition, ids]) => readFromPartition(load, partitions, partition, ids)),
  )
  return new Map(found.flat().map(account => [account.accountId, account]))
}

async function readFromPartition(
  load: LoadAccounts,
  partitions: Partitions,
  partition: number,
  accountIds: readonly string[],
): Promise<StoredAccount[]> {
  for (let attempt = 1; ; attempt++) {
    // The memory first: the accounts are then at least as new, and it still holds the models of all but the very newest.
    const { modelSets } = await (attempt === 1
      ? partitions.memory(partition)
      : partitions.refreshedMemory(partition))
    const states = await load(partition, accountIds)
    try {
      return accountIds.flatMap((accountId, i) => {
        const state = states[i]
        return state === undefined
          ? []
          : [{ accountId, partition, scores: decodeScores(accountId, state, modelSets) }]
      })
    } catch (thrown) {
      if (!(thrown instanceof UnreadableStateError) || attempt === ATTEMPTS) throw thrown
    }
  }
}
