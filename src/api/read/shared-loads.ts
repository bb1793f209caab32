import DataLoader from 'dataloader'
import type { AccountStore } from '../../store/store.ts'

export type LoadAccounts = AccountStore['load']

/**
 * Joins the loads of one turn of the event loop into one call for each partition. A call for each load was a
 * quarter of the cost of an answer. The busier the process, the more loads share a call; a single load does
 * not wait. Nothing is cached, and loads fail together with their call.
 */
export function sharedLoads(store: Pick<AccountStore, 'load'>): LoadAccounts {
  const loaders = new Map<number, DataLoader<string, Uint8Array | undefined>>()
  const loaderOf = (partition: number) => {
    const known = loaders.get(partition)
    if (known !== undefined) return known
    const loader = new DataLoader(
      (accountIds: readonly string[]) => store.load(partition, accountIds),
      // After the requests that have already arrived: they are read one after the other.
      { cache: false, batchScheduleFn: setImmediate },
    )
    loaders.set(partition, loader)
    return loader
  }
  return async (partition, accountIds) => {
    const loader = loaderOf(partition)
    return await Promise.all(accountIds.map(id => loader.load(id)))
  }
}
