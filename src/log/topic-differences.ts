import { CHECKPOINTS, SOURCE_TOPICS } from './topic-names.ts'
import {
  BROKERS_LARGEST_BYTES,
  compareSettings,
  type Difference,
  type FoundSettings,
} from './topic-setting-differences.ts'
import type { WantedTopic } from './topic-settings.ts'

/** A topic as Kafka has it. */
export interface FoundTopic {
  readonly name: string
  readonly partitions: number
  /** The fewest replicas that one of its partitions has. */
  readonly replicationFactor: number
  /** Its settings, with the brokers' defaults; undefined: this user may not read them. */
  readonly config: FoundSettings | undefined
}

/** One way in which a topic is not as Upswell wants it. */
export interface TopicDifference extends Difference {
  readonly topic: string
}

const ENOUGH_REPLICAS = 3

/**
 * The one judgement of topics that exist: `topics create` and `doctor` report it. Retention of events and of
 * dead letters is free: see docs/runbook.md, "Backups".
 * @param wanted the topics of one lineage
 * @param brokers how many brokers the cluster has
 */
export function topicDifferences(
  wanted: readonly WantedTopic[],
  found: readonly FoundTopic[],
  brokers: number,
): TopicDifference[] {
  const byName = new Map(found.map(topic => [topic.name, topic]))
  const log = wanted.find(({ role }) => role === 'signals')
  const partitionsOfLog = byName.get(log?.name ?? '')?.partitions
  const largestBytes = largestRecord(wanted, byName)
  return wanted.flatMap(topic => {
    const own = byName.get(topic.name)
    if (own === undefined) return []
    const differences = [
      comparePartitions(topic, own, partitionsOfLog),
      compareReplicas(topic, own, brokers),
      compareInSync(own),
      ...(own.config === undefined ? [SETTINGS_UNKNOWN] : compareSettings(topic, own.config, largestBytes)),
    ]
    return differences.flatMap(each => (each === undefined ? [] : [{ topic: own.name, ...each }]))
  })
}

/** What `dead-letter` must take: the largest record that ingest, or a scorer, can read. */
function largestRecord(wanted: readonly WantedTopic[], found: ReadonlyMap<string, FoundTopic>): number {
  const read = wanted.filter(({ role }) => role in SOURCE_TOPICS || role === 'signals')
  const sizes = read.map(({ name }) =>
    Number(found.get(name)?.config?.['max.message.bytes'] ?? BROKERS_LARGEST_BYTES),
  )
  return Math.max(BROKERS_LARGEST_BYTES, ...sizes)
}

const SETTINGS_UNKNOWN: Difference = {
  setting: 'settings',
  found: 'unknown',
  accepted: 'settings that can be read',
  severity: 'warning',
  why: 'The brokers do not let this user read them, so they were not compared.',
  remedy: 'Allow DescribeConfigs on the topic, and run the command again.',
}

/** Partition 3 of the checkpoints holds what follows from partition 3 of the log. */
function comparePartitions(
  { role, partitions }: WantedTopic,
  found: FoundTopic,
  partitionsOfLog: number | undefined,
): Difference | undefined {
  const accepted = role === CHECKPOINTS ? (partitionsOfLog ?? partitions) : partitions
  if (found.partitions === accepted) return undefined
  const common = {
    setting: 'partitions',
    found: String(found.partitions),
    accepted: String(accepted),
  } as const
  if (role === 'signals')
    return {
      ...common,
      severity: 'error',
      why: 'It was not changed: with another number, accounts would move to partitions that do not have their state.',
      remedy: `If ${found.name} has this number on purpose, set UPSWELL_PARTITIONS=${found.partitions} to keep it. For more partitions, replay into ${accepted} and promote (docs/replay.md). If no record was ever written, delete the topic and run \`upswell topics create\` again.`,
    }
  if (role === CHECKPOINTS)
    return {
      ...common,
      severity: 'error',
      why: 'Each partition of the log needs its own partition of checkpoints.',
      remedy: `Delete ${found.name}, run \`upswell topics create\` with UPSWELL_PARTITIONS=${accepted}, and restart the scorers at once.`,
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
): Difference | undefined {
  const common = { setting: 'replicas', found: String(found) } as const
  const remedy = 'Add replicas with kafka-reassign-partitions.sh.'
  if (wanted !== undefined && found < wanted)
    return {
      ...common,
      accepted: `${wanted} or more`,
      severity: 'error',
      why: 'Fewer brokers can be lost than --replication-factor asks for.',
      remedy,
    }
  const possible = Math.min(ENOUGH_REPLICAS, brokers)
  if (wanted !== undefined || found >= possible) return undefined
  return {
    ...common,
    accepted: `${possible} or more`,
    severity: 'warning',
    why:
      found === 1
        ? `The topic is lost with one of the ${brokers} brokers.`
        : 'With a lost broker, either the writes stop, or records can be lost with the next one.',
    remedy,
  }
}

/** How many replicas must confirm a record: two of three lose nothing, and work without one broker. */
function compareInSync({ name, replicationFactor: replicas, config }: FoundTopic): Difference | undefined {
  const setting = 'min.insync.replicas'
  const found = config?.[setting]
  if (found === undefined) return undefined
  const inSync = Number(found)
  const report = (accepted: string, severity: Difference['severity'], why: string, value: number) =>
    ({
      setting,
      found,
      accepted,
      severity,
      why,
      remedy: `Set ${setting}=${value} with kafka-configs.sh --alter --entity-type topics --entity-name ${name}.`,
    }) as const
  if (inSync > replicas)
    return report(
      `at most ${replicas}, as many as there are replicas`,
      'error',
      'Kafka refuses every write to the topic.',
      Math.max(1, replicas - 1),
    )
  if (replicas >= ENOUGH_REPLICAS && inSync < 2)
    return report('2 or more', 'warning', 'Records that only one broker has are lost with it.', 2)
  if (replicas > 1 && inSync === replicas)
    return report(`less than ${replicas}`, 'warning', 'One lost broker stops the writes.', replicas - 1)
  return undefined
}
