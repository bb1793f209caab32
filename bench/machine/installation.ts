import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { type TopicNames, topicNames } from '../../src/log/topic-names.ts'
import { topicsOfInstallation } from '../../src/log/topic-settings.ts'
import { PARTITIONS } from '../jobs/jobs.ts'
import { recreateTopics } from './bench-topics.ts'

/** An installation of the bench: topics with a prefix of their own, of which the signals outlive a run, and a namespace and a group for each run. */
export interface Installation {
  readonly brokers: readonly string[]
  readonly topicPrefix: string
  readonly topics: TopicNames
}

export const BENCH_PREFIX = 'upswell-bench-'

export function newInstallation(brokers: readonly string[]): Installation {
  const topicPrefix = `${BENCH_PREFIX}${randomUUID().slice(0, 8)}-`
  return { brokers, topicPrefix, topics: topicNames(topicPrefix) }
}

/** Its topic of signals, empty, with the settings that `upswell topics create` gives it. */
export async function createSignalsTopic({ brokers, topics }: Installation): Promise<void> {
  await recreateTopics(
    brokers,
    topicsOfInstallation(topics, PARTITIONS).filter(({ name }) => name === topics.signals),
  )
}

/** What a run needs that none has used: empty topics of outputs, and settings for its scorers. */
export interface PreparedRun {
  readonly namespace: string
  readonly scoreGroup: string
  readonly settings: Readonly<Record<string, string>>
}

/**
 * The settings are those that the product ships with, apart from where things are, and the ticker: the signals' times lie in the past, and are to the score loop what
 * observed live signals are, so a tick of today's time would make every account pass the days since.
 */
export async function prepareRun(
  { brokers, topicPrefix, topics }: Installation,
  redisUrl: string,
  more: Readonly<Record<string, string>> = {},
): Promise<PreparedRun> {
  await recreateTopics(
    brokers,
    topicsOfInstallation(topics, PARTITIONS).filter(({ name }) => name !== topics.signals),
  )
  const namespace = `${topicPrefix}${randomUUID().slice(0, 8)}`
  return {
    namespace,
    scoreGroup: `${namespace}-score`,
    settings: {
      KAFKA_BROKERS: brokers.join(','),
      REDIS_URL: redisUrl,
      UPSWELL_MODELS: join(PACKAGE_ROOT, 'bench/rolling-score.yaml'),
      UPSWELL_NAMESPACE: namespace,
      UPSWELL_TOPIC_PREFIX: topicPrefix,
      UPSWELL_GROUP: namespace,
      UPSWELL_TICK_INTERVAL_MS: '3600000',
      UPSWELL_PORT: '0',
      UPSWELL_LOG_LEVEL: 'warn',
      ...more,
    },
  }
}
