import type { LineageNames } from '../../consumers/lineage/lineage-names.ts'
import type { KafkaFacts, Settings, TopicFacts } from '../../log/kafka/inspect/kafka-facts.ts'
import type { TopicToCreate } from '../../log/log.ts'
import { CHECKPOINTS, SOURCE_TOPICS, TOPIC_ROLES, type TopicRole } from '../../log/topic-names.ts'
import { topicsOfInstallation } from '../../log/topic-settings.ts'
import { type Finding, notChecked } from './finding.ts'
import { namesText } from './units.ts'

/** A topic that the installation needs. */
export interface CheckedTopic {
  readonly role: TopicRole
  readonly name: string
  /** As `upswell topics create` would make it. */
  readonly wanted: TopicToCreate
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
  return [...topicsOf(original, TOPIC_ROLES, partitions), ...own]
}

function topicsOf({ topics }: LineageNames, roles: readonly TopicRole[], partitions: number): CheckedTopic[] {
  const wanted = new Map(topicsOfInstallation(topics, partitions).map(topic => [topic.name, topic]))
  return roles.map(role => ({ role, name: topics[role], wanted: wanted.get(topics[role])! }))
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

/** The topics whose settings are known, or a finding if any are not. */
export function withSettings(
  check: Finding['check'],
  { topics }: Pick<KafkaFacts, 'topics'>,
  found: readonly FoundTopic[],
): readonly (FoundTopic & { readonly settings: Settings })[] | Finding {
  if ('reason' in topics) return notChecked(check, topics.reason)
  if (found.length === 0) return notChecked(check, 'no topic is there')
  const unknown = found.filter(({ facts }) => 'reason' in facts.settings)
  const [first] = unknown
  if (first !== undefined && 'reason' in first.facts.settings)
    return notChecked(
      check,
      `the settings of ${namesText(unknown.map(({ name }) => name))} cannot be read: ${first.facts.settings.reason}`,
    )
  return found.map(topic => ({
    ...topic,
    settings: 'value' in topic.facts.settings ? topic.facts.settings.value : {},
  }))
}
