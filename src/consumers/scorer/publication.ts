import type { LogRecord } from '../../log/log.ts'
import type { TopicNames } from '../../log/topic-names.ts'
import type { Account } from '../../scoring/account.ts'
import type { ScoringEvent } from '../../scoring/events.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'

/**
 * `serving`: publishes for all subscribers. `shadow`: publishes to topics of its own. `retired`: ignores new
 * records.
 */
export type LineageRole = 'serving' | 'shadow' | 'retired'

/** What subscribers are sent about an account when another lineage begins to serve: what differs. */
export interface Announcement {
  readonly account: Account
  readonly events: readonly ScoringEvent[]
}

/** Where the events of a partition are published, and what a promotion changes about it. */
export interface Publication {
  role(memory: PartitionMemory): LineageRole
  /** The topics that outputs go to now. */
  topics(memory: PartitionMemory): TopicNames
  /**
   * Called before a promotion is folded for the first time. Returns when the lineage that served has
   * published all that precedes it.
   * @throws UpswellError LOG_UNAVAILABLE, STORE_UNAVAILABLE
   */
  beforePromotion(partition: number, record: LogRecord): Promise<void>
  /** The accounts, among these, that subscribers still know from the lineage that served before. */
  unannounced(memory: PartitionMemory, accounts: () => Iterable<Account>): readonly Account[]
  /** @throws UpswellError STORE_MOVED, STORE_UNAVAILABLE */
  announce(partition: number, accounts: readonly Account[]): Promise<readonly Announcement[]>
}

/** Publishes to these topics, always. */
export function alwaysServing(topics: TopicNames): Publication {
  return {
    role: () => 'serving',
    topics: () => topics,
    beforePromotion: async () => {},
    unannounced: () => [],
    announce: async () => [],
  }
}
