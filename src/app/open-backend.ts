import type { Backend } from '../consumers/backend.ts'
import { Lineages } from '../consumers/lineage/lineages.ts'
import type { Logger } from '../lib/logger.ts'
import { outagesOf } from '../lib/outages.ts'
import { type TopicNames, topicNames } from '../log/topic-names.ts'
import type { ModelLibrary } from '../models/model-library.ts'
import type { Config } from './config.ts'
import { openKafkaRedisBackend } from './kafka-redis-backend.ts'

export interface OpenedBackend extends Backend {
  readonly topics: TopicNames
}

export function isEmbedded(config: Config): boolean {
  return config.kafkaBrokers.length === 0
}

/**
 * Opens the log, and the store and topics of the serving lineage. The settings name it, until a replay is
 * promoted.
 * @throws UpswellError STORE_UNAVAILABLE
 */
export async function openServed(
  config: Config,
  logger: Logger,
  library: ModelLibrary,
): Promise<OpenedBackend> {
  const backend = await openBackend(config, logger)
  const lineages = new Lineages(config, backend, library)
  try {
    const { names, backend: served } = await lineages.served()
    const close = async () => {
      await lineages.close()
      await backend.close()
    }
    return { ...served, topics: names.topics, close }
  } catch (error) {
    await lineages.close()
    await backend.close()
    throw error
  }
}

/** Opens the log and the store that the settings name. Does not wait for Kafka or Redis. */
export async function openBackend(config: Config, logger: Logger): Promise<OpenedBackend> {
  const topics = topicNames(config.topicPrefix)
  if (isEmbedded(config)) {
    // Loaded only here: it takes about 6 MiB.
    const { openEmbeddedBackend } = await import('./embedded-backend.ts')
    const backend = await openEmbeddedBackend({
      directory: config.dataDir,
      partitions: config.partitions,
      outages: outagesOf(logger),
    })
    return { ...backend, topics }
  }
  const backend = await openKafkaRedisBackend({
    kafka: {
      brokers: config.kafkaBrokers,
      clientId: 'upswell',
      transactionalIdPrefix: `upswell-${config.namespace}`,
      sessionTimeoutMs: config.sessionTimeoutMs,
      logger,
    },
    redis: { url: config.redisUrl, namespace: config.namespace, logger },
  })
  return { ...backend, topics }
}
