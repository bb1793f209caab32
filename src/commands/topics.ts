import { readConfig } from '../config.ts'
import { createTopics, type TopicToCreate } from '../consumers/kafka-topics.ts'
import { TOPIC_ROLES, type TopicRole, topicNames } from '../consumers/topics.ts'
import { UpswellError } from '../errors.ts'
import { isEmbedded } from '../open-backend.ts'
import { lineLogger } from './line-logger.ts'

/** The most that a broker takes in one request by default: what a source could send, dead-letter must be able to hold. */
const LARGEST_MESSAGE_BYTES = String(100 * 1024 * 1024)
const KEPT_FOR_EVER = '-1'

/** What matters of each topic beside its number of partitions. Sources and outputs are kept as long as the brokers' defaults say. */
const TOPIC_CONFIG: Partial<Record<TopicRole, Readonly<Record<string, string>>>> = {
  // The log is the truth: all scores can be made again from it. Its times are the signals' own when history is loaded, so nothing may go by age.
  signals: {
    'retention.ms': KEPT_FOR_EVER,
    'retention.bytes': KEPT_FOR_EVER,
    'message.timestamp.type': 'CreateTime',
  },
  'account-scores': { 'cleanup.policy': 'compact' },
  'dead-letter': { 'max.message.bytes': LARGEST_MESSAGE_BYTES, 'retention.ms': KEPT_FOR_EVER },
  // Their times too are those of the signals behind them.
  'tier-changes': { 'retention.ms': KEPT_FOR_EVER },
  'pql-events': { 'retention.ms': KEPT_FOR_EVER },
  alerts: { 'retention.ms': KEPT_FOR_EVER },
}

/** `upswell topics create`. @throws UpswellError LOG_UNAVAILABLE, INVALID_SETTINGS, PARTITIONS_CHANGED if `signals` exists with another number */
export async function createAllTopics({
  replicationFactor,
}: {
  readonly replicationFactor?: number
}): Promise<void> {
  const config = readConfig()
  if (isEmbedded(config))
    throw new UpswellError(
      'INVALID_SETTINGS',
      'topics are created on Kafka: set KAFKA_BROKERS=host:port. The embedded default needs none.',
    )
  const names = topicNames(config.topicPrefix)
  const topics: TopicToCreate[] = TOPIC_ROLES.map(role => ({
    name: names[role],
    partitions: config.partitions,
    config: TOPIC_CONFIG[role] ?? {},
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
  }))
  const { created, existing, different } = await createTopics({
    brokers: config.kafkaBrokers,
    clientId: 'upswell',
    log: lineLogger(config.logLevel),
    topics,
  })
  if (created.length > 0)
    process.stdout.write(`created with ${config.partitions} partitions: ${created.join(', ')}\n`)
  if (existing.length > 0) process.stdout.write(`already there: ${existing.join(', ')}\n`)
  for (const { name, partitions, wanted } of different) {
    process.stdout.write(
      `${name} has ${partitions} partitions, not ${wanted}; it was left as it is, as more partitions would move accounts\n`,
    )
  }
}
