import { openKafkaRedisBackend } from '../../src/app/kafka-redis-backend.ts'
import type { Backend } from '../../src/consumers/backend.ts'
import { QUIET_LOGGER } from '../logger.ts'
import { connectionTo } from './bench-topics.ts'

/** Where a run keeps its state. */
export interface RunAddress {
  readonly brokers: readonly string[]
  readonly redisUrl: string
  /** Namespace of the state. The names of its groups begin with it too. */
  readonly namespace: string
}

export function openBenchBackend({ brokers, redisUrl, namespace }: RunAddress): Promise<Backend> {
  return openKafkaRedisBackend({
    kafka: {
      ...connectionTo(brokers),
      groupPrefix: `${namespace}-`,
      transactionalIdPrefix: namespace,
    },
    redis: { url: redisUrl, namespace, logger: QUIET_LOGGER },
  })
}
