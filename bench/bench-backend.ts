import type { Backend } from '../src/consumers/backend.ts'
import { openKafkaRedisBackend } from '../src/consumers/kafka-redis-backend.ts'
import { connectionTo } from './kafka-bench-topics.ts'
import { QUIET_LOGGER } from './logger.ts'

/** Where the state of a run is. */
export interface KafkaPlace {
  readonly brokers: readonly string[]
  readonly redisUrl: string
  /** Of the state; its groups begin with it too. */
  readonly namespace: string
}

export function openBenchBackend({ brokers, redisUrl, namespace }: KafkaPlace): Promise<Backend> {
  return openKafkaRedisBackend({
    kafka: {
      ...connectionTo(brokers),
      groupPrefix: `${namespace}-`,
      transactionalIdPrefix: namespace,
    },
    redis: { url: redisUrl, namespace, log: QUIET_LOGGER },
  })
}
