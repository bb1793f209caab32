import { readConfig } from '../app/config.ts'
import { isEmbedded } from '../app/open-backend.ts'
import { UpswellError } from '../lib/errors.ts'
import { createTopics } from '../log/kafka/kafka-topics.ts'
import { topicNames } from '../log/topic-names.ts'
import { topicsOfInstallation } from '../log/topic-settings.ts'
import { lineLogger } from './terminal.ts'

/**
 * `upswell topics create`: creates missing topics.
 * @throws UpswellError LOG_UNAVAILABLE, INVALID_SETTINGS; PARTITIONS_CHANGED if `signals` has another number
 * of partitions
 */
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
  const topics = topicsOfInstallation(topicNames(config.topicPrefix), config.partitions, replicationFactor)
  const { created, existing, different } = await createTopics({
    brokers: config.kafkaBrokers,
    clientId: 'upswell',
    logger: lineLogger(config.logLevel),
    topics,
  })
  if (created.length > 0)
    process.stdout.write(`created with ${config.partitions} partitions: ${created.join(', ')}\n`)
  if (existing.length > 0) process.stdout.write(`already there: ${existing.join(', ')}\n`)
  for (const { name, partitions, wanted } of different) {
    process.stdout.write(
      `${name} has ${partitions} partitions, not ${wanted}; it was not changed, because more partitions would move accounts\n`,
    )
  }
}
