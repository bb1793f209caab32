import type { Backend, BackendMeters } from '../consumers/backend.ts'
import { type KafkaLogOptions, openKafkaLog } from '../log/kafka/kafka-log.ts'
import type { Log } from '../log/log.ts'
import { meterStore } from '../store/meter-store.ts'
import { connectRedis } from '../store/redis/redis-connection.ts'
import { type RedisStoreOptions, redisStoreOn } from '../store/redis/redis-store.ts'
import type { AccountStore } from '../store/store.ts'

export interface KafkaRedisOptions {
  readonly kafka: KafkaLogOptions
  readonly redis: RedisStoreOptions
  readonly meters?: BackendMeters | undefined
}

/** Resolves even if Kafka or Redis is not available: later operations then fail or wait. */
export async function openKafkaRedisBackend(options: KafkaRedisOptions): Promise<Backend> {
  const { kafka, redis, meters } = options
  const connection = await connectRedis({ ...redis, onReconnected: () => meters?.store.reconnected() })
  const log = openKafkaLog({ ...kafka, meter: meters?.log })
  // All namespaces share one connection.
  const open = (namespace: string, close: () => Promise<void>): Backend =>
    backendOf(
      log,
      meterStore(redisStoreOn(connection, namespace), meters?.store),
      async other => open(other, async () => {}),
      close,
    )
  return open(redis.namespace, async () => {
    await log.close()
    await connection.close()
  })
}

function backendOf(
  log: Log,
  store: AccountStore,
  inNamespace: Backend['inNamespace'],
  close: Backend['close'],
): Backend {
  return {
    log,
    store,
    inNamespace,
    close,
    async commitFlush(session, { outputs, nextOffset, metadata, write }) {
      // In this order: the stored offset may be behind the committed offset (the next owner refolds), never
      // ahead of it.
      await session.commit(outputs, nextOffset, metadata)
      await store.save(session.partition, write)
    },
  }
}
