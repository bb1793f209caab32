import type { Log } from '../../log/log.ts'
import type { TopicNames } from '../../log/topic-names.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import type { AccountStore } from '../../store/store.ts'
import type { FoundLineage } from '../lineage/lineages.ts'

/** Where the accounts are, and the records that they were made of. */
export interface ParitySource {
  /** The namespace of the store. */
  readonly namespace: string
  readonly log: Log
  readonly store: AccountStore
  readonly topics: Pick<TopicNames, 'signals' | 'activity-checkpoints'>
  readonly library: ModelLibrary
}

export function paritySourceOf({ names, backend }: FoundLineage, library: ModelLibrary): ParitySource {
  return { namespace: names.namespace, log: backend.log, store: backend.store, topics: names.topics, library }
}
