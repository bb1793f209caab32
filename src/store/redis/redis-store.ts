import type { Redis } from 'ioredis'
import { UpswellError } from '../../lib/errors.ts'
import { DUE_BUCKETS } from '../../scoring/due-slices.ts'
import type { CounterBook, CounterChange } from '../../scoring/population/counters.ts'
import { describePosition, positionsOf, storedOffsetAt } from '../position.ts'
import type {
  AccountStore,
  Listing,
  ListQuery,
  PartitionProgress,
  PartitionWrite,
  ReadAccounts,
  StoredPartition,
  UserChunkKey,
} from '../store.ts'
import { clearPartition, dropNamespace } from './redis-clear.ts'
import {
  answerOf,
  connectRedis,
  type RedisConnection,
  type RedisConnectionOptions,
} from './redis-connection.ts'
import { readBooks, readPartitionCounters } from './redis-counters.ts'
import { listingMember, parseListingMember, type RedisKeys, redisKeys, sortableScore } from './redis-keys.ts'
import { defineReadAccounts, readAccounts, readProgress } from './redis-progress.ts'
import { runSave } from './redis-save.ts'
import { CLEAR, COUNT_DUE, DUE, FENCE } from './redis-scripts.ts'

export interface RedisStoreOptions extends RedisConnectionOptions {
  /** Keeps apart the states of several installations in one Redis. */
  readonly namespace: string
}

/**
 * The store port on Redis. Resolves even if Redis is away: every call then fails with STORE_UNAVAILABLE until
 * it is back.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<AccountStore> {
  const connection = await connectRedis(options)
  return new RedisStore(connection, redisKeys(options.namespace), () => connection.close())
}

/** The store of a namespace on a shared connection. Closing the store leaves the connection open. */
export function redisStoreOn(connection: RedisConnection, namespace: string): AccountStore {
  return new RedisStore(connection, redisKeys(namespace), async () => {})
}

/**
 * Made by ioredis' defineCommand: EVALSHA, or EVAL if Redis does not know the script yet. Keys are passed in
 * an array, because a JavaScript call takes at most about 100,000 arguments.
 */
interface Scripts {
  fencePartitionBuffer(
    keys: number,
    key: string,
    fencingToken: string,
    wholeFrom: number,
  ): Promise<(Buffer | null)[]>
  clearPartition(
    keys: number,
    names: readonly (string | Buffer)[],
    fencingToken: string,
    isLast: '1' | '0',
  ): Promise<string[]>
  dueAccountsBuffer(keys: number, names: readonly string[], from: string, upTo: string): Promise<Buffer[]>
  countDueAccounts(keys: number, names: readonly string[], from: string, upTo: string): Promise<number>
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
    defineReadAccounts(connection)
    connection.redis.defineCommand('dueAccounts', { lua: DUE })
    connection.redis.defineCommand('countDueAccounts', { lua: COUNT_DUE })
  }

  async fence(partition: number, fencingToken: string, wholeFrom = 0): Promise<StoredPartition> {
    const stored = await this.#ask(async redis => {
      await redis.sadd(this.#keys.owned, partition)
      return await redis.fencePartitionBuffer(1, this.#keys.partition(partition), fencingToken, wholeFrom)
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

  async due(
    partition: number,
    buckets: readonly number[],
    upTo: number,
    from = Number.NEGATIVE_INFINITY,
  ): Promise<string[]> {
    if (buckets.length === 0) return []
    const keys = Array.from(new Set(buckets), bucket => this.#keys.due(partition, bucket))
    const ids = await this.#ask(redis =>
      redis.dueAccountsBuffer(keys.length, keys, timeText(from), timeText(upTo)),
    )
    return ids.sort(Buffer.compare).map(id => id.toString())
  }

  async countDue(partition: number, upTo: number, from = Number.NEGATIVE_INFINITY): Promise<number> {
    const keys = Array.from({ length: DUE_BUCKETS }, (_, bucket) => this.#keys.due(partition, bucket))
    return await this.#ask(redis => redis.countDueAccounts(keys.length, keys, timeText(from), timeText(upTo)))
  }

  async save(partition: number, write: PartitionWrite): Promise<void> {
    const [result, found] = await this.#ask(redis => runSave(redis, this.#keys, partition, write))
    if (result === 'saved') return
    if (result === 'fenced') throw fenced(partition, found!, write.fencingToken)
    throw new UpswellError(
      'STORE_MOVED',
      `partition ${partition} ${describePosition(Number(found))}, and the write expects that it ${describePosition(positionsOf(write).expected)}`,
    )
  }

  async clear(partition: number, fencingToken: string): Promise<void> {
    const own = this.#keys.partition(partition)
    await clearPartition(this.#connection, this.#keys, partition, async (keys, isLast) => {
      const names = [own, ...keys]
      const [result, found] = await this.#ask(redis =>
        redis.clearPartition(names.length, names, fencingToken, isLast ? '1' : '0'),
      )
      if (result === 'fenced') throw fenced(partition, found!, fencingToken)
    })
  }

  async readStoredOffset(partition: number): Promise<number> {
    const position = await this.#ask(redis => redis.hget(this.#keys.partition(partition), 'watermark'))
    return storedOffsetAt(Number(position ?? 0))
  }

  async readPartition(partition: number): Promise<StoredPartition> {
    const key = this.#keys.partition(partition)
    return readStored(await this.#ask(redis => redis.hmgetBuffer(key, 'watermark', 'state')))
  }

  async readAccounts(partition: number, accountIds: readonly string[]): Promise<ReadAccounts> {
    return await readAccounts(this.#connection, this.#keys, partition, accountIds)
  }

  async readProgress(partitions: readonly number[]): Promise<PartitionProgress[]> {
    return await readProgress(this.#connection, this.#keys, partitions)
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
    if (books.length === 0) return []
    return await readBooks(this.#connection, this.#keys, await this.#partitionsWithState(), books)
  }

  async readPartitionCounters(partition: number): Promise<CounterChange[]> {
    return await readPartitionCounters(this.#connection, this.#keys, partition)
  }

  /** The sorted sets that hold the query's listings: one for each partition and tier. */
  async #setsOf({ list, tiers }: ListQuery): Promise<{ readonly key: string; readonly tier: string }[]> {
    const partitions = await this.#partitionsWithState()
    return partitions.flatMap(partition =>
      Array.from(new Set(tiers), tier => ({ key: this.#keys.listings(partition, list, tier), tier })),
    )
  }

  async #partitionsWithState(): Promise<number[]> {
    // Once claimed, it changes only if the namespace is dropped.
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
        `the state was created with ${there} partitions, and the topic has ${partitions}; replay into another namespace`,
      )
  }

  async drop(): Promise<void> {
    await dropNamespace(this.#connection, this.#keys)
    this.#partitions = undefined
  }

  async ping(): Promise<void> {
    await this.#ask(redis => redis.ping())
  }

  async time(): Promise<number> {
    const [seconds, microseconds] = await this.#ask(redis => redis.time())
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
  }

  /** The memory of the whole server: Redis does not count by key. */
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

/** @param found the fencing token in Redis; '' if there is none */
function fenced(partition: number, found: string, fencingToken: string): UpswellError {
  return new UpswellError(
    'STORE_FENCED',
    found === ''
      ? `partition ${partition} has no fencing token: Redis was emptied, or lost its last writes`
      : `partition ${partition} belongs to fencing token ${found}, not to ${fencingToken}`,
  )
}

function readStored([position, state]: readonly (Buffer | null | undefined)[]): StoredPartition {
  return { storedOffset: storedOffsetAt(Number(position ?? 0)), state: state ?? undefined }
}

function timeText(time: number): string {
  if (Number.isFinite(time)) return String(time)
  return time > 0 ? '+inf' : '-inf'
}

/** Redis' notation for a range: `[` includes the member, `(` excludes it, `-` and `+` are the ends. */
function memberRange({ order, minScore, after }: ListQuery): { readonly low: string; readonly high: string } {
  const least = minScore === undefined ? '-' : `[${sortableScore(minScore)}`
  if (after === undefined) return { low: least, high: '+' }
  const bound = `(${listingMember(after)}`
  if (order === 'highest-first') return { low: least, high: bound }
  const startsBelow = minScore !== undefined && after.score < minScore
  return { low: startsBelow ? least : bound, high: '+' }
}
