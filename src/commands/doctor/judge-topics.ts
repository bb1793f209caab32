import type { KafkaFacts } from '../../log/kafka/inspect/kafka-facts.ts'
import { CHECKPOINTS } from '../../log/topic-names.ts'
import { type CheckedTopic, type FoundTopic, foundTopics, withSettings } from './checked-topics.ts'
import { type Finding, notChecked, ok, problem, warning } from './finding.ts'
import { judgeTopicSettings } from './judge-topic-settings.ts'
import { countText, namesText } from './units.ts'

const TOPIC_CHECKS = [
  'topics-there',
  'topic-partitions',
  'topic-replicas',
  'topic-retention',
  'topic-cleanup',
  'topic-times',
  'topic-sizes',
] as const

/** Whether the topics are there and are as Upswell needs them. */
export function judgeTopics(facts: KafkaFacts, checked: readonly CheckedTopic[]): Finding[] {
  const { topics, brokers } = facts
  if ('reason' in topics) return TOPIC_CHECKS.map(check => notChecked(check, topics.reason))
  const found = foundTopics(checked, topics.value)
  const there = judgePresence(facts, checked)
  if (found.length === 0)
    return [there, ...TOPIC_CHECKS.slice(1).map(check => notChecked(check, 'no topic is there'))]
  const count = brokers.filter(({ nodeId }) => nodeId !== undefined).length
  return [
    there,
    judgePartitions(found),
    judgeReplicas(facts, found, count),
    ...judgeTopicSettings(facts, found),
  ]
}

function judgePresence({ topics }: KafkaFacts, checked: readonly CheckedTopic[]): Finding {
  const states = new Map('value' in topics ? topics.value.map(({ name, state }) => [name, state]) : [])
  const lost = (wanted: string) =>
    checked.filter(({ name }) => (states.get(name) ?? 'missing') === wanted).map(({ name }) => name)
  const missing = lost('missing')
  const hidden = lost('not visible')
  if (missing.length > 0)
    return problem(
      'topics-there',
      `missing: ${namesText(missing, 20)}`,
      'all topics of the installation',
      'check UPSWELL_TOPIC_PREFIX, then run `upswell topics create`',
    )
  if (hidden.length > 0)
    return problem(
      'topics-there',
      `the brokers do not show ${namesText(hidden, 20)}`,
      'DESCRIBE on all topics',
      'add the rules with kafka-acls.sh --add --allow-principal …',
    )
  return ok('topics-there', `all ${checked.length} topics`)
}

function judgePartitions(found: readonly FoundTopic[]): Finding {
  const logs = found.filter(({ role }) => role === 'signals')
  const differing = found.filter(({ role, name, facts }) => {
    const log = logs.find(each => prefixOf(each.name, 'signals') === prefixOf(name, role))
    return (
      role === CHECKPOINTS && log !== undefined && log.facts.partitions.length !== facts.partitions.length
    )
  })
  const counts = found
    .filter(({ role }) => role === 'signals' || role === CHECKPOINTS)
    .map(({ name, facts }) => `${name} has ${facts.partitions.length}`)
  const text = counts.join(', ')
  if (differing.length > 0)
    return problem(
      'topic-partitions',
      text,
      'as many partitions of the checkpoints as of their log: each partition has its own',
      'delete the topic of checkpoints, run `upswell topics create` with UPSWELL_PARTITIONS set to the number of the log, restart the scorers at once',
    )
  const first = logs[0]
  if (first !== undefined && first.facts.partitions.length !== first.wanted.partitions)
    return warning(
      'topic-partitions',
      `${text}; UPSWELL_PARTITIONS is ${first.wanted.partitions}`,
      `UPSWELL_PARTITIONS=${first.facts.partitions.length}, as ${first.name} has`,
      'correct the setting: `upswell topics create` uses it for missing topics. For more partitions, replay',
    )
  return ok('topic-partitions', text)
}

function prefixOf(name: string, role: string): string {
  return name.slice(0, name.length - role.length)
}

const WANTED_REPLICAS = 3

/** Whether a broker may be lost without losing records, or without stopping the writes. */
function judgeReplicas(facts: KafkaFacts, found: readonly FoundTopic[], brokers: number): Finding {
  const leaderless = namesOf(found, ({ facts: { partitions } }) =>
    partitions.some(({ leader }) => leader < 0),
  )
  if (leaderless.length > 0)
    return problem(
      'topic-replicas',
      `no broker leads some partitions of ${namesText(leaderless)}`,
      'a leader for each partition',
      'start the brokers that hold their replicas',
    )
  const known = withSettings('topic-replicas', facts, found)
  if ('check' in known) return known
  const minimum = (topic: (typeof known)[number]) => Number(topic.settings['min.insync.replicas'] ?? 1)
  const refusing = namesOf(known, topic =>
    topic.facts.partitions.some(({ inSync }) => inSync.length < minimum(topic)),
  )
  if (refusing.length > 0)
    return problem(
      'topic-replicas',
      `fewer replicas are in sync than min.insync.replicas of ${namesText(refusing)}: writes are refused`,
      'at least min.insync.replicas in sync',
      'start the missing brokers, or lower min.insync.replicas to less than the replicas',
    )
  const few = namesOf(known, topic => replicasOf(topic) < WANTED_REPLICAS)
  if (few.length > 0)
    return warning(
      'topic-replicas',
      `fewer than ${WANTED_REPLICAS} replicas, of ${countText(brokers, 'broker')}: ${namesText(few)}`,
      `${WANTED_REPLICAS} replicas and min.insync.replicas=2: then no record is lost with a broker`,
      'create topics with --replication-factor 3; reassign existing ones with kafka-reassign-partitions.sh',
    )
  const behind = namesOf(known, ({ facts: { partitions } }) =>
    partitions.some(({ replicas, inSync }) => inSync.length < replicas.length),
  )
  if (behind.length > 0)
    return warning(
      'topic-replicas',
      `some replicas of ${namesText(behind)} are not in sync`,
      'all replicas in sync',
      'find out which broker is away or slow',
    )
  const weak = namesOf(known, topic => minimum(topic) < 2 || minimum(topic) === replicasOf(topic))
  if (weak.length > 0)
    return warning(
      'topic-replicas',
      `min.insync.replicas of ${namesText(weak)} is 1, or as high as the number of replicas`,
      '2, with three replicas',
      'set min.insync.replicas=2: with 1 a confirmed record can be lost, with all a single lost broker stops the writes',
    )
  return ok('topic-replicas', `${WANTED_REPLICAS} or more of each partition, all in sync`)
}

function replicasOf({ facts: { partitions } }: FoundTopic): number {
  return Math.min(...partitions.map(({ replicas }) => replicas.length))
}

function namesOf<Topic extends FoundTopic>(
  topics: readonly Topic[],
  isSo: (topic: Topic) => boolean,
): string[] {
  return topics.filter(isSo).map(({ name }) => name)
}
