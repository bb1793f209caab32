import type { ModelLibrary } from '../../models/model-library.ts'
import type { AccountStore } from '../../store/store.ts'
import { Partitions } from './partitions.ts'
import { type LoadAccounts, sharedLoads } from './shared-loads.ts'

/**
 * The store that serves now, with its caches. A request asks once, at its start, and keeps the answer: after
 * a promotion another store serves.
 */
export type Served = () => {
  readonly store: AccountStore
  readonly load: LoadAccounts
  readonly partitions: Partitions
}

export function servedFrom(currentStore: () => AccountStore, library: ModelLibrary): Served {
  let served: ReturnType<Served> | undefined
  return () => {
    const store = currentStore()
    if (served?.store !== store)
      served = { store, load: sharedLoads(store), partitions: new Partitions(store, library) }
    return served
  }
}
