import type { LineageNames } from '../../consumers/lineage/lineage-names.ts'
import type { TopicFacts } from '../../log/kafka/inspect/kafka-facts.ts'
import { CHECKPOINTS, SOURCE_TOPICS, TOPIC_ROLES, type TopicRole } from '../../log/topic-names.ts'
import { topicsOfInstallation, type WantedTopic } from '../../log/topic-settings.ts'

/** A topic that the installation needs, as `upswell topics create` would make it. */
export interface CheckedTopic extends WantedTopic {
  /** Whether it belongs to the first lineage; else to a promoted one. */
  readonly isOfFirst: boolean
}

/** A checked topic that is there. */
export interface FoundTopic extends CheckedTopic {
  readonly facts: TopicFacts
}

/** A promoted lineage publishes to the topics of the first one. */
const OWN_OF_SERVING: readonly TopicRole[] = ['signals', CHECKPOINTS]

/** The topics of the installation's first lineage, and the own ones of the lineage that serves. */
export function checkedTopics(
  original: LineageNames,
  serving: LineageNames,
  partitions: number,
): CheckedTopic[] {
  const own = serving.namespace === original.namespace ? [] : topicsOf(serving, OWN_OF_SERVING, partitions)
  return [
    ...topicsOf(original, TOPIC_ROLES, partitions).map(topic => ({ ...topic, isOfFirst: true })),
    ...own.map(topic => ({ ...topic, isOfFirst: false })),
  ]
}

function topicsOf({ topics }: LineageNames, roles: readonly TopicRole[], partitions: number): WantedTopic[] {
  return topicsOfInstallation(topics, partitions).filter(({ role }) => roles.includes(role))
}

/** READ on what the roles read, WRITE on what they write. Tools such as `replay diff` read more. */
export function neededOperations(topics: readonly CheckedTopic[]): Map<string, readonly string[]> {
  return new Map(topics.map(({ role, name }) => [name, operationsOn(role)]))
}

function operationsOn(role: TopicRole): readonly string[] {
  if (role in SOURCE_TOPICS) return ['READ']
  return OWN_OF_SERVING.includes(role) ? ['READ', 'WRITE'] : ['WRITE']
}

export function foundTopics(checked: readonly CheckedTopic[], facts: readonly TopicFacts[]): FoundTopic[] {
  const byName = new Map(facts.map(topic => [topic.name, topic]))
  return checked.flatMap(topic => {
    const found = byName.get(topic.name)
    return found?.state === 'there' ? [{ ...topic, facts: found }] : []
  })
}
