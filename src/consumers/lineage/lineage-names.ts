import { type TopicNames, topicNames } from '../../log/topic-names.ts'

/** Where a line of scoring has its state, its topics and its groups. An installation has one of its own, and each replay has one. */
export interface LineageNames {
  /** Of the store. */
  readonly namespace: string
  readonly topics: TopicNames
  /** Put before the names of its consumer groups. */
  readonly group: string
}

export interface Installation {
  readonly namespace: string
  readonly topicPrefix: string
  readonly group: string
}

/** The consumer group that scores the place's signals. */
export function scoreGroup({ group }: LineageNames): string {
  return `${group}-score`
}

/** Of a replay: the consumer group that copies its origin's log. */
export function copyGroup({ group }: LineageNames): string {
  return `${group}-copy`
}

/** Where an installation began: what is served until a replay is promoted. */
export function originalNames({ namespace, topicPrefix, group }: Installation): LineageNames {
  return { namespace, topics: topicNames(topicPrefix), group }
}

/**
 * The place of a replay, none of which it shares with anything else: a namespace such as `default/v2`, topics such as `v2.signals`, groups such as
 * `upswell-v2-score`.
 */
export function replayNames({ namespace, topicPrefix, group }: Installation, name: string): LineageNames {
  return {
    namespace: `${namespace}/${name}`,
    topics: topicNames(`${topicPrefix}${name}.`),
    group: `${group}-${name}`,
  }
}
