import type { Redis } from 'ioredis'
import { describeError, UpswellError } from '../../lib/errors.ts'
import type { Logger, Outages } from '../../lib/logger.ts'
import { outagesOf } from '../../lib/outages.ts'

/** Redis's answers that stay the same until somebody changes its settings, with what to do. */
const REFUSALS: readonly (readonly [start: string, advice: string])[] = [
  ['WRONGPASS', 'correct the user and password in REDIS_URL'],
  ['NOAUTH', 'Redis wants a password: put it into REDIS_URL, as in redis://user:password@host:6379'],
  [
    'NOPERM',
    'grant this command and the keys upswell:* to the user of REDIS_URL; docs/log-messages.md lists all',
  ],
  ['OOM', 'give Redis more memory, or remove what does not belong to Upswell'],
  ['MISCONF', 'Redis cannot write to its disk, and so refuses writes: see its own log'],
]

/** A refused command is tried again within seconds. After this time without a refusal it was granted. */
const REFUSAL_OVER_MS = 60_000

// Outages of one Redis have parts: a frozen Redis keeps its connection, and a Redis that answers may still
// refuse some commands.
//
//   the connection     from its close until it is ready again
//   commands           from one without an answer until one with an answer
//   a refused command  from the first refusal until there was none for a minute: others succeed meanwhile
/** Knows whether a Redis answers, and reports when it goes away, refuses commands, and is back. */
export class RedisWatch {
  readonly #redis: Redis
  readonly #name: string
  readonly #commands: string
  readonly #outages: Outages
  #lastError: unknown
  #isStopped = false
  /** Refusal → when it last came, ms. */
  readonly #refusals = new Map<string, number>()

  /** @param onReconnected called when Redis is back after it was away */
  constructor(redis: Redis, name: string, logger: Logger, onReconnected = () => {}) {
    this.#redis = redis
    this.#name = name
    this.#commands = `a command of ${name}`
    this.#outages = outagesOf(logger)
    redis.on('error', error => {
      this.#lastError = error
    })
    redis.on('close', () => this.#reportConnection())
    let wasReady = false
    redis.on('ready', () => {
      this.#lastError = undefined
      this.#outages.works(this.#name)
      if (wasReady) onReconnected()
      wasReady = true
    })
  }

  /** A command succeeded. */
  answered(): void {
    this.#outages.works(this.#commands)
    for (const [refusal, at] of this.#refusals) {
      if (performance.now() - at < REFUSAL_OVER_MS) continue
      this.#refusals.delete(refusal)
      this.#outages.works(refusal)
    }
  }

  /** Reports a command that failed. Returns its error of the store port. */
  failed(thrown: unknown): UpswellError {
    // For a moment after a disconnect, ioredis still has the status `ready` and reports its stream instead.
    const isAway =
      this.#redis.status !== 'ready' || describeError(thrown).startsWith("Stream isn't writeable")
    const error = isAway ? this.#away() : this.#unavailable(thrown)
    if (this.#isStopped || isAway) return error
    this.#outages.failed(error.needsPerson ? this.#refusalOf(thrown) : this.#commands, error)
    return error
  }

  /** Commands are refused one by one, so each that is refused is a part. */
  #refusalOf(thrown: unknown): string {
    const command = (thrown as { command?: { name?: unknown } }).command?.name
    const refusal = typeof command === 'string' ? `the command ${command}` : this.#commands
    this.#refusals.set(refusal, performance.now())
    return refusal
  }

  stop(): void {
    this.#isStopped = true
  }

  #reportConnection(): void {
    if (!this.#isStopped) this.#outages.failed(this.#name, this.#away())
  }

  #away(): UpswellError {
    if (this.#lastError === undefined)
      return new UpswellError('STORE_UNAVAILABLE', `${this.#name}: it is away: the connection was closed`, {
        canRetry: true,
      })
    return this.#unavailable(this.#lastError, 'it is away: ')
  }

  #unavailable(thrown: unknown, how = ''): UpswellError {
    const advice = adviceFor(thrown)
    const text = `${this.#name}: ${how}${describeError(thrown)}`
    return new UpswellError('STORE_UNAVAILABLE', advice === undefined ? text : `${text}; ${advice}`, {
      canRetry: true,
      needsPerson: advice !== undefined,
      cause: thrown,
    })
  }
}

function adviceFor(thrown: unknown): string | undefined {
  // An error of ioredis can wrap Redis's own: "Ready check failed: NOAUTH …".
  const text = describeError(thrown)
  return REFUSALS.find(([start]) => text.startsWith(start) || text.includes(`: ${start} `))?.[1]
}
