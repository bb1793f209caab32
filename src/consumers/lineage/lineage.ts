import type { TopicNames } from '../../log/topic-names.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import type { AccountStore } from '../../store/store.ts'
import type { LineageNames } from './lineage-names.ts'

/**
 * One line of scoring: a log of signals, the state made of it, and where that is published. An installation begins with one. Each replay is one of its own,
 * in the shadow of that which serves, until it is promoted; then the other is retired. The log of each says from which record on.
 */
export interface Lineage {
  readonly names: LineageNames
  /** Where it publishes while it serves; what every installation's subscribers read. */
  readonly servedTopics: TopicNames
  /** Of a replay: the line whose signals it reads. */
  readonly origin: Origin | undefined
}

export interface Origin {
  readonly topic: string
  readonly partitions: number
  readonly store: AccountStore
}

/** `serving`: publishes for all to see. `shadow`: publishes to topics of its own. `retired`: takes no notice of what comes. */
export type LineageRole = 'serving' | 'shadow' | 'retired'

/** What the line is in one of its partitions, by what its log said so far. */
export function roleOf({ names, origin }: Lineage, { promotion }: PartitionMemory): LineageRole {
  if (promotion === undefined) return origin === undefined ? 'serving' : 'shadow'
  return promotion.namespace === names.namespace ? 'serving' : 'retired'
}

/** Where a partition of the line publishes now. */
export function outputTopics(lineage: Lineage, memory: PartitionMemory): TopicNames {
  return roleOf(lineage, memory) === 'serving' ? lineage.servedTopics : lineage.names.topics
}

/** The partition of the origin that holds all accounts of a partition of the replay, whose number of partitions is a multiple. */
export function originPartition({ partitions }: Origin, partition: number): number {
  return partition % partitions
}
