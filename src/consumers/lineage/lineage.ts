import type { TopicNames } from '../../log/topic-names.ts'
import type { AccountStore } from '../../store/store.ts'
import type { LineageNames } from './lineage-names.ts'

/**
 * A log of signals, the state made of it, and where that is published. An installation begins with one. Each
 * replay is another, in the shadow of the serving one until it is promoted; then the other is retired. The
 * log of each says from which record on.
 */
export interface Lineage {
  readonly names: LineageNames
  /** Where it publishes while it serves: the topics of the installation's subscribers. */
  readonly servedTopics: TopicNames
  /** The lineage whose signals a replay reads; undefined: the installation's first lineage. */
  readonly origin: Origin | undefined
}

export interface Origin {
  readonly topic: string
  readonly partitions: number
  readonly store: AccountStore
}
