import type { Config } from '../../app/config.ts'
import { type Attempt, answered } from '../../lib/attempt.ts'
import {
  type BrokerFacts,
  type KafkaFacts,
  OFFSETS_TOPIC,
  type Settings,
  TRANSACTIONS_TOPIC,
} from '../../log/kafka/inspect/kafka-facts.ts'
import { TRANSACTION_TIMEOUT_MS } from '../../log/kafka/transactions.ts'
import { type Finding, notChecked, ok, problem, warning } from './finding.ts'
import { countText, durationText } from './units.ts'

export function judgeBrokers({ brokers, topics }: KafkaFacts): Finding[] {
  const away = brokers.filter(({ connected }) => 'reason' in connected)
  const answering = brokers.length - away.length
  const gone = goneBrokers(brokers, topics)
  const known = `${answering} of ${brokers.length} addresses answer: ${brokers.map(describe).join(', ')}`
  const found =
    gone.length === 0 ? known : `${known}; the cluster has lost broker ${gone.join(', ')}, which has replicas`
  const reachable =
    away.length + gone.length === 0
      ? ok('brokers', found)
      : problem(
          'brokers',
          found,
          'every broker answers, at the address that the cluster gives',
          'start the broker, or correct KAFKA_BROKERS, advertised.listeners or the network',
        )
  return [reachable, judgeVersions(brokers)]
}

/** Brokers that hold replicas, and that the cluster does not list any more. */
function goneBrokers(brokers: readonly BrokerFacts[], topics: KafkaFacts['topics']): number[] {
  const listed = new Set(brokers.map(({ nodeId }) => nodeId))
  const holders = (answered(topics) ?? []).flatMap(({ partitions }) =>
    partitions.flatMap(({ replicas }) => replicas),
  )
  return [...new Set(holders)].filter(nodeId => !listed.has(nodeId)).sort((a, b) => a - b)
}

function describe({ address, nodeId, connected }: BrokerFacts): string {
  const name = nodeId === undefined ? address : `${address} (broker ${nodeId})`
  return 'reason' in connected ? `${name} does not: ${connected.reason}` : name
}

function judgeVersions(brokers: readonly BrokerFacts[]): Finding {
  const connected = brokers.flatMap(broker => {
    const value = answered(broker.connected)
    return value === undefined ? [] : [{ ...value, address: broker.address }]
  })
  if (connected.length === 0) return notChecked('kafka-version', 'no broker answers')
  const releases = [...new Set(connected.map(({ release }) => release ?? 'older than 2.4'))].sort()
  const found = `by its protocol, Kafka ${releases.join(' and ')}${releases.every(isOpen) ? ' or later' : ''}`
  const missing = [...new Set(connected.flatMap(({ missingRequests }) => missingRequests))]
  if (missing.length > 0)
    return problem(
      'kafka-version',
      `${found}; no common version of ${missing.join(', ')}`,
      'a Kafka that answers all requests of this client, such as 3.9 or 4.1',
      'use another release of Kafka, or of Upswell',
    )
  // message.timestamp.after.max.ms came with 3.6.
  if (connected.some(({ release }) => release === undefined || Number(release.slice(0, 3)) < 3.5))
    return warning(
      'kafka-version',
      found,
      '3.6 or later, which refuses records with times of the future',
      'upgrade Kafka: an older one takes records of a machine whose clock is far ahead',
    )
  if (releases.length > 1)
    return warning('kafka-version', found, 'one release on all brokers', 'finish the upgrade of Kafka')
  return ok('kafka-version', found)
}

function isOpen(release: string): boolean {
  return /^\d/.test(release)
}

/** Answers of the brokers to one question: each value, and who gave it. */
interface Answers {
  readonly check: Finding['check']
  readonly settings: KafkaFacts['brokerSettings']
}

/** The settings of all brokers that answered; a finding if none did. */
function settingsOf({ check, settings }: Answers): readonly Settings[] | Finding {
  const answers: readonly Attempt<Settings>[] = [...settings.values()]
  const known = answers.flatMap(each => ('value' in each ? [each.value] : []))
  if (known.length > 0) return known
  const [first] = answers
  const reason = first !== undefined && 'reason' in first ? first.reason : 'no broker answers'
  return notChecked(check, `the brokers' settings cannot be read: ${reason}`)
}

function isFinding(answer: readonly Settings[] | Finding): answer is Finding {
  return 'check' in answer
}

/** The distinct values of a setting, without those that no broker knows. */
function valuesOf(settings: readonly Settings[], name: string): number[] {
  const texts = settings.flatMap(each => each[name] ?? [])
  return [...new Set(texts.map(Number))].sort((a, b) => a - b)
}

export function judgeKafkaSettings(
  { brokerSettings: settings }: KafkaFacts,
  { sessionTimeoutMs }: Pick<Config, 'sessionTimeoutMs'>,
): Finding {
  const known = settingsOf({ check: 'kafka-settings', settings })
  if (isFinding(known)) return known
  const least = valuesOf(known, 'group.min.session.timeout.ms').at(-1) ?? 0
  const most = valuesOf(known, 'group.max.session.timeout.ms')[0] ?? Number.POSITIVE_INFINITY
  if (sessionTimeoutMs < least || sessionTimeoutMs > most)
    return problem(
      'kafka-settings',
      `UPSWELL_SESSION_TIMEOUT_MS is ${sessionTimeoutMs}`,
      `${least} to ${most}: group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers`,
      'change UPSWELL_SESSION_TIMEOUT_MS: no process can join its group',
    )
  if (known.some(each => each['auto.create.topics.enable'] === 'true'))
    return warning(
      'kafka-settings',
      'auto.create.topics.enable is true',
      'false: a misspelt topic must fail',
      'set auto.create.topics.enable=false on all brokers',
    )
  return ok(
    'kafka-settings',
    `auto.create.topics.enable is false, sessions of ${sessionTimeoutMs} ms are taken`,
  )
}

const DAY_MS = 86_400_000

export function judgeTransactions({ brokerSettings: settings }: KafkaFacts): Finding {
  const known = settingsOf({ check: 'transactions', settings })
  if (isFinding(known)) return known
  const longest = valuesOf(known, 'transaction.max.timeout.ms')[0]
  const kept = valuesOf(known, 'transactional.id.expiration.ms')[0]
  if (longest === undefined || kept === undefined)
    return notChecked('transactions', 'the brokers do not show their settings of transactions')
  if (longest < TRANSACTION_TIMEOUT_MS)
    return problem(
      'transactions',
      `transaction.max.timeout.ms is ${longest}`,
      `${TRANSACTION_TIMEOUT_MS} or more: transactions of Upswell may take so long`,
      'raise transaction.max.timeout.ms on all brokers: they refuse every transaction',
    )
  if (kept < DAY_MS)
    return warning(
      'transactions',
      `transactional.id.expiration.ms is ${kept}`,
      `${DAY_MS} (a day) or more; Kafka's default is 7 days`,
      'raise transactional.id.expiration.ms: the next transaction of a quiet partition fails once, and is repeated',
    )
  return ok('transactions', `up to ${durationText(longest)} long, ids kept for ${durationText(kept)}`)
}

const WEEK_MINUTES = 7 * 24 * 60

export function judgeKeptOffsets({ brokerSettings: settings }: KafkaFacts): Finding {
  const known = settingsOf({ check: 'kept-offsets', settings })
  if (isFinding(known)) return known
  const [minutes] = valuesOf(known, 'offsets.retention.minutes')
  if (minutes === undefined)
    return notChecked('kept-offsets', 'the brokers do not show offsets.retention.minutes')
  const found = `offsets.retention.minutes is ${minutes} (${durationText(minutes * 60_000)})`
  if (minutes >= WEEK_MINUTES) return ok('kept-offsets', found)
  return warning(
    'kept-offsets',
    found,
    `${WEEK_MINUTES} (7 days) or more, and longer than you ever stop everything`,
    'raise offsets.retention.minutes: source records are read twice if ingest is stopped for longer',
  )
}

/** Whether Kafka's own topics survive the loss of a broker. */
export function judgeInternalTopics({ topics, brokers }: KafkaFacts): Finding {
  if ('reason' in topics) return notChecked('internal-topics', topics.reason)
  const internal = topics.value.filter(
    ({ name, state }) => [OFFSETS_TOPIC, TRANSACTIONS_TOPIC].includes(name) && state === 'there',
  )
  if (internal.length === 0)
    return notChecked('internal-topics', 'they appear with the first group and the first transaction')
  const wanted = 3
  const counts = internal.map(({ name, partitions }) => ({
    name,
    replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
  }))
  const found = counts.map(({ name, replicas }) => `${name} has ${countText(replicas, 'replica')}`).join(', ')
  if (counts.every(({ replicas }) => replicas >= wanted)) return ok('internal-topics', found)
  return warning(
    'internal-topics',
    `${found}, of ${countText(brokers.filter(({ nodeId }) => nodeId !== undefined).length, 'broker')}`,
    `${wanted} replicas`,
    'add brokers, and reassign the partitions: with a lost broker, offsets and transactions are lost or wait',
  )
}
