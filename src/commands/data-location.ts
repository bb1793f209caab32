import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../app/config.ts'
import { isEmbedded, refuseForgottenKafka } from '../app/open-backend.ts'

/**
 * Opening an embedded backend creates its folder, so commands that only read ask this first.
 * @throws UpswellError INVALID_SETTINGS in production, where `KAFKA_BROKERS` may have been forgotten
 */
export function isNeverStarted(config: Config): boolean {
  refuseForgottenKafka(config)
  return isEmbedded(config) && !existsSync(join(config.dataDir, 'data.mdb'))
}

/** Names the log for messages. Brokers have no user and password in their names. */
export function logLocation(config: Config): string {
  return isEmbedded(config) ? config.dataDir : `the log of ${config.kafkaBrokers.join(', ')}`
}

/** Names the store for messages, without user and password. */
export function storeLocation(config: Config): string {
  return isEmbedded(config)
    ? config.dataDir
    : `namespace ${config.namespace} of ${new URL(config.redisUrl).host}`
}

/** The settings that choose the store. */
export function storeSettings(config: Config): string {
  return isEmbedded(config) ? 'UPSWELL_DATA_DIR' : 'REDIS_URL and UPSWELL_NAMESPACE'
}
