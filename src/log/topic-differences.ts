import type { TopicRole } from './topic-names.ts'
import { FARTHEST_TIMESTAMP, type WantedTopic } from './topic-settings.ts'

/** A topic as Kafka has it. */
export interface FoundTopic {
  readonly name: string
  readonly partitions: number
  /** The fewest replicas that one of its partitions has. */
  readonly replicationFactor: number
  /** Its settings, with the brokers' defaults; undefined: this user may not read them. */
  readonly config: Readonly<Record<string, string>> | undefined
}

/** One way in which a topic is not as Upswell wants it. */
export interface TopicDifference {
  readonly topic: string
  /** `partitions`, `replicas`, or the name that Kafka gives the setting. */
  readonly setting: string
  readonly found: string
  readonly accepted: string
  /** An error loses data or stops the work; a warning is a choice that an operator may make knowingly. */
  readonly severity: 'error' | 'warning'
  /** A sentence: what happens if it stays. */
  readonly why: string
  /** A sentence: what to do. */
  readonly remedy: string
}

/** A difference without what all differences of one topic share. */
type Finding = Omit<TopicDifference, 'topic'>

/** The topics whose partitions belong together: partition 3 of one holds what follows from 3 of the other. */
const BOUND_TO_PARTITIONS: readonly TopicRole[] = ['signals', 'activity-checkpoints']
const DAY_MS = 86_400_000
const NO_LIMIT = -1

/**
 * Compares a topic that exists with the wanted one. Retention of events and of dead letters is free: see
 * docs/runbook.md, "Backups".
 * @param brokers how many brokers the cluster has
 */
export function topicDifferences(wanted: WantedTopic, found: FoundTopic, brokers: number): TopicDifference[] {
  const findings = [
    comparePartitions(wanted, found),
    compareReplicas(wanted, found, brokers),
    ...(found.config === undefined ? [SETTINGS_UNKNOWN] : compareSettings(wanted, found, found.config)),
  ]
  return findings.flatMap(finding => (finding === undefined ? [] : [{ topic: found.name, ...finding }]))
}

const SETTINGS_UNKNOWN: Finding = {
  setting: 'settings',
  found: 'unknown',
  accepted: 'settings that can be read',
  severity: 'warning',
  why: 'The brokers do not let this user read them, so they were not compared.',
  remedy: 'Allow DescribeConfigs on the topic, and run the command again.',
}

function comparePartitions({ role, partitions }: WantedTopic, found: FoundTopic): Finding | undefined {
  if (found.partitions === partitions) return undefined
  const same = `set UPSWELL_PARTITIONS=${found.partitions} to keep them`
  const common = { setting: 'partitions', found: String(found.partitions), accepted: String(partitions) }
  if (BOUND_TO_PARTITIONS.includes(role))
    return {
      ...common,
      severity: 'error',
      why: 'It was not changed: with another number, accounts would move to partitions that do not have their state.',
      remedy: `If signals has this number on purpose, ${same}. For more partitions, replay into ${partitions} and promote (docs/replay.md). If no record was ever written, delete the topic and run the command again.`,
    }
  return {
    ...common,
    severity: 'warning',
    why: 'Upswell works with it. The number limits how many consumers can share the topic.',
    remedy: 'Nothing, if it is on purpose.',
  }
}

function compareReplicas(
  { replicationFactor: wanted }: WantedTopic,
  { replicationFactor: found }: FoundTopic,
  brokers: number,
): Finding | undefined {
  const common = { setting: 'replicas', found: String(found) }
  const remedy = 'Add replicas with kafka-reassign-partitions.sh.'
  if (wanted !== undefined && found < wanted)
    return {
      ...common,
      accepted: `${wanted} or more`,
      severity: 'error',
      why: 'Fewer brokers can be lost than --replication-factor asks for.',
      remedy,
    }
  if (wanted === undefined && found < 2 && brokers > 1)
    return {
      ...common,
      accepted: '2 or more',
      severity: 'warning',
      why: `The topic is lost with one of the ${brokers} brokers.`,
      remedy,
    }
  return undefined
}

type Settings = Readonly<Record<string, string>>

function compareSettings(
  { name, role, config: wanted = {} }: WantedTopic,
  { replicationFactor }: FoundTopic,
  found: Settings,
): (Finding | undefined)[] {
  const numberOf = (setting: string) => Number(found[setting])
  const differs = (setting: string) =>
    wanted[setting] !== undefined && found[setting] !== undefined && found[setting] !== wanted[setting]
  const report = (setting: string, severity: Finding['severity'], why: string): Finding => ({
    setting,
    found: found[setting]!,
    accepted: wanted[setting]!,
    severity,
    why,
    remedy: `Set ${setting}=${wanted[setting]} with kafka-configs.sh --alter --entity-type topics --entity-name ${name}.`,
  })
  const isShorter = (setting: string) => numberOf(setting) < Number(wanted[setting])
  return [
    differs('cleanup.policy')
      ? report('cleanup.policy', 'error', CLEANUP[wanted['cleanup.policy']!]!)
      : undefined,
    ...(role === 'signals'
      ? retentionOfLog(found).map(({ setting, severity, why }) => report(setting, severity, why))
      : []),
    differs('message.timestamp.type')
      ? report(
          'message.timestamp.type',
          'error',
          'The brokers replace the times of the signals, and scores follow from these times.',
        )
      : undefined,
    differs(FARTHEST_TIMESTAMP) && !isShorter(FARTHEST_TIMESTAMP)
      ? report(
          FARTHEST_TIMESTAMP,
          'warning',
          'A machine whose clock is far ahead can write times of the future into the log.',
        )
      : undefined,
    differs('max.message.bytes') && isShorter('max.message.bytes')
      ? report(
          'max.message.bytes',
          'warning',
          'A larger record that cannot be used does not fit, and ingest stops at it.',
        )
      : undefined,
    differs('min.compaction.lag.ms') && isShorter('min.compaction.lag.ms')
      ? report(
          'min.compaction.lag.ms',
          'warning',
          'An unfinished checkpoint can replace records of the last complete one.',
        )
      : undefined,
    compareInSync(name, replicationFactor, numberOf('min.insync.replicas')),
  ]
}

const CLEANUP: Readonly<Record<string, string>> = {
  compact: 'Kafka deletes records that are still needed: the newest record of each key must stay.',
  delete: 'Kafka deletes older records of an account: compaction keeps only the newest one of each key.',
}

/** Checkpoints can restore a log that is kept for a day. A shorter one may end before a checkpoint does. */
function retentionOfLog(found: Settings): Pick<Finding, 'setting' | 'severity' | 'why'>[] {
  const limits = (['retention.ms', 'retention.bytes'] as const).filter(
    setting => found[setting] !== undefined && Number(found[setting]) !== NO_LIMIT,
  )
  return limits.map(setting => {
    const isTooShort = setting === 'retention.ms' && Number(found[setting]) < DAY_MS
    return {
      setting,
      severity: isTooShort ? 'error' : 'warning',
      why: isTooShort
        ? 'Kafka deletes signals before a checkpoint holds them: a lost Redis could not be restored.'
        : 'Kafka deletes signals, and history that is loaded with its own times at once. A lost Redis then needs a checkpoint, and a replay begins where the log begins.',
    }
  })
}

function compareInSync(name: string, replicas: number, inSync: number): Finding | undefined {
  const setting = 'min.insync.replicas'
  const alter = (value: number) =>
    `Set ${setting}=${value} with kafka-configs.sh --alter --entity-type topics --entity-name ${name}.`
  if (inSync > replicas)
    return {
      setting,
      found: String(inSync),
      accepted: `at most ${replicas}, as many as there are replicas`,
      severity: 'error',
      why: 'Kafka refuses every write to the topic.',
      remedy: alter(Math.max(1, replicas - 1)),
    }
  if (replicas >= 3 && inSync < 2)
    return {
      setting,
      found: String(inSync),
      accepted: '2 or more',
      severity: 'warning',
      why: 'Records that only one broker has are lost with it.',
      remedy: alter(2),
    }
  return undefined
}
