import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isUpswellError } from '../../src/lib/errors.ts'
import { connectRedis } from '../../src/store/redis/redis-connection.ts'
import { openRedisStore, redisStoreOn } from '../../src/store/redis/redis-store.ts'
import type { AccountStore, PartitionWrite } from '../../src/store/store.ts'
import { until } from '../support/log-handlers.ts'
import { missingForMaven } from '../support/servers/maven-artifacts.ts'
import { startRedis } from '../support/servers/redis-server.ts'

describe.skipIf((await missingForMaven()) !== undefined)('The Redis store', () => {
  it('warns if Redis evicts keys when its memory is full', async () => {
    const { client, open } = await startedRedis()
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    const { lines } = await open()
    await until(() => lines.length > 0)
    expect(lines).toEqual([expect.stringMatching(/maxmemory-policy is allkeys-lru; set it to noeviction/)])
  })

  it('does not warn if Redis evicts no keys', async () => {
    const { open } = await startedRedis()
    const { store, lines } = await open()
    await store.fence(0, 'owner')
    expect(lines).toEqual([])
  })

  it('gives up on a Redis that does not answer, and an abandoned save counts at most once', async () => {
    const { server, open } = await startedRedis()
    const { store } = await open({ commandTimeoutMs: 300 })
    await store.fence(0, 'owner-1')
    await server.kill('SIGSTOP')
    expect(await codeOf(store.save(0, write({ storedOffset: 5 })))).toBe('STORE_UNAVAILABLE')
    await server.kill('SIGCONT')
    await until(async () => (await codeOf(store.ping())) === 'nothing was thrown')

    const { storedOffset } = await store.fence(0, 'owner-2')
    expect([0, 5]).toContain(storedOffset)
    await store.save(
      0,
      write({ fencingToken: 'owner-2', expectedStoredOffset: storedOffset, storedOffset: 6 }),
    )
    expect(await codeOf(store.save(0, write({ expectedStoredOffset: 6, storedOffset: 7 })))).toBe(
      'STORE_FENCED',
    )
  })

  it('treats a replica as an unavailable Redis, and recovers when it becomes the primary', async () => {
    const { client, open } = await startedRedis()
    const { store } = await open()
    await store.fence(0, 'owner-1')
    await client.call('REPLICAOF', '127.0.0.1', '1')
    expect(await codeOf(store.save(0, write({ storedOffset: 5 })))).toBe('STORE_UNAVAILABLE')
    await client.call('REPLICAOF', 'NO', 'ONE')
    await until(
      async () => (await codeOf(store.save(0, write({ storedOffset: 5 })))) === 'nothing was thrown',
    )
  })

  it('opens without Redis, and works once Redis is up', async () => {
    const { server, open } = await startedRedis()
    await server.stop()
    const { store, lines } = await open()
    expect(await codeOf(store.ping())).toBe('STORE_UNAVAILABLE')
    const again = await startRedis({ port: server.port })
    onTestFinished(() => again.stop())
    await until(async () => (await codeOf(store.ping())) === 'nothing was thrown')
    expect(lines).toEqual([
      expect.stringMatching(/it is away: .*ECONNREFUSED/),
      expect.stringMatching(/^the store: the trouble is over after /),
    ])
  })

  it('keeps namespaces apart', async () => {
    const { open } = await startedRedis()
    const { store: one } = await open({ namespace: 'one' })
    const { store: two } = await open({ namespace: 'two' })
    await one.fence(0, 'owner-1')
    await one.save(0, write({ storedOffset: 5 }))
    expect((await two.readPartition(0)).storedOffset).toBe(0)
    await two.claimPartitions(3)
    expect(await one.partitions()).toBeUndefined()
  })

  it('puts all keys of a partition into one slot of a cluster', async () => {
    const { client, open } = await startedRedis()
    const { store } = await open()
    await store.fence(7, 'owner-1')
    const listing = { list: 'm', tier: '{hot}', score: 1, accountId: '{a}' }
    const account = { accountId: '{a}', bytes: Buffer.from('1'), bucket: 3, dueAt: 1 }
    await store.save(7, {
      ...write({ storedOffset: 5 }),
      accounts: [{ ...account, listingsAdded: [listing], listingsRemoved: [] }],
      userChunks: [{ accountId: '{a}', chunk: '0', bytes: Buffer.from('1') }],
      counters: [{ book: '{book}', field: '{field}', delta: 1 }],
    })
    const keys = (await client.keys('*{7}*')).sort()
    expect(keys).toEqual([
      'upswell:test:{7}:account:{a}',
      'upswell:test:{7}:books',
      'upswell:test:{7}:count:{book}',
      'upswell:test:{7}:due:3',
      'upswell:test:{7}:list:m:%7Bhot%7D',
      'upswell:test:{7}:partition',
      'upswell:test:{7}:users:1:0:{a}',
    ])
  })

  it('lists only the books that hold counters', async () => {
    const { client, open } = await startedRedis()
    const { store } = await open()
    await store.fence(0, 'owner-1')
    const counters = [
      { book: 'a', field: 'x', delta: 1 },
      { book: 'b', field: 'x', delta: 1 },
    ]
    await store.save(0, { ...write({ storedOffset: 5 }), counters })
    expect((await client.smembers('upswell:test:{0}:books')).sort()).toEqual(['a', 'b'])
    const gone = [{ book: 'a', field: 'x', delta: -1 }]
    await store.save(0, { ...write({ expectedStoredOffset: 5, storedOffset: 6 }), counters: gone })
    expect(await client.smembers('upswell:test:{0}:books')).toEqual(['b'])
  })

  it('leaves only the fencing token of a cleared partition, and nothing of a dropped namespace', async () => {
    const { client, open } = await startedRedis()
    const { store } = await open()
    const { store: longer } = await open({ namespace: 'test/longer' })
    for (const each of [store, longer]) {
      await each.claimPartitions(20)
      for (const partition of [1, 11]) {
        await each.fence(partition, 'owner-1')
        const counters = [{ book: 'a', field: 'x', delta: 1 }]
        await each.save(partition, { ...write({ storedOffset: 5, state: Buffer.from('1') }), counters })
      }
    }
    await store.clear(1, 'owner-1')
    expect(await client.keys('*{1}*')).toHaveLength(4)
    expect(await client.keys('upswell:test:{1}*')).toEqual(['upswell:test:{1}:partition'])
    expect(await client.hgetall('upswell:test:{1}:partition')).toEqual({
      owner: 'owner-1',
      whole: '0',
    })
    await store.drop()
    expect(await client.keys('upswell:test:*')).toEqual([])
    expect((await client.keys('*')).sort()).toHaveLength(8)
    expect((await longer.readPartition(11)).storedOffset).toBe(5)
  })

  it('refuses the rest of a clear to an owner that lost the partition meanwhile', async () => {
    const { client, open } = await startedRedis()
    const { store } = await open()
    await store.fence(0, 'owner-1')
    const accounts = Array.from({ length: 30_000 }, (_, i) => ({
      ...{ accountId: `account-${i}`, bytes: Buffer.from('1'), bucket: 0, dueAt: 1 },
      ...{ listingsAdded: [], listingsRemoved: [] },
    }))
    await store.save(0, { ...write({ storedOffset: 5 }), accounts })
    const clearing = codeOf(store.clear(0, 'owner-1'))
    await until(async () => (await client.dbsize()) < 29_000)
    await store.fence(0, 'owner-2')
    expect(await clearing).toBe('STORE_FENCED')
    const left = await client.dbsize()
    expect(left).toBeGreaterThan(3)
    expect((await store.readPartition(0)).storedOffset).toBe(0)
    await store.clear(0, 'owner-2')
    expect((await client.keys('*')).sort()).toEqual(['upswell:test:owned', 'upswell:test:{0}:partition'])
  })

  it('shares one connection between namespaces', async () => {
    const { server, client } = await startedRedis()
    const clients = async () => Number(/^connected_clients:(\d+)/m.exec(await client.info('clients'))?.[1])
    const before = await clients()
    const logger = { info: () => {}, warn: () => {}, error: () => {} }
    const connection = await connectRedis({ url: `redis://127.0.0.1:${server.port}`, logger })
    const [one, two] = ['one', 'two'].map(namespace => redisStoreOn(connection, namespace))
    await one!.claimPartitions(1)
    await one!.close()
    await two!.claimPartitions(2)
    expect([await clients(), await one!.partitions()]).toEqual([before + 1, 1])
    await connection.close()
    await until(async () => (await clients()) === before)
  })

  it('keeps a counter that would exceed 64 bits, and saves everything else', async () => {
    const { client, open } = await startedRedis()
    const { store } = await open()
    await store.fence(0, 'owner-1')
    const nearlyFull = '9223372036854775000'
    await client.hset('upswell:test:{0}:count:book', 'full', nearlyFull)
    const counters = [
      { book: 'book', field: 'full', delta: 1_000_000 },
      { book: 'book', field: 'other', delta: 2 },
    ]
    await store.save(0, { ...write({ storedOffset: 5 }), counters })
    expect(await client.hgetall('upswell:test:{0}:count:book')).toEqual({ full: nearlyFull, other: '2' })
    expect((await store.readPartition(0)).storedOffset).toBe(5)
  })
})

async function startedRedis() {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const client = new Redis({ port: server.port, host: '127.0.0.1' })
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  const open = async (options: { namespace?: string; commandTimeoutMs?: number } = {}) => {
    const lines: string[] = []
    const note = (line: string) => lines.push(line)
    const url = `redis://127.0.0.1:${server.port}`
    const store: AccountStore = await openRedisStore({
      url,
      namespace: 'test',
      logger: { info: note, warn: note, error: note },
      ...options,
    })
    onTestFinished(() => store.close())
    return { store, lines }
  }
  return { server, client, open }
}

function write(parts: Partial<PartitionWrite>): PartitionWrite {
  return {
    fencingToken: 'owner-1',
    expectedStoredOffset: 0,
    storedOffset: 1,
    state: undefined,
    accounts: [],
    userChunks: [],
    counters: [],
    ...parts,
  }
}

async function codeOf(working: Promise<unknown>): Promise<string> {
  return await working.then(
    () => 'nothing was thrown',
    (error: unknown) => (isUpswellError(error) ? error.code : String(error)),
  )
}
