import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { peakRssBytesOf } from './process-usage.ts'

/** Watches a Redis without going through the store. */
export interface RedisWatch {
  /** CPU seconds since it started, user and system. */
  cpuSeconds(): Promise<number>
  /**
   * The most memory that it has held since it started: the process's if it runs on this machine, else what
   * Redis reports for its data.
   */
  peakBytes(): Promise<number>
  /** Removes every key of the namespace. */
  forget(namespace: string): Promise<void>
  close(): void
}

export async function watchRedis(url: string): Promise<RedisWatch> {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0 })
  await redis.connect()
  const read = async (section: string, field: string): Promise<number> =>
    Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(await redis.info(section))?.[1] ?? 0)
  return {
    async cpuSeconds() {
      return (await read('cpu', 'used_cpu_user')) + (await read('cpu', 'used_cpu_sys'))
    },
    async peakBytes() {
      const pid = await read('server', 'process_id')
      return isRedis(url, pid) ? peakRssBytesOf(pid) : await read('memory', 'used_memory_peak')
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

/** A process id from another machine or container means nothing here. */
function isRedis(url: string, pid: number): boolean {
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname)) return false
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('redis-server')
  } catch {
    return false
  }
}
