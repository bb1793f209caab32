import type { TopicToCreate } from './log.ts'
import { CHECKPOINTS, OUTPUT_TOPICS, TOPIC_ROLES, type TopicNames, type TopicRole } from './topic-names.ts'

/** A broker's default limit of a request: dead-letter must take any record that a source could take. */
const LARGEST_MESSAGE_BYTES = String(100 * 1024 * 1024)
const KEPT_FOR_EVER = '-1'
const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS
/** Kafka's name; brokers before 3.6 do not know it, and refuse a topic that has it. */
export const FARTHEST_TIMESTAMP = 'message.timestamp.after.max.ms'

/** Their times are the times of the signals that caused them. */
const EVENTS = { 'cleanup.policy': 'delete', 'retention.ms': KEPT_FOR_EVER }

/**
 * Role → the topic's settings, except its number of partitions. Sources have the brokers' default retention.
 */
const TOPIC_CONFIG: Partial<Record<TopicRole, Readonly<Record<string, string>>>> = {
  // The log is the truth: all scores can be computed again from it. Loaded history has the signals' own
  // times, so nothing may be deleted by age.
  signals: {
    'cleanup.policy': 'delete',
    'retention.ms': KEPT_FOR_EVER,
    'retention.bytes': KEPT_FOR_EVER,
    'message.timestamp.type': 'CreateTime',
    // A machine whose clock is far ahead cannot write into the log: the broker's clock guards it.
    [FARTHEST_TIMESTAMP]: String(HOUR_MS),
  },
  'account-scores': { 'cleanup.policy': 'compact' },
  // An unfinished checkpoint must not replace records of the last one: within a day an owner finishes it.
  [CHECKPOINTS]: { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': String(DAY_MS) },
  'dead-letter': {
    'cleanup.policy': 'delete',
    'max.message.bytes': LARGEST_MESSAGE_BYTES,
    'retention.ms': KEPT_FOR_EVER,
  },
  'tier-changes': EVENTS,
  'pql-events': EVENTS,
  alerts: EVENTS,
}

export interface WantedTopic extends TopicToCreate {
  readonly role: TopicRole
}

/** The topics that `upswell topics create` creates. */
export function topicsOfInstallation(
  names: TopicNames,
  partitions: number,
  replicationFactor?: number,
): WantedTopic[] {
  return topicsFor(TOPIC_ROLES, names, partitions, replicationFactor)
}

/** A replay's own topics. It reads no sources. */
export function topicsOfReplay(names: TopicNames, partitions: number): WantedTopic[] {
  return topicsFor(REPLAY_ROLES, names, partitions)
}

export const REPLAY_ROLES: readonly TopicRole[] = ['signals', ...OUTPUT_TOPICS, CHECKPOINTS]

function topicsFor(
  roles: readonly TopicRole[],
  names: TopicNames,
  partitions: number,
  replicationFactor?: number,
): WantedTopic[] {
  return roles.map(role => ({
    role,
    name: names[role],
    partitions,
    config: TOPIC_CONFIG[role] ?? {},
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
  }))
}
