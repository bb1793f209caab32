import { Redis } from 'ioredis'

/** A look at a Redis from beside the store. */
export interface RedisWatch {
  /** Since it started, user and system. */
  cpuSeconds(): Promise<number>
  /** Removes every key of the namespace. */
  forget(namespace: string): Promise<void>
  close(): void
}

export async function watchRedis(url: string): Promise<RedisWatch> {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0 })
  await redis.connect()
  return {
    async cpuSeconds() {
      const info = await redis.info('cpu')
      const read = (field: string) => Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0)
      return read('used_cpu_user') + read('used_cpu_sys')
    },
    async forget(namespace) {
      for await (const keys of redis.scanStream({ match: `upswell:${namespace}:*`, count: 1000 })) {
        const found = keys as string[]
        if (found.length > 0) await redis.unlink(...found)
      }
    },
    close: () => redis.disconnect(),
  }
}
