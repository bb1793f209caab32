import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { describeError, UpswellError } from '../../lib/errors.ts'
import type { Logger } from '../../lib/logger.ts'
import { RedisWatch } from './redis-watch.ts'

export interface RedisConnectionOptions {
  /** `redis://` or `rediss://` (TLS); may hold user, password and database. */
  readonly url: string
  readonly logger: Logger
  /** Called when Redis is back after it was away. */
  readonly onReconnected?: (() => void) | undefined
  /** Default 5,000. */
  readonly commandTimeoutMs?: number
}

export interface RedisConnection {
  readonly redis: Redis
  /** Runs a command. @throws UpswellError STORE_UNAVAILABLE if it failed, or if its outcome is unknown. */
  ask<T>(command: (redis: Redis) => Promise<T>): Promise<T>
  close(): Promise<void>
}

const COMMAND_TIMEOUT_MS = 5_000
const CONNECT_TIMEOUT_MS = 3_000
const LONGEST_RETRY_DELAY_MS = 2_000
const CLOSE_TIMEOUT_MS = 500

/**
 * Connects, and waits up to 3 s for Redis; without an answer it keeps trying. While Redis is away, commands
 * fail at once: a queue would hide that, and would execute old writes later.
 */
export async function connectRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  const redis = new Redis(options.url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS,
    keepAlive: 30_000,
    // The timer outlives a closed connection. The default would keep the process alive for 2 s.
    disconnectTimeout: CLOSE_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: attempt => Math.min(25 * 2 ** Math.min(attempt, 10), LONGEST_RETRY_DELAY_MS),
    // A failover made this server a replica; the name may now resolve to the new primary.
    reconnectOnError: error => error.message.includes('READONLY'),
  })
  const { host, port } = redis.options
  const name = `Redis at ${host}:${port}`
  const watch = new RedisWatch(redis, name, options.logger, options.onReconnected)
  redis.on('ready', () => void warnOfEviction(redis, name, options.logger))
  await Promise.race([redis.connect().catch(() => {}), sleep(CONNECT_TIMEOUT_MS, undefined, { ref: false })])
  return {
    redis,
    async ask(command) {
      try {
        const answer = await command(redis)
        watch.answered()
        return answer
      } catch (error) {
        throw watch.failed(error)
      }
    },
    async close() {
      watch.stop()
      const quitting = redis.quit().catch(() => {})
      await Promise.race([quitting, sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })])
      redis.disconnect()
    },
  }
}

/**
 * With any policy but noeviction, Redis removes keys when memory is full: accounts would silently start from
 * zero.
 */
async function warnOfEviction(redis: Redis, name: string, logger: Logger): Promise<void> {
  // Managed services refuse CONFIG; then the policy is unknown.
  const answer = await redis.config('GET', 'maxmemory-policy').catch(() => undefined)
  const policy = Array.isArray(answer) ? String(answer[1]) : undefined
  if (policy === undefined || policy === 'noeviction') return
  logger.warn(
    `${name}: maxmemory-policy is ${policy}; set it to noeviction, or accounts are lost when memory is full`,
  )
}

/** One command's answer from a pipeline. @throws UpswellError STORE_UNAVAILABLE if the command failed */
export function answerOf([error, answer]: [error: Error | null, answer: unknown]): unknown {
  if (error === null) return answer
  throw new UpswellError('STORE_UNAVAILABLE', `Redis: ${describeError(error)}`, { canRetry: true })
}
