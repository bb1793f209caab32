import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Backend, BackendMeters } from '../consumers/backend.ts'
import { findServed } from '../consumers/lineage/find-served.ts'
import { Lineages } from '../consumers/lineage/lineages.ts'
import { UpswellError } from '../lib/errors.ts'
import type { Logger } from '../lib/logger.ts'
import { outagesOf } from '../lib/outages.ts'
import { type TopicNames, topicNames } from '../log/topic-names.ts'
import type { ModelLibrary } from '../models/model-library.ts'
import type { Config } from './config.ts'
import { openKafkaRedisBackend } from './kafka-redis-backend.ts'
import { ProcessMemory } from './process-memory.ts'

export interface OpenedBackend extends Backend {
  readonly topics: TopicNames
  readonly memory: ProcessMemory
}

/** Larger pieces of the embedded log are read no faster. */
const MAX_READ_BYTES = 1024 * 1024

export function isEmbedded(config: Config): boolean {
  return config.kafkaBrokers.length === 0
}

/** All transactional ids of an installation begin with this. */
export function transactionalIdPrefix({ namespace }: Pick<Config, 'namespace'>): string {
  return `upswell-${namespace}`
}

/**
 * Opens the log, and the store and topics of the serving lineage. The settings name it, until a replay is
 * promoted.
 * @throws UpswellError as `findServed`
 */
export async function openServed(
  config: Config,
  logger: Logger,
  library: ModelLibrary,
): Promise<OpenedBackend> {
  const backend = await openBackend(config, logger)
  const lineages = new Lineages(config, backend, library)
  try {
    const { names, backend: served } = await findServed(lineages)
    const close = async () => {
      await lineages.close()
      await backend.close()
    }
    return { ...served, topics: names.topics, memory: backend.memory, close }
  } catch (error) {
    await lineages.close()
    await backend.close()
    throw error
  }
}

/**
 * In production an embedded installation is never begun by accident: `KAFKA_BROKERS` may have been forgotten.
 * @throws UpswellError INVALID_SETTINGS if it is not set, and the data folder has no data yet
 */
export function refuseForgottenKafka(config: Config): void {
  if (!isEmbedded(config) || !config.production) return
  if (EMBEDDED_FILES.some(file => existsSync(join(config.dataDir, file)))) return
  throw forgottenKafka(`${config.dataDir} holds no data`)
}

export function forgottenKafka(found: string): UpswellError {
  return new UpswellError(
    'INVALID_SETTINGS',
    `KAFKA_BROKERS is not set, and ${found}. In production (NODE_ENV=production) set KAFKA_BROKERS=host:port and REDIS_URL. To run embedded on purpose, use "upswell start --empty" for your own data, or "upswell start --sample" to look at the sample`,
  )
}

const EMBEDDED_FILES = ['data.mdb', 'workspace.json']

/** What only a role of the service has. */
export interface RoleParts {
  readonly meters?: BackendMeters
  /** A command has its own. */
  readonly memory?: ProcessMemory
  /** A command beside a role must not take the role's place in a group. */
  readonly instanceId?: string | undefined
}

/**
 * Opens the log and the store that the settings name. Does not wait for Kafka or Redis.
 * @throws UpswellError INVALID_SETTINGS as `refuseForgottenKafka`
 */
export async function openBackend(
  config: Config,
  logger: Logger,
  { meters, memory = ProcessMemory.ofThisThread(config), instanceId }: RoleParts = {},
): Promise<OpenedBackend> {
  const topics = topicNames(config.topicPrefix)
  if (isEmbedded(config)) {
    refuseForgottenKafka(config)
    // Loaded only here: it takes about 6 MiB.
    const { openEmbeddedBackend } = await import('./embedded-backend.ts')
    const backend = await openEmbeddedBackend({
      directory: config.dataDir,
      partitions: config.partitions,
      maxReadBytes: Math.min(MAX_READ_BYTES, memory.budget.fetchedBytes / config.partitions),
      outages: outagesOf(logger),
      meters,
    })
    return { ...backend, topics, memory }
  }
  const backend = await openKafkaRedisBackend({
    kafka: {
      brokers: config.kafkaBrokers,
      clientId: 'upswell',
      transactionalIdPrefix: transactionalIdPrefix(config),
      sessionTimeoutMs: config.sessionTimeoutMs,
      fetch: { maxBytes: memory.budget.fetchedBytes },
      quota: memory.fetched,
      instanceId,
      logger,
    },
    redis: { url: config.redisUrl, namespace: config.namespace, logger },
    meters,
  })
  return { ...backend, topics, memory }
}
