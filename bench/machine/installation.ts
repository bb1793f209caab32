import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { type TopicNames, topicNames } from '../../src/log/topic-names.ts'
import { topicsOfInstallation } from '../../src/log/topic-settings.ts'
import { PARTITIONS } from '../jobs/jobs.ts'
import { recreateTopics } from './bench-topics.ts'

/**
 * An installation of the bench: topics with their own prefix. The topic of signals outlives a run; each run
 * has its own namespace and group.
 */
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

/** Creates the topic of signals, empty, with the settings of `upswell topics create`. */
export async function createSignalsTopic({ brokers, topics }: Installation): Promise<void> {
  await recreateTopics(
    brokers,
    topicsOfInstallation(topics, PARTITIONS).filter(({ name }) => name === topics.signals),
  )
}

/** Things that no earlier run used: empty output topics, and settings for the scorers. */
export interface PreparedRun {
  readonly namespace: string
  readonly scoreGroup: string
  readonly settings: Readonly<Record<string, string>>
}

/**
 * The settings are the product's defaults, except for addresses and the ticker. The signals have times in the
 * past but count as observed live. A tick with today's time would make every account pass all days since
 * then.
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
