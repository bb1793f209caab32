import { setImmediate } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { describeError, UpswellError } from '../../lib/errors.ts'
import { DUE_BUCKETS } from '../../scoring/account.ts'
import type { CounterBook, CounterChange } from '../../scoring/population/counters.ts'
import { orderedCounters } from '../ordered-counters.ts'
import type {
  AccountStore,
  Listing,
  ListQuery,
  PartitionWrite,
  StoredPartition,
  UserChunkKey,
} from '../store.ts'
import { scanKeys } from './redis-clear.ts'
import { connectRedis, type RedisConnection, type RedisConnectionOptions } from './redis-connection.ts'
import { listingMember, parseListingMember, type RedisKeys, redisKeys, sortableScore } from './redis-keys.ts'
import { runSave } from './redis-save.ts'
import { CLEAR, COUNT_DUE, DUE, FENCE } from './redis-scripts.ts'

/** How many counters are added up before other work gets its turn: a few ms. */
const COUNTERS_PER_TURN = 2000
/** How many books are asked for at once. */
const BOOKS_PER_PIPELINE = 200

export interface RedisStoreOptions extends RedisConnectionOptions {
  /** Keeps apart the states of several installations in one Redis. */
  readonly namespace: string
}

/**
 * The store port on Redis. Resolves even where Redis is away; then every call fails with STORE_UNAVAILABLE until it is back.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<AccountStore> {
  const connection = await connectRedis(options)
  return new RedisStore(connection, redisKeys(options.namespace), () => connection.close())
}

/** The store of a namespace on a connection that others use too. Closing it leaves the connection open: whoever opened that closes it. */
export function redisStoreOn(connection: RedisConnection, namespace: string): AccountStore {
  return new RedisStore(connection, redisKeys(namespace), async () => {})
}

/** ioredis' defineCommand: EVALSHA, and EVAL where the script is not there yet. Arguments in arrays, since a call takes about 100,000 at most. */
interface Scripts {
  fencePartitionBuffer(keys: number, key: string, fencingToken: string): Promise<(Buffer | null)[]>
  clearPartition(keys: number, names: readonly (string | Buffer)[], fencingToken: string): Promise<string[]>
  dueAccountsBuffer(keys: number, names: readonly string[], upTo: string): Promise<Buffer[]>
  countDueAccounts(keys: number, names: readonly string[], upTo: string): Promise<number>
}

class RedisStore implements AccountStore {
  readonly #connection: RedisConnection
  readonly #keys: RedisKeys
  readonly #onClose: () => Promise<void>
  #partitions: number | undefined

  constructor(connection: RedisConnection, keys: RedisKeys, onClose: () => Promise<void>) {
    this.#connection = connection
    this.#keys = keys
    this.#onClose = onClose
    connection.redis.defineCommand('fencePartition', { lua: FENCE })
    connection.redis.defineCommand('clearPartition', { lua: CLEAR })
    connection.redis.defineCommand('dueAccounts', { lua: DUE })
    connection.redis.defineCommand('countDueAccounts', { lua: COUNT_DUE })
  }

  async fence(partition: number, fencingToken: string): Promise<StoredPartition> {
    const stored = await this.#ask(async redis => {
      await redis.sadd(this.#keys.owned, partition)
      return await redis.fencePartitionBuffer(1, this.#keys.partition(partition), fencingToken)
    })
    return readStored(stored)
  }

  async load(partition: number, accountIds: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return await this.#values(accountIds.map(id => this.#keys.account(partition, id)))
  }

  async loadUserChunks(
    partition: number,
    chunks: readonly UserChunkKey[],
  ): Promise<(Uint8Array | undefined)[]> {
    return await this.#values(chunks.map(chunk => this.#keys.userChunk(partition, chunk)))
  }

  async #values(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    if (keys.length === 0) return []
    const values = await this.#ask(redis => redis.mgetBuffer([...keys]))
    return values.map(value => value ?? undefined)
  }

  async due(partition: number, buckets: readonly number[], upTo: number): Promise<string[]> {
    if (buckets.length === 0) return []
    const keys = buckets.map(bucket => this.#keys.due(partition, bucket))
    const ids = await this.#ask(redis => redis.dueAccountsBuffer(keys.length, keys, timeText(upTo)))
    return ids.sort(Buffer.compare).map(id => id.toString())
  }

  async countDue(partition: number, upTo: number): Promise<number> {
    const keys = Array.from({ length: DUE_BUCKETS }, (_, bucket) => this.#keys.due(partition, bucket))
    return await this.#ask(redis => redis.countDueAccounts(keys.length, keys, timeText(upTo)))
  }

  async save(partition: number, write: PartitionWrite): Promise<void> {
    const [result, found] = await this.#ask(redis => runSave(redis, this.#keys, partition, write))
    if (result === 'saved') return
    if (result === 'fenced') throw fenced(partition, found!, write.fencingToken)
    throw new UpswellError(
      'STORE_MOVED',
      `partition ${partition} stands at ${found}, not at ${write.expectedStoredOffset}`,
    )
  }

  async clear(partition: number, fencingToken: string): Promise<void> {
    const own = this.#keys.partition(partition)
    const remove = async (keys: readonly Buffer[]) => {
      const names = [own, ...keys]
      const [result, found] = await this.#ask(redis =>
        redis.clearPartition(names.length, names, fencingToken),
      )
      if (result === 'fenced') throw fenced(partition, found!, fencingToken)
    }
    await remove([])
    await scanKeys(
      command => this.#ask(command),
      this.#keys.partitionPrefix(partition),
      keys => remove(keys.filter(key => key.toString() !== own)),
    )
  }

  async readStoredOffset(partition: number): Promise<number> {
    const storedOffset = await this.#ask(redis => redis.hget(this.#keys.partition(partition), 'watermark'))
    return Number(storedOffset ?? 0)
  }

  async readPartition(partition: number): Promise<StoredPartition> {
    const key = this.#keys.partition(partition)
    return readStored(await this.#ask(redis => redis.hmgetBuffer(key, 'watermark', 'state')))
  }

  async list(query: ListQuery): Promise<Listing[]> {
    const sets = await this.#setsOf(query)
    const answers = await this.#ask(async redis => {
      const pipeline = redis.pipeline()
      const { low, high } = memberRange(query)
      for (const { key } of sets) {
        if (query.order === 'lowest-first')
          pipeline.zrangebylexBuffer(key, low, high, 'LIMIT', 0, query.limit)
        else pipeline.zrevrangebylexBuffer(key, high, low, 'LIMIT', 0, query.limit)
      }
      return (await pipeline.exec()) ?? []
    })
    const found: { readonly member: Buffer; readonly tier: string }[] = []
    answers.forEach((answer, i) => {
      for (const member of answerOf(answer) as Buffer[]) found.push({ member, tier: sets[i]!.tier })
    })
    const sign = query.order === 'lowest-first' ? 1 : -1
    return found
      .sort((a, b) => sign * Buffer.compare(a.member, b.member))
      .slice(0, query.limit)
      .map(({ member, tier }) => ({ list: query.list, tier, ...parseListingMember(member) }))
  }

  async readCounters(books: readonly string[]): Promise<CounterBook[]> {
    const counters = books.map(() => new Map<string, number>())
    if (books.length === 0) return counters
    const partitions = await this.#partitionsWithState()
    const answers = await this.#ask(async redis => {
      const pipeline = redis.pipeline()
      for (const partition of partitions)
        for (const book of books) pipeline.hgetall(this.#keys.counters(partition, book))
      return (await pipeline.exec()) ?? []
    })
    let left = COUNTERS_PER_TURN
    for (const [i, answer] of answers.entries()) {
      const sums = counters[i % books.length]!
      const found = Object.entries(answerOf(answer) as Record<string, string>)
      for (const [field, count] of found) sums.set(field, (sums.get(field) ?? 0) + Number(count))
      left -= found.length
      if (left > 0) continue
      await setImmediate()
      left = COUNTERS_PER_TURN
    }
    return counters
  }

  async readPartitionCounters(partition: number): Promise<CounterChange[]> {
    const names = await this.#ask(redis => redis.smembers(this.#keys.books(partition)))
    const books = new Map<string, Map<string, number>>()
    for (let from = 0; from < names.length; from += BOOKS_PER_PIPELINE) {
      const asked = names.slice(from, from + BOOKS_PER_PIPELINE)
      const answers = await this.#ask(async redis => {
        const pipeline = redis.pipeline()
        for (const book of asked) pipeline.hgetall(this.#keys.counters(partition, book))
        return (await pipeline.exec()) ?? []
      })
      for (const [i, answer] of answers.entries()) {
        const found = Object.entries(answerOf(answer) as Record<string, string>)
        books.set(asked[i]!, new Map(found.map(([field, count]) => [field, Number(count)])))
      }
    }
    return await orderedCounters(books)
  }

  /** The sorted sets that the query ranges over. */
  async #setsOf({ list, tiers }: ListQuery): Promise<{ readonly key: string; readonly tier: string }[]> {
    const partitions = await this.#partitionsWithState()
    return partitions.flatMap(partition =>
      tiers.map(tier => ({ key: this.#keys.listings(partition, list, tier), tier })),
    )
  }

  async #partitionsWithState(): Promise<number[]> {
    // Once it was written down it changes only if the namespace is dropped.
    this.#partitions ??= await this.partitions()
    if (this.#partitions !== undefined) return Array.from({ length: this.#partitions }, (_, i) => i)
    return (await this.#ask(redis => redis.smembers(this.#keys.owned))).map(Number)
  }

  async partitions(): Promise<number | undefined> {
    const partitions = await this.#ask(redis => redis.get(this.#keys.partitions))
    return partitions === null ? undefined : Number(partitions)
  }

  async claimPartitions(partitions: number): Promise<void> {
    const there = await this.#ask(async redis => {
      await redis.setnx(this.#keys.partitions, partitions)
      return Number(await redis.get(this.#keys.partitions))
    })
    if (there !== partitions)
      throw new UpswellError(
        'PARTITIONS_CHANGED',
        `the state was made with ${there} partitions, the topic has ${partitions}; replay into another namespace`,
      )
  }

  async drop(): Promise<void> {
    await scanKeys(
      command => this.#ask(command),
      this.#keys.prefix,
      async keys => {
        await this.#ask(redis => redis.unlink([...keys]))
      },
    )
    this.#partitions = undefined
  }

  async ping(): Promise<void> {
    await this.#ask(redis => redis.ping())
  }

  /** Of the whole server: Redis does not count by key. */
  async sizeBytes(): Promise<number> {
    const info = await this.#ask(redis => redis.info('memory'))
    return Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? 0)
  }

  async close(): Promise<void> {
    await this.#onClose()
  }

  #ask<T>(command: (redis: Redis & Scripts) => Promise<T>): Promise<T> {
    return this.#connection.ask(redis => command(redis as Redis & Scripts))
  }
}

/** @param found the owner that is there; '' if there is none */
function fenced(partition: number, found: string, fencingToken: string): UpswellError {
  return new UpswellError(
    'STORE_FENCED',
    found === ''
      ? `partition ${partition} has no owner: Redis was emptied, or lost its last writes`
      : `partition ${partition} is owned by ${found}, not by ${fencingToken}`,
  )
}

/** @throws UpswellError STORE_UNAVAILABLE if the command of a pipeline failed */
function answerOf([error, answer]: [error: Error | null, answer: unknown]): unknown {
  if (error === null) return answer
  throw new UpswellError('STORE_UNAVAILABLE', `Redis: ${describeError(error)}`, { canRetry: true })
}

function readStored([storedOffset, state]: readonly (Buffer | null | undefined)[]): StoredPartition {
  return { storedOffset: Number(storedOffset ?? 0), state: state ?? undefined }
}

function timeText(upTo: number): string {
  return upTo === Number.POSITIVE_INFINITY ? '+inf' : String(upTo)
}

/** Redis' notation: `[` with the member itself, `(` without, `-` and `+` for either end. */
function memberRange({ order, minScore, after }: ListQuery): { readonly low: string; readonly high: string } {
  const least = minScore === undefined ? '-' : `[${sortableScore(minScore)}`
  if (after === undefined) return { low: least, high: '+' }
  const behind = `(${listingMember(after)}`
  if (order === 'highest-first') return { low: least, high: behind }
  const startsBelow = minScore !== undefined && after.score < minScore
  return { low: startsBelow ? least : behind, high: '+' }
}
