import type { Redis } from 'ioredis'
import type { PartitionProgress, ReadAccounts } from '../store.ts'
import { answerOf, type RedisConnection } from './redis-connection.ts'
import type { RedisKeys } from './redis-keys.ts'
import { PROGRESS, READ_ACCOUNTS } from './redis-scripts.ts'

/** Made by ioredis' defineCommand. */
interface Scripts {
  readAccountsBuffer(keys: number, names: readonly string[]): Promise<(Buffer | null)[]>
}

export function defineReadAccounts({ redis }: RedisConnection): void {
  redis.defineCommand('readAccounts', { lua: READ_ACCOUNTS })
}

/** See `AccountStore.readAccounts`. */
export async function readAccounts(
  connection: RedisConnection,
  keys: RedisKeys,
  partition: number,
  accountIds: readonly string[],
): Promise<ReadAccounts> {
  const names = [keys.partition(partition), ...accountIds.map(id => keys.account(partition, id))]
  const found = await connection.ask(redis =>
    (redis as Redis & Scripts).readAccountsBuffer(names.length, names),
  )
  const accounts = accountIds.map((_, i) => found[PROGRESS.length + i] ?? undefined)
  return { accounts, progress: progressOf(found) }
}

/** See `AccountStore.readProgress`. */
export async function readProgress(
  connection: RedisConnection,
  keys: RedisKeys,
  partitions: readonly number[],
): Promise<PartitionProgress[]> {
  if (partitions.length === 0) return []
  const answers = await connection.ask(async redis => {
    const pipeline = redis.pipeline()
    for (const partition of partitions) pipeline.hmgetBuffer(keys.partition(partition), ...PROGRESS)
    return (await pipeline.exec()) ?? []
  })
  return answers.map(answer => progressOf(answerOf(answer) as (Buffer | null)[]))
}

/** Takes the values of the fields that `PROGRESS` names. */
function progressOf([owner, position, whole]: readonly (Buffer | null | undefined)[]): PartitionProgress {
  return {
    position: Number(position ?? 0),
    wholeFrom: whole == null ? undefined : Number(whole),
    fencingToken: owner?.toString(),
  }
}
