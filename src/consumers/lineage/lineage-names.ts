import { type TopicNames, topicNames } from '../../log/topic-names.ts'

/**
 * The namespace, topics and consumer groups of a lineage. The first lineage of an installation has its own,
 * and so has each replay.
 */
export interface LineageNames {
  /** The namespace in the store. */
  readonly namespace: string
  readonly topics: TopicNames
  /** The prefix of its consumer groups. */
  readonly group: string
}

export interface Installation {
  readonly namespace: string
  readonly topicPrefix: string
  readonly group: string
}

/** The consumer group that scores the lineage's signals. */
export function scoreGroup({ group }: LineageNames): string {
  return `${group}-score`
}

/** The consumer group that copies the log of a replay's origin. */
export function copyGroup({ group }: LineageNames): string {
  return `${group}-copy`
}

/** The names of the first lineage, which serves until a replay is promoted. */
export function originalNames({ namespace, topicPrefix, group }: Installation): LineageNames {
  return { namespace, topics: topicNames(topicPrefix), group }
}

/**
 * The names of a replay, shared with no other lineage: a namespace such as `default/v2`, topics such as
 * `v2.signals`, groups such as `upswell-v2-score`.
 */
export function replayNames({ namespace, topicPrefix, group }: Installation, name: string): LineageNames {
  return {
    namespace: `${namespace}/${name}`,
    topics: topicNames(`${topicPrefix}${name}.`),
    group: `${group}-${name}`,
  }
}
