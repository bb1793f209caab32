import { byPartition } from '../../log/partition-of.ts'
import type { AccountActivity } from '../../scoring/activity/activity.ts'
import {
  type AccountScores,
  decodeAccount,
  decodeScores,
  UnreadableStateError,
} from '../../scoring/codec/codec.ts'
import { SIGNAL_LIMITS } from '../../signals/signal-limits.ts'
import type { Partitions } from './partitions.ts'
import type { LoadAccounts } from './shared-loads.ts'

/** An account's scores as the store holds them, decoded with the models that they were made with. */
export interface AccountWithScores {
  readonly accountId: string
  readonly partition: number
  readonly scores: AccountScores
  /** Decodes the rest of the account, which few answers need. */
  readonly readActivity: () => AccountActivity
}

/** An attempt fails only if the models change between its two reads. */
const ATTEMPTS = 3

/** Undefined if the store does not know the account. */
export async function readAccount(
  load: LoadAccounts,
  partitions: Partitions,
  accountId: string,
): Promise<AccountWithScores | undefined> {
  // No signal has a longer id, and a store may refuse one as a key.
  if (Buffer.byteLength(accountId) > SIGNAL_LIMITS.accountIdBytes) return undefined
  return (await readAccounts(load, partitions, [accountId])).get(accountId)
}

/** The known accounts by id. One round trip: all partitions are read at the same time. */
export async function readAccounts(
  load: LoadAccounts,
  partitions: Partitions,
  accountIds: readonly string[],
): Promise<Map<string, AccountWithScores>> {
  const count = await partitions.count()
  if (count === undefined) return new Map()
  const idsByPartition = byPartition(accountIds, id => id, count)
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
): Promise<AccountWithScores[]> {
  for (let attempt = 1; ; attempt++) {
    // The memory first, so that the accounts are at least as new. It holds the models of all but the very
    // newest.
    const { modelSets } = await (attempt === 1
      ? partitions.memory(partition)
      : partitions.refreshedMemory(partition))
    const states = await load(partition, accountIds)
    try {
      return accountIds.flatMap((accountId, i) => {
        const state = states[i]
        if (state === undefined) return []
        const scores = decodeScores(accountId, state, modelSets)
        const readActivity = () => decodeAccount(accountId, state, modelSets).activity
        return [{ accountId, partition, scores, readActivity }]
      })
    } catch (thrown) {
      if (!(thrown instanceof UnreadableStateError) || attempt === ATTEMPTS) throw thrown
    }
  }
}
