import type { ModelLibrary } from '../../models/model-library.ts'
import type { AccountStore } from '../../store/store.ts'
import { Problem } from '../plugins/problems.ts'
import { Partitions } from './partitions.ts'
import { type LoadAccounts, sharedLoads } from './shared-loads.ts'
import { type PublishedOffsets, Wholeness } from './wholeness.ts'

/** The lineage that serves. */
export interface ServingStore {
  readonly store: AccountStore
  readonly publishedOffsets: PublishedOffsets
}

/**
 * The store that serves now, with its caches. A request asks once, at its start, and keeps the answer: after
 * a promotion another store serves.
 * @throws Problem NOT_READY: it is not known yet which lineage serves
 */
export type Served = () => {
  readonly store: AccountStore
  readonly load: LoadAccounts
  readonly partitions: Partitions
}

export function servedFrom(current: () => ServingStore, library: ModelLibrary): Served {
  let served: ReturnType<Served> | undefined
  return () => {
    const { store, publishedOffsets } = current()
    if (served?.store !== store) {
      const wholeness = new Wholeness(store, publishedOffsets)
      served = {
        store,
        load: sharedLoads(store, wholeness),
        partitions: new Partitions(store, library, wholeness),
      }
    }
    return served
  }
}

/** Refuses to answer from a lineage that may have been replaced long ago. */
export function servedOnceKnown(isKnown: () => boolean, served: Served): Served {
  return () => {
    if (isKnown()) return served()
    throw new Problem('NOT_READY', 'It is not known yet whether a replay was promoted. Ask again.')
  }
}
