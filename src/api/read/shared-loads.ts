import DataLoader from 'dataloader'
import type { AccountStore } from '../../store/store.ts'
import type { Wholeness } from './wholeness.ts'

/** Each account has a few KB, so an answer of the store has a few MB at most. */
const MOST_PER_CALL = 1_000

/**
 * The accounts' bytes in the order asked; undefined for an unknown account. The partition was whole when they
 * were read.
 * @throws Problem STORE_FILLING; UpswellError STORE_UNAVAILABLE
 */
export type LoadAccounts = (
  partition: number,
  accountIds: readonly string[],
) => Promise<(Uint8Array | undefined)[]>

/**
 * Joins the loads of one turn of the event loop into calls of up to 1,000 for each partition. A call for each
 * load was a quarter of the cost of an answer. The busier the process, the more loads share a call; a single
 * load does not wait. Nothing is cached, and loads fail with their call.
 */
export function sharedLoads(
  store: Pick<AccountStore, 'readAccounts'>,
  wholeness: Pick<Wholeness, 'require'>,
): LoadAccounts {
  const loaders = new Map<number, DataLoader<string, Uint8Array | undefined>>()
  const loaderOf = (partition: number) => {
    const known = loaders.get(partition)
    if (known !== undefined) return known
    const loader = new DataLoader(
      async (accountIds: readonly string[]) => {
        const askedAt = performance.now()
        const { accounts, progress } = await store.readAccounts(partition, accountIds)
        await wholeness.require(partition, progress, askedAt)
        return accounts
      },
      // After the requests that have already arrived: they are read one after the other.
      { cache: false, maxBatchSize: MOST_PER_CALL, batchScheduleFn: setImmediate },
    )
    loaders.set(partition, loader)
    return loader
  }
  return async (partition, accountIds) => {
    const loader = loaderOf(partition)
    return await Promise.all(accountIds.map(id => loader.load(id)))
  }
}
