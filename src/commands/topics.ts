import { readConfig } from '../app/config.ts'
import { isEmbedded } from '../app/open-backend.ts'
import { counted } from '../console/format.ts'
import { UpswellError } from '../lib/errors.ts'
import { compareTopics } from '../log/kafka/describe-topics.ts'
import { createTopics } from '../log/kafka/kafka-topics.ts'
import type { TopicDifference } from '../log/topic-differences.ts'
import { topicNames } from '../log/topic-names.ts'
import { topicsOfInstallation } from '../log/topic-settings.ts'
import { lineLogger, print } from './terminal.ts'

/**
 * `upswell topics create`: creates missing topics, and compares the settings of all. Returns the exit code: 1
 * if a topic cannot be used as it is.
 * @throws UpswellError LOG_UNAVAILABLE, INVALID_SETTINGS
 */
export async function createAllTopics({
  replicationFactor,
}: {
  readonly replicationFactor?: number
}): Promise<number> {
  const config = readConfig()
  if (isEmbedded(config))
    throw new UpswellError(
      'INVALID_SETTINGS',
      'topics are created on Kafka: set KAFKA_BROKERS=host:port. The embedded default needs none.',
    )
  const topics = topicsOfInstallation(topicNames(config.topicPrefix), config.partitions, replicationFactor)
  const kafka = {
    brokers: config.kafkaBrokers,
    clientId: 'upswell',
    logger: lineLogger(config.logLevel),
    topics,
  }
  const { created, existing } = await createTopics(kafka)
  if (created.length > 0) print(`created with ${config.partitions} partitions: ${created.join(', ')}`)
  if (existing.length > 0) print(`already there: ${existing.join(', ')}`)
  const differences = await compareTopics(kafka)
  const errors = differences.filter(({ severity }) => severity === 'error')
  const warnings = differences.filter(({ severity }) => severity === 'warning')
  for (const difference of [...errors, ...warnings]) print(describeDifference(difference))
  if (errors.length === 0) return 0
  print(
    `${counted(errors.length, 'error')}: topics that exist are never changed. Correct them, and run this again.`,
  )
  return 1
}

function describeDifference({
  topic,
  setting,
  found,
  accepted,
  severity,
  why,
  remedy,
}: TopicDifference): string {
  return `${severity}: ${topic}: ${setting} is ${found}; ${accepted} is accepted. ${why} ${remedy}`
}
