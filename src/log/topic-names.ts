import type { SignalKind } from '../signals/signal.ts'

/** The source topics and the kind of signal that each brings. */
export const SOURCE_TOPICS = {
  'product-usage': 'usage',
  'intent-signals': 'intent',
  'account-traits': 'traits',
  'customer-health': 'health',
  contracts: 'contract',
  'expansion-outcomes': 'outcome',
} as const satisfies Record<string, SignalKind>

export type SourceTopic = keyof typeof SOURCE_TOPICS

export const OUTPUT_TOPICS = [
  'account-scores',
  'tier-changes',
  'pql-events',
  'alerts',
  'dead-letter',
] as const
export type OutputTopic = (typeof OUTPUT_TOPICS)[number]

/** The compacted topic from which an emptied store is rebuilt; see consumers/checkpoints/. */
export const CHECKPOINTS = 'activity-checkpoints'

export type TopicRole = SourceTopic | 'signals' | OutputTopic | typeof CHECKPOINTS

/** Role → the topic's name in this installation. */
export type TopicNames = Readonly<Record<TopicRole, string>>

export const TOPIC_ROLES: readonly TopicRole[] = [
  ...(Object.keys(SOURCE_TOPICS) as SourceTopic[]),
  'signals',
  ...OUTPUT_TOPICS,
  CHECKPOINTS,
]

export function topicNames(prefix: string): TopicNames {
  return Object.fromEntries(TOPIC_ROLES.map(role => [role, `${prefix}${role}`])) as Record<TopicRole, string>
}
