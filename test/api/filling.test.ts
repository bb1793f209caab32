import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { servedFrom } from '../../src/api/read/served.ts'
import { UpswellError } from '../../src/lib/errors.ts'
import { partitionOf } from '../../src/log/partition-of.ts'
import { NOW, POPULATION, signal, World } from './world.ts'

/** One account of each partition. */
const ACCOUNTS = accountsByPartition()
const OVER_ALL_PARTITIONS = [
  '/v1/accounts',
  '/v1/accounts?model=growth',
  '/v1/accounts?model=none',
  '/v1/rates/invitation-rate',
  '/v1/rates/none',
  '/v1/kpis',
  '/v1/kpis?model=none',
]

let world: World
beforeEach(async () => {
  world = await World.create([POPULATION])
  await world.append(ACCOUNTS.map(id => signal(id)))
})
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await world.api.close()
})

async function ask(url: string) {
  const response = await world.api.inject(url)
  return {
    url,
    status: response.statusCode,
    code: response.json().code,
    retryAfter: response.headers['retry-after'],
  }
}

function refused(url: string) {
  return { url, status: 503, code: 'STORE_FILLING', retryAfter: '1' }
}

async function answers(): Promise<unknown[]> {
  const urls = [
    ...OVER_ALL_PARTITIONS,
    ...ACCOUNTS.flatMap(id => [`/v1/accounts/${id}`, `/v1/accounts/${id}/explanation`]),
    ...['acme', 'beta'].map(id => `/v1/accounts/unknown-${id}`),
  ]
  return await Promise.all(urls.map(async url => ({ ...(await ask(url)), url })))
}

describe('while the store is filled', () => {
  it('answers as before once every partition is whole again, and 503 with Retry-After until then', async () => {
    const before = await answers()
    const expectRefused = async () => {
      for (const { url } of before as { url: string }[]) expect(await ask(url)).toEqual(refused(url))
    }
    world.store.empty()
    await expectRefused()
    // A scorer has started, and taken no partition yet.
    await world.store.claimPartitions(world.partitionCount)
    await expectRefused()
    for (const partition of ACCOUNTS.keys()) await world.refill(partition)
    await expectRefused()
    for (const partition of ACCOUNTS.keys()) await world.refill(partition, 1)
    await expectRefused()
    await world.refillAll()
    expect(await answers()).toEqual(before)
  })

  it('a process that starts then answers the same', async () => {
    world.store.empty()
    await world.store.claimPartitions(world.partitionCount)
    await world.refill(1, 1)
    const served = servedFrom(
      () => ({ store: world.store, publishedOffsets: async () => world.publishedOffsets() }),
      world.library,
    )
    const second = await World.create([], { served })
    for (const url of [...OVER_ALL_PARTITIONS, `/v1/accounts/${ACCOUNTS[0]}`, `/v1/accounts/${ACCOUNTS[1]}`])
      expect((await second.api.inject(url)).json().code, url).toBe('STORE_FILLING')
    await second.api.close()
  })

  it('answers for the accounts of whole partitions', async () => {
    await world.refill(2, 1)
    expect(await Promise.all(ACCOUNTS.map(id => ask(`/v1/accounts/${id}`)))).toMatchObject([
      { status: 200 },
      { status: 200 },
      refused(`/v1/accounts/${ACCOUNTS[2]}`),
      { status: 200 },
    ])
    const { detail } = (await world.api.inject('/v1/kpis')).json()
    expect(detail).toBe(
      'Partition 2 of the store is being filled: it is stored up to offset 1, and is whole at offset 2. Ask again.',
    )
  })

  it('accepts signals, and says that it did not check them', async () => {
    world.store.empty()
    world.foldsAtOnce = false
    const payload = { id: 's', kind: 'usage', name: 'a', accountId: 'acme', occurredAt: iso(NOW) }
    const response = await world.api.inject({ method: 'POST', url: '/v1/signals', payload })
    expect(response.json()).toMatchObject({ accepted: 1, allChecked: false })
  })

  it('answers 503 too if writes were lost and no scorer has noticed', async () => {
    await answers()
    await world.append([signal(ACCOUNTS[3]!, { id: 'more' })])
    const url = `/v1/accounts/${ACCOUNTS[3]}`
    expect(await ask(url)).toMatchObject({ status: 200 })
    const lost = (await world.store.readProgress([3])).map(progress => ({ ...progress, position: 1 }))
    const read = world.store.readAccounts.bind(world.store)
    vi.spyOn(world.store, 'readAccounts').mockImplementation(async (...args) => ({
      ...(await read(...args)),
      progress: lost[0]!,
    }))
    expect(await ask(url)).toEqual(refused(url))
    vi.restoreAllMocks()
    expect(await ask(url)).toMatchObject({ status: 200 })
  })

  it.each(OVER_ALL_PARTITIONS)(
    'reads again if the store was lost and filled while it was read: %s',
    async url => {
      vi.useFakeTimers({ toFake: ['performance'] })
      const before = await ask(url)
      let asked = 0
      let answered = 0
      const readPartition = world.store.readPartition.bind(world.store)
      vi.spyOn(world.store, 'readPartition').mockImplementation(async partition => {
        if (asked++ === 0) world.store.empty()
        const found = await readPartition(partition)
        if (++answered === world.partitionCount) await world.refillAll()
        return found
      })
      vi.advanceTimersByTime(1_001)
      expect(await ask(url)).toEqual(before)
      expect(answered).toBeGreaterThan(world.partitionCount)
    },
  )
})

describe('an installation that has scored nothing', () => {
  it.each([
    ['before a scorer has started', async (early: World) => early.store.empty()],
    ['before the first record', async () => {}],
  ])('is not taken for an emptied one: %s', async (_, prepare) => {
    const early = await World.create([])
    await prepare(early)
    const statusOf = async (url: string) => (await early.api.inject(url)).statusCode
    expect(await statusOf('/v1/accounts/acme')).toBe(404)
    expect((await early.api.inject('/v1/accounts')).json()).toEqual({
      model: null,
      items: [],
      nextCursor: null,
    })
    await early.api.close()
  })
})

describe('while the log does not answer', () => {
  const away = async (): Promise<never> => {
    throw new UpswellError('LOG_UNAVAILABLE', 'away', { canRetry: true })
  }

  it.each([
    ['fails', away],
    ['is silent', () => new Promise<never>(() => {})],
  ])('answers from a whole store, and 503 from an empty one: the log %s', async (_, publishedOffsets) => {
    const served = servedFrom(() => ({ store: world.store, publishedOffsets }), world.library)
    const second = await World.create([], { served })
    const ask = async (url: string) => (await second.api.inject(url)).json()
    expect((await ask('/v1/accounts')).items).toHaveLength(ACCOUNTS.length)
    expect((await ask(`/v1/accounts/${ACCOUNTS[0]}`)).standings).toHaveLength(1)
    world.store.empty()
    for (const url of ['/v1/accounts', `/v1/accounts/${ACCOUNTS[0]}`])
      expect((await ask(url)).code).toBe('STORE_FILLING')
    await second.api.close()
  })

  it('knows from the store alone that a partition is being filled', async () => {
    const served = servedFrom(() => ({ store: world.store, publishedOffsets: away }), world.library)
    const second = await World.create([], { served })
    await world.refill(0, 1)
    const codeOf = async (url: string) => (await second.api.inject(url)).json().code
    expect(await codeOf(`/v1/accounts/${ACCOUNTS[0]}`)).toBe('STORE_FILLING')
    expect(await codeOf('/v1/kpis')).toBe('STORE_FILLING')
    expect(await codeOf(`/v1/accounts/${ACCOUNTS[1]}`)).toBeUndefined()
    await second.api.close()
  })
})

function accountsByPartition(): string[] {
  const found: string[] = []
  for (let i = 0; found.filter(Boolean).length < 4; i++) {
    const id = `account-${i}`
    found[partitionOf(id, 4)] ??= id
  }
  return found
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
