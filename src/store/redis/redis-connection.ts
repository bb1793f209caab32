import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { describeError, UpswellError } from '../../lib/errors.ts'

/** Where a line for the operator goes; pino fits. */
export interface RedisLogger {
  info(line: string): void
  warn(line: string): void
}

export interface RedisConnectionOptions {
  /** `redis://` or `rediss://` (TLS), with user, password and database if there are any. */
  readonly url: string
  readonly logger: RedisLogger
  readonly commandTimeoutMs?: number
}

export interface RedisConnection {
  readonly redis: Redis
  /** Runs a command. @throws UpswellError STORE_UNAVAILABLE: it failed, or it is not known whether it was carried out. */
  ask<T>(command: (redis: Redis) => Promise<T>): Promise<T>
  close(): Promise<void>
}

const COMMAND_TIMEOUT_MS = 5_000
const CONNECT_TIMEOUT_MS = 3_000
const LONGEST_RETRY_DELAY_MS = 2_000
const CLOSE_TIMEOUT_MS = 500

/**
 * Connects, and waits a moment for the answer; where none comes it goes on trying. While Redis is away commands fail at once: a queue would hide that, and carry
 * old writes out later.
 */
export async function connectRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  const redis = new Redis(options.url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS,
    keepAlive: 30_000,
    // The timer outlives a connection that is gone already, and would hold the process for 2 s by default.
    disconnectTimeout: CLOSE_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: attempt => Math.min(25 * 2 ** Math.min(attempt, 10), LONGEST_RETRY_DELAY_MS),
    // A failover made this one a replica; the name may lead to the new primary now.
    reconnectOnError: error => error.message.includes('READONLY'),
  })
  const { host, port } = redis.options
  const watch = watchConnection(redis, `Redis at ${host}:${port}`, options.logger)
  await Promise.race([redis.connect().catch(() => {}), sleep(CONNECT_TIMEOUT_MS, undefined, { ref: false })])
  return {
    redis,
    async ask(command) {
      try {
        return await command(redis)
      } catch (error) {
        // ioredis calls itself ready for a moment after the connection is gone, and complains of its stream.
        const isAway = redis.status !== 'ready' || describeError(error).startsWith("Stream isn't writeable")
        const text = isAway ? watch.whyAway() : describeError(error)
        throw new UpswellError('STORE_UNAVAILABLE', `Redis at ${host}:${port}: ${text}`, {
          canRetry: true,
          cause: error,
        })
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

/** One line when Redis goes away, one when it is back, and a warning if it may throw data away. */
function watchConnection(redis: Redis, name: string, logger: RedisLogger) {
  let awaySince: number | undefined
  let lastError: unknown
  let isStopped = false
  const whyAway = (): string =>
    lastError === undefined
      ? 'it is away: the connection was closed'
      : `it is away: ${describeError(lastError)}`

  redis.on('error', error => {
    lastError = error
  })
  redis.on('close', () => {
    if (isStopped || awaySince !== undefined) return
    awaySince = performance.now()
    logger.warn(`${name}: ${whyAway()}; connecting again until it answers`)
  })
  redis.on('ready', () => {
    if (awaySince !== undefined)
      logger.info(`${name}: it is back after ${Math.round(performance.now() - awaySince)} ms`)
    awaySince = undefined
    lastError = undefined
    void warnOfEviction(redis, name, logger)
  })
  return {
    whyAway,
    stop: () => {
      isStopped = true
    },
  }
}

/** With any other policy Redis removes keys when its memory is full: accounts would silently begin anew. */
async function warnOfEviction(redis: Redis, name: string, logger: RedisLogger): Promise<void> {
  // Managed services refuse CONFIG; then there is nothing to say.
  const answer = await redis.config('GET', 'maxmemory-policy').catch(() => undefined)
  const policy = Array.isArray(answer) ? String(answer[1]) : undefined
  if (policy === undefined || policy === 'noeviction') return
  logger.warn(
    `${name}: maxmemory-policy is ${policy}; set it to noeviction, or accounts are lost when memory is full`,
  )
}
