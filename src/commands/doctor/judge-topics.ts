import { answered } from '../../lib/attempt.ts'
import type { KafkaFacts } from '../../log/kafka/inspect/kafka-facts.ts'
import {
  type FoundTopic as ComparedTopic,
  type TopicDifference,
  topicDifferences,
} from '../../log/topic-differences.ts'
import { CHECKPOINTS } from '../../log/topic-names.ts'
import type { Compared } from '../../log/topic-setting-differences.ts'
import { type CheckedTopic, type FoundTopic, foundTopics } from './checked-topics.ts'
import { type CheckId, type Finding, notChecked, ok, problem, warning } from './finding.ts'
import { namesText } from './units.ts'

/** Check → what it says if nothing differs. */
const TOPIC_CHECKS = {
  'topic-partitions': 'as UPSWELL_PARTITIONS says, and as the log',
  'topic-replicas': 'all replicas are in sync',
  'topic-retention': 'signals are kept for ever, and sources for a day or longer',
  'topic-cleanup': 'each topic has its policy',
  'topic-times': 'signals keep their own times, and the brokers refuse those of the future',
  'topic-sizes': 'each topic takes the records that are written to it',
} as const satisfies Partial<Record<CheckId, string>>

type TopicCheck = keyof typeof TOPIC_CHECKS

/** Under which check a difference is reported. `settings` is reported by each check that needs them. */
const CHECK_OF: Readonly<Record<Exclude<Compared, 'settings'>, TopicCheck>> = {
  partitions: 'topic-partitions',
  replicas: 'topic-replicas',
  'min.insync.replicas': 'topic-replicas',
  'retention.ms': 'topic-retention',
  'retention.bytes': 'topic-retention',
  'cleanup.policy': 'topic-cleanup',
  'min.compaction.lag.ms': 'topic-cleanup',
  'message.timestamp.type': 'topic-times',
  'message.timestamp.after.max.ms': 'topic-times',
  'message.timestamp.before.max.ms': 'topic-times',
  'max.message.bytes': 'topic-sizes',
}

/** Whether the topics are there and are as Upswell needs them. */
export function judgeTopics(facts: KafkaFacts, checked: readonly CheckedTopic[]): Finding[] {
  const { topics, brokers } = facts
  const checks = Object.keys(TOPIC_CHECKS) as TopicCheck[]
  if ('reason' in topics)
    return (['topics-there', ...checks] as const).map(check => notChecked(check, topics.reason))
  const found = foundTopics(checked, topics.value)
  const there = judgePresence(facts, checked)
  if (found.length === 0) return [there, ...checks.map(check => notChecked(check, 'no topic is there'))]
  const count = brokers.filter(({ nodeId }) => nodeId !== undefined).length
  const differences = differencesOf(found, count)
  return [
    there,
    ...checks.map(
      check =>
        (check === 'topic-replicas' ? judgeWrites(found) : undefined) ??
        differing(check, differences) ??
        unreadable(check, found) ??
        (check === 'topic-replicas' ? judgeBehind(found) : undefined) ??
        ok(check, check === 'topic-partitions' ? partitionsText(found) : TOPIC_CHECKS[check]),
    ),
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

/** Each lineage by itself: a promoted one may have more partitions than UPSWELL_PARTITIONS says. */
function differencesOf(found: readonly FoundTopic[], brokers: number): TopicDifference[] {
  const first = found.filter(({ isOfFirst }) => isOfFirst)
  const further = found.filter(({ isOfFirst }) => !isOfFirst)
  const log = further.find(({ role }) => role === 'signals')
  const kept = further.map(topic => ({
    ...topic,
    partitions: log?.facts.partitions.length ?? topic.partitions,
  }))
  return [first, kept].flatMap(wanted => topicDifferences(wanted, wanted.map(asCompared), brokers))
}

function asCompared({ name, facts: { partitions, settings } }: FoundTopic): ComparedTopic {
  const known = answered(settings)
  const entries = Object.entries(known ?? {}).flatMap(([setting, value]) =>
    value === null ? [] : [[setting, value] as const],
  )
  return {
    name,
    partitions: partitions.length,
    replicationFactor: Math.min(...partitions.map(({ replicas }) => replicas.length)),
    config: known === undefined ? undefined : Object.fromEntries(entries),
  }
}

/** Errors before warnings, and one line of advice for all topics that differ in the same way. */
function differing(check: TopicCheck, differences: readonly TopicDifference[]): Finding | undefined {
  const own = differences
    .filter(({ setting }) => setting !== 'settings' && CHECK_OF[setting] === check)
    .sort((a, b) => a.severity.localeCompare(b.severity))
  const [worst] = own
  if (worst === undefined) return undefined
  const isAlike = (one: TopicDifference, other: TopicDifference) =>
    one.setting === other.setting && one.severity === other.severity && one.accepted === other.accepted
  const firsts = own.filter((each, i) => own.findIndex(other => isAlike(each, other)) === i)
  const accepted = firsts.map(each =>
    firsts.length === 1 ? each.accepted : `${each.setting} ${each.accepted}`,
  )
  const advice = firsts.map(first => {
    const others = own.filter(each => each !== first && isAlike(first, each)).map(({ topic }) => topic)
    const same = others.length === 0 ? '' : ` The same for ${namesText(others)}.`
    return `${first.remedy}${same} Why: ${first.why}`
  })
  const report = worst.severity === 'error' ? problem : warning
  return report(
    check,
    namesText(own.map(({ topic, setting, found }) => `${setting} of ${topic} is ${found}`)),
    accepted.join(', '),
    advice.join(' '),
  )
}

/** All checks but that of the partitions need the settings. */
function unreadable(check: TopicCheck, found: readonly FoundTopic[]): Finding | undefined {
  const unknown = found.filter(({ facts }) => 'reason' in facts.settings)
  const [first] = unknown
  if (check === 'topic-partitions' || first === undefined || 'value' in first.facts.settings) return undefined
  const names = namesText(unknown.map(({ name }) => name))
  return notChecked(check, `the settings of ${names} cannot be read: ${first.facts.settings.reason}`)
}

function partitionsText(found: readonly FoundTopic[]): string {
  return found
    .filter(({ role }) => role === 'signals' || role === CHECKPOINTS)
    .map(({ name, facts }) => `${name} has ${facts.partitions.length}`)
    .join(', ')
}

/** Whether the topics can be written now. */
function judgeWrites(found: readonly FoundTopic[]): Finding | undefined {
  const leaderless = found.filter(({ facts }) => facts.partitions.some(({ leader }) => leader < 0))
  if (leaderless.length > 0)
    return problem(
      'topic-replicas',
      `no broker leads some partitions of ${namesOf(leaderless)}`,
      'a leader for each partition',
      'start the brokers that hold their replicas',
    )
  const refusing = found.filter(({ facts: { partitions, settings } }) => {
    const least = Number(answered(settings)?.['min.insync.replicas'] ?? 1)
    return partitions.some(({ replicas, inSync }) => inSync.length < Math.min(least, replicas.length))
  })
  if (refusing.length === 0) return undefined
  return problem(
    'topic-replicas',
    `fewer replicas are in sync than min.insync.replicas of ${namesOf(refusing)}: writes are refused`,
    'at least min.insync.replicas in sync',
    'start the missing brokers, or lower min.insync.replicas to less than the replicas',
  )
}

function judgeBehind(found: readonly FoundTopic[]): Finding | undefined {
  const behind = found.filter(({ facts: { partitions } }) =>
    partitions.some(({ replicas, inSync }) => inSync.length < replicas.length),
  )
  if (behind.length === 0) return undefined
  return warning(
    'topic-replicas',
    `some replicas of ${namesOf(behind)} are not in sync`,
    'all replicas in sync',
    'find out which broker is away or slow',
  )
}

function namesOf(topics: readonly FoundTopic[]): string {
  return namesText(topics.map(({ name }) => name))
}
