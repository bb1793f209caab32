import { openRedisStore, type RedisStoreOptions } from '../store/redis-store.ts'
import type { Backend } from './backend.ts'
import { type KafkaLogOptions, openKafkaLog } from './kafka-log.ts'

export interface KafkaRedisOptions {
  readonly kafka: KafkaLogOptions
  readonly redis: RedisStoreOptions
}

/** Kafka and Redis. Resolves even where they are away; what needs them then fails, or waits, until they are there. */
export async function openKafkaRedisBackend(options: KafkaRedisOptions): Promise<Backend> {
  const store = await openRedisStore(options.redis)
  const log = openKafkaLog(options.kafka)
  return {
    log,
    store,
    async commitBatch(session, { outputs, nextOffset, write }) {
      // In this order: the watermark may be behind the committed offset, which assignment makes up for, but never ahead of it.
      await session.commit(outputs, nextOffset)
      await store.save(session.partition, write)
    },
    async close() {
      await log.close()
      await store.close()
    },
  }
}
