import type { TopicToCreate } from './log.ts'
import { CHECKPOINTS, OUTPUT_TOPICS, TOPIC_ROLES, type TopicNames, type TopicRole } from './topic-names.ts'

/** The most that a broker takes in one request by default: what a source could send, dead-letter must be able to hold. */
const LARGEST_MESSAGE_BYTES = String(100 * 1024 * 1024)
const KEPT_FOR_EVER = '-1'
const DAY_MS = 24 * 60 * 60 * 1000

/** What matters of each topic beside its number of partitions. Sources are kept as long as the brokers' defaults say. */
const TOPIC_CONFIG: Partial<Record<TopicRole, Readonly<Record<string, string>>>> = {
  // The log is the truth: all scores can be made again from it. Its times are the signals' own when history is loaded, so nothing may go by age.
  signals: {
    'retention.ms': KEPT_FOR_EVER,
    'retention.bytes': KEPT_FOR_EVER,
    'message.timestamp.type': 'CreateTime',
  },
  'account-scores': { 'cleanup.policy': 'compact' },
  // A checkpoint that was begun and left undone takes nothing from the one before for so long; its owner is back by then.
  [CHECKPOINTS]: { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': String(DAY_MS) },
  'dead-letter': { 'max.message.bytes': LARGEST_MESSAGE_BYTES, 'retention.ms': KEPT_FOR_EVER },
  // Their times too are those of the signals behind them.
  'tier-changes': { 'retention.ms': KEPT_FOR_EVER },
  'pql-events': { 'retention.ms': KEPT_FOR_EVER },
  alerts: { 'retention.ms': KEPT_FOR_EVER },
}

/** What `upswell topics create` makes. */
export function topicsOfInstallation(
  names: TopicNames,
  partitions: number,
  replicationFactor?: number,
): TopicToCreate[] {
  return topicsFor(TOPIC_ROLES, names, partitions, replicationFactor)
}

/** What a replay has of its own: it reads no sources. */
export function topicsOfReplay(names: TopicNames, partitions: number): TopicToCreate[] {
  return topicsFor(REPLAY_ROLES, names, partitions)
}

export const REPLAY_ROLES: readonly TopicRole[] = ['signals', ...OUTPUT_TOPICS, CHECKPOINTS]

function topicsFor(
  roles: readonly TopicRole[],
  names: TopicNames,
  partitions: number,
  replicationFactor?: number,
): TopicToCreate[] {
  return roles.map(role => ({
    name: names[role],
    partitions,
    config: TOPIC_CONFIG[role] ?? {},
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
  }))
}
