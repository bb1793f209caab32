import { Redis } from 'ioredis'
import { type Attempt, attempt } from '../../lib/attempt.ts'
import { describeError } from '../../lib/errors.ts'
import { redisCommands } from './redis-commands.ts'
import { redisKeys } from './redis-keys.ts'

/** What a Redis server says about itself and its user. */
export interface RedisFacts {
  /** `host:port` */
  readonly address: string
  /** The fields of INFO. */
  readonly info: Attempt<Readonly<Record<string, string>>>
  /** `maxmemory`, `maxmemory-policy`, `save` and `appendonly`, by CONFIG GET. */
  readonly settings: Attempt<Readonly<Record<string, string>>>
  /** How far its clock is ahead of this machine's, ms. */
  readonly aheadMs: Attempt<number>
  /** The commands that it would refuse, of those that the store needs. */
  readonly refused: Attempt<readonly RefusedCommand[]>
}

export interface RefusedCommand {
  readonly command: string
  readonly why: string
}

const CONNECT_LIMIT_MS = 3_000
const QUESTION_LIMIT_MS = 3_000

/** Asks one Redis, and writes nothing. A Redis that does not answer costs three seconds. */
export async function inspectRedis(url: string, namespace: string): Promise<RedisFacts> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_LIMIT_MS,
    commandTimeout: QUESTION_LIMIT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    // INFO is one of the questions, and may be forbidden.
    enableReadyCheck: false,
  })
  let lastError: unknown
  redis.on('error', error => {
    lastError = error
  })
  const { host, port } = redis.options
  const address = `${host}:${port}`
  try {
    const connected = await attempt(CONNECT_LIMIT_MS, async () => {
      await redis.connect().catch((error: unknown) => {
        // ioredis's own message says only that the connection is closed.
        throw lastError ?? error
      })
      await redis.ping().catch((error: unknown) => {
        if (!isRefusal(error)) throw error
      })
    })
    if ('reason' in connected) return unreachable(address, connected)
    const [info, settings, aheadMs] = await Promise.all([
      attempt(QUESTION_LIMIT_MS, async () => fieldsOf(await redis.info())),
      attempt(QUESTION_LIMIT_MS, () => readSettings(redis)),
      attempt(QUESTION_LIMIT_MS, () => readAheadMs(redis)),
    ])
    // After the others: until the transaction is dropped, the connection answers nothing else.
    const refused = await attempt(QUESTION_LIMIT_MS, () => findRefused(redis, namespace))
    return { address, info, settings, aheadMs, refused }
  } finally {
    redis.disconnect()
  }
}

function unreachable(address: string, none: { readonly reason: string }): RedisFacts {
  return { address, info: none, settings: none, aheadMs: none, refused: none }
}

/** `used_memory:1024` → `used_memory`: `1024` */
function fieldsOf(info: string): Record<string, string> {
  const lines = info.split('\r\n').filter(line => line.includes(':') && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  )
}

async function readSettings(redis: Redis): Promise<Record<string, string>> {
  const settings: Record<string, string> = {}
  // One at a time: Redis before 7 takes one name.
  for (const name of ['maxmemory', 'maxmemory-policy', 'save', 'appendonly']) {
    const [, value] = (await redis.config('GET', name)) as string[]
    if (value !== undefined) settings[name] = value
  }
  return settings
}

async function readAheadMs(redis: Redis): Promise<number> {
  const before = Date.now()
  const [seconds, microseconds] = await redis.time()
  const after = Date.now()
  return Math.round(Number(seconds) * 1_000 + Number(microseconds) / 1_000 - (before + after) / 2)
}

/**
 * Queues each command in a transaction that is then dropped. Redis refuses at queuing what the user may not
 * do, and what this server does not take now; it runs nothing.
 */
async function findRefused(redis: Redis, namespace: string): Promise<RefusedCommand[]> {
  const { prefix } = redisKeys(namespace)
  await redis.call('MULTI')
  const refused: RefusedCommand[] = []
  for (const [command, ...args] of redisCommands(rest => prefix + rest)) {
    try {
      await redis.call(command!, ...args)
    } catch (error) {
      if (!isRefusal(error)) throw error
      refused.push({ command: command!, why: describeError(error) })
    }
  }
  await redis.call('DISCARD')
  return refused
}

/** Redis has answered; other errors are the connection's. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError'
}
