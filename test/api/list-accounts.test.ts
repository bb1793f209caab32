import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { DAY_MS, FIT, GROWTH, NOW, signal, World } from './world.ts'

/** The scores by number of invites: 0 → 20 (nothing known), 1 → 56, 3 → 80. */
const INVITES = { none: 0, one: 1, three: 3 } as const

describe('GET /v1/accounts', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create([GROWTH])
  })

  afterEach(async () => {
    vi.useRealTimers()
    await world.api.close()
  })

  async function invite(accountId: string, count: number): Promise<void> {
    const opening = signal(accountId, { id: 'opening', name: 'page.viewed' })
    const invites = Array.from({ length: count }, (_, i) => signal(accountId, { id: `invite-${i}` }))
    await world.append([opening, ...invites])
  }

  async function get(query: Record<string, string> | string = {}) {
    const text = typeof query === 'string' ? query : new URLSearchParams(query).toString()
    const response = await world.api.inject(`/v1/accounts?${text}`)
    return { status: response.statusCode, body: response.json() }
  }

  const idsOf = (body: { items: { accountId: string }[] }) => body.items.map(item => item.accountId)

  it('ranks the accounts of all partitions by score, the highest first', async () => {
    await invite('acme', INVITES.one)
    await invite('beta', INVITES.three)
    await invite('coda', INVITES.none)
    const at = new Date(NOW).toISOString()
    const common = {
      modelId: 'growth',
      modelVersion: 3,
      inScope: true,
      facets: {},
      tierSince: at,
      coverage: 0.2,
      changedAt: at,
    }
    expect(await get()).toEqual({
      status: 200,
      body: {
        model: 'growth',
        items: [
          { accountId: 'beta', ...common, score: 80, tier: 'hot', openPqls: 1 },
          { accountId: 'acme', ...common, score: 56, tier: 'warm', openPqls: 0 },
          { accountId: 'coda', ...common, score: 20, tier: 'cold', openPqls: 0 },
        ],
        nextCursor: null,
      },
    })
    expect(idsOf((await get({ sort: 'score' })).body)).toEqual(['coda', 'acme', 'beta'])
  })

  it('pages in both orders without a gap or a repeat, even among equal scores', async () => {
    const ids = Array.from({ length: 23 }, (_, i) => `account ${i} ä/🚀`)
    for (const [i, id] of ids.entries()) await invite(id, Object.values(INVITES)[i % 3]!)
    for (const sort of ['score', '-score']) {
      const whole = (await get({ sort, limit: '100' })).body
      expect(idsOf(whole).toSorted()).toEqual(ids.toSorted())
      const paged: unknown[] = []
      const lengths: number[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const { status, body }: Awaited<ReturnType<typeof get>> = await get({
          sort,
          limit: '5',
          ...(cursor === '' ? {} : { cursor }),
        })
        expect(status).toBe(200)
        paged.push(...body.items)
        lengths.push(body.items.length)
        cursor = body.nextCursor
      }
      expect(paged).toEqual(whole.items)
      expect(lengths).toEqual([5, 5, 5, 5, 3])
    }
  })

  it('has no next cursor on a full last page', async () => {
    await invite('acme', 1)
    await invite('beta', 1)
    expect((await get({ limit: '2' })).body.nextCursor).toBeNull()
    expect((await get({ limit: '1' })).body.nextCursor).toEqual(expect.any(String))
  })

  it('filters by tiers, repeated or separated by commas, and by the lowest score', async () => {
    await invite('acme', INVITES.one)
    await invite('beta', INVITES.three)
    await invite('coda', INVITES.none)
    expect(idsOf((await get('tier=hot&tier=cold')).body)).toEqual(['beta', 'coda'])
    expect(idsOf((await get('tier=hot,warm')).body)).toEqual(['beta', 'acme'])
    expect(idsOf((await get('tier=warm')).body)).toEqual(['acme'])
    expect(idsOf((await get('minScore=56')).body)).toEqual(['beta', 'acme'])
    expect(idsOf((await get('minScore=56.5&sort=score')).body)).toEqual(['beta'])
    expect((await get('tier=warm&minScore=60')).body).toEqual({
      model: 'growth',
      items: [],
      nextCursor: null,
    })
  })

  it('answers for the first model by id unless the query names one', async () => {
    await world.switchModels([GROWTH, FIT], NOW)
    await invite('acme', 1)
    expect((await get()).body.model).toBe('fit')
    expect((await get('model=growth')).body.items).toMatchObject([{ modelId: 'growth', score: 56 }])
  })

  it('is empty while no model is active', async () => {
    const early = await World.create([])
    await early.append([signal('acme')])
    const response = await early.api.inject('/v1/accounts')
    expect(response.json()).toEqual({ model: null, items: [], nextCursor: null })
    expect((await early.api.inject('/v1/accounts?model=growth')).json()).toMatchObject({
      status: 503,
      code: 'NO_ACTIVE_MODEL',
      detail:
        'No scoring model is active yet: the first scorer that starts activates the configured ones. Ask again.',
    })
    await early.api.close()
  })

  it('lists an account that was not yet scored with its model’s new version and tiers', async () => {
    await invite('acme', INVITES.three)
    const next = GROWTH.replace('version: 3', 'version: 4').replaceAll('name: hot', 'name: burning')
    await world.switchModels([next], NOW)
    expect((await get()).body.items).toMatchObject([{ accountId: 'acme', modelVersion: 3, tier: 'hot' }])
    await world.append([signal('acme', { id: 'later' })])
    expect((await get()).body.items).toMatchObject([{ accountId: 'acme', modelVersion: 4, tier: 'burning' }])
  })

  it('shows an account as it is now if it changed after it was listed', async () => {
    await invite('acme', INVITES.one)
    const list = world.store.list.bind(world.store)
    vi.spyOn(world.store, 'list').mockImplementationOnce(async query => {
      const page = await list(query)
      await invite('acme', INVITES.three)
      return page
    })
    expect((await get()).body.items).toMatchObject([{ accountId: 'acme', score: 80, tier: 'hot' }])
  })

  it('reads a page in one listing and one load for each partition', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    for (let i = 0; i < 40; i++) await invite(`account-${i}`, 1)
    await get()
    const list = vi.spyOn(world.store, 'list')
    const load = vi.spyOn(world.store, 'readAccounts')
    const readPartition = vi.spyOn(world.store, 'readPartition')
    expect((await get()).body.items).toHaveLength(40)
    expect(list).toHaveBeenCalledTimes(1)
    expect(load.mock.calls.map(([partition]) => partition).toSorted()).toEqual([0, 1, 2, 3])
    expect(readPartition).not.toHaveBeenCalled()
  })

  it('refuses a cursor of another query, and anything that is not a cursor', async () => {
    await invite('acme', 1)
    await invite('beta', 1)
    const cursor = (await get('limit=1&tier=warm')).body.nextCursor as string
    expect((await get({ cursor, tier: 'warm', limit: '2' })).status).toBe(200)
    const refused = [
      { cursor },
      { cursor, tier: 'warm', sort: 'score' },
      { cursor, tier: 'warm', minScore: '1' },
      { cursor, tier: 'warm,hot' },
      { cursor: 'bm90IEpTT04' },
      { cursor: '%%%' },
      { cursor: Buffer.from('[1,2,3]').toString('base64url') },
    ]
    for (const query of refused) {
      const { status, body } = await get(query)
      expect([status, body.code], JSON.stringify(query)).toEqual([400, 'INVALID_CURSOR'])
    }
  })

  it('answers 304 for an unchanged page, and the page once it has changed', async () => {
    await invite('acme', 1)
    const first = await world.api.inject('/v1/accounts')
    const headers = { 'if-none-match': String(first.headers.etag) }
    const second = await world.api.inject({ url: '/v1/accounts', headers })
    expect([second.statusCode, second.body]).toEqual([304, ''])
    await world.append([signal('acme', { id: 'later', occurredAt: NOW })], NOW + DAY_MS)
    const third = await world.api.inject({ url: '/v1/accounts', headers })
    // The score is the same, and so is the page.
    expect(third.statusCode).toBe(304)
    await invite('beta', 1)
    expect((await world.api.inject({ url: '/v1/accounts', headers })).statusCode).toBe(200)
  })
})

describe('GET /v1/accounts, with an invalid query', () => {
  let world: World

  beforeAll(async () => {
    world = await World.create([GROWTH])
  })

  afterAll(async () => {
    await world.api.close()
  })

  async function get(query: string) {
    const response = await world.api.inject(`/v1/accounts?${query}`)
    return { status: response.statusCode, body: response.json() }
  }

  it.each([
    ['limit=0', 'limit', 0, 'a whole number from 1 to 100; left out: 50'],
    ['limit=101', 'limit', 101, 'a whole number from 1 to 100; left out: 50'],
    ['limit=ten', 'limit', 'ten', 'a whole number from 1 to 100; left out: 50'],
    ['minScore=high', 'minScore', 'high', 'a number, the lowest score listed; left out: every score'],
    ['sort=name', 'sort', 'name', '-score (highest first) or score (lowest first); left out: -score'],
    ['min_score=3', 'min_score', '3', 'one of the fields model, tier, facet, minScore, sort, limit, cursor'],
    ['model=a&model=b', 'model', '["a","b"]', 'the id of a model; left out: the first active one by id'],
  ])(
    'refuses %s, and names the field, the value found and what is accepted',
    async (query, field, found, accepted) => {
      expect(await get(query)).toEqual({
        status: 400,
        body: {
          type: '/problems/invalid-request',
          title: 'The request is not valid',
          status: 400,
          detail: 'The query is not valid; see errors.',
          instance: `/v1/accounts?${query}`,
          requestId: expect.any(String),
          code: 'INVALID_REQUEST',
          errors: [{ field, found, accepted }],
        },
      })
    },
  )

  it('refuses more than 50 tiers', async () => {
    const { status, body } = await get(new Array(51).fill('tier=hot').join('&'))
    expect([status, body.errors[0].field]).toEqual([400, 'tier'])
  })

  it('refuses an unknown model or tier, and names the known ones', async () => {
    expect((await get('model=grwth')).body).toEqual({
      type: '/problems/unknown-model',
      title: 'No such scoring model',
      status: 400,
      detail: 'model is "grwth"; accepted: growth.',
      instance: '/v1/accounts?model=grwth',
      requestId: expect.any(String),
      code: 'UNKNOWN_MODEL',
    })
    expect((await get('tier=hot,tepid')).body).toEqual({
      type: '/problems/unknown-tier',
      title: 'No such tier',
      status: 400,
      detail: 'tier is "tepid"; accepted for growth: cold, warm, hot.',
      instance: '/v1/accounts?tier=hot,tepid',
      requestId: expect.any(String),
      code: 'UNKNOWN_TIER',
    })
  })
})

describe('GET /v1/accounts by facets', () => {
  const FACETS = `${GROWTH}
facets: { plan: traits.plan, seats: contract.seats }
`
  let world: World

  beforeEach(async () => {
    world = await World.create([FACETS])
    for (const [i, plan] of ['free', 'paid', 'free', 'paid: "new"', 'paid'].entries()) {
      const facts = (kind: 'traits' | 'contract', properties: Record<string, string | number>) =>
        signal(`a${i}`, { id: `${kind}-${i}`, kind, name: kind, properties })
      await world.append([facts('traits', { plan }), facts('contract', { seats: i % 2 })])
    }
  })

  afterEach(async () => {
    await world.api.close()
  })

  async function list(query: string): Promise<{ ids: string[]; nextCursor: string | null }> {
    const body = (await world.api.inject(`/v1/accounts?${query}`)).json()
    return {
      ids: body.items.map((item: { accountId: string }) => item.accountId),
      nextCursor: body.nextCursor,
    }
  }

  it('lists the accounts that have the value', async () => {
    expect((await list('facet=plan:free')).ids.toSorted()).toEqual(['a0', 'a2'])
    expect((await list('facet=plan:paid')).ids.toSorted()).toEqual(['a1', 'a4'])
    expect((await list(`facet=${encodeURIComponent('plan:paid: "new"')}`)).ids).toEqual(['a3'])
    expect((await list('facet=plan:gone')).ids).toEqual([])
    expect((await list('facet=seats:1')).ids.toSorted()).toEqual(['a1', 'a3'])
  })

  it('lists the accounts that have all of the values, page by page', async () => {
    expect((await list('facet=plan:paid&facet=seats:0')).ids).toEqual(['a4'])
    expect((await list('facet=seats:0&facet=plan:free')).ids.toSorted()).toEqual(['a0', 'a2'])
    const first = await list('facet=seats:0&facet=plan:free&limit=1')
    expect(first.ids).toHaveLength(1)
    const second = await list(`facet=seats:0&facet=plan:free&limit=1&cursor=${first.nextCursor}`)
    expect([...first.ids, ...second.ids].toSorted()).toEqual(['a0', 'a2'])
  })

  it('takes a repeated facet or tier for one, and pages with the same cursor', async () => {
    const listings = vi.spyOn(world.store, 'list')
    const first = await list('facet=plan:paid&facet=plan:paid&tier=cold&limit=1')
    // As many rows as the page and one more: with a second facet it would read 101.
    expect(listings.mock.calls).toMatchObject([[{ limit: 2, tiers: ['cold'] }]])
    const second = await list(`facet=plan:paid&tier=cold,cold&limit=1&cursor=${first.nextCursor}`)
    expect([...first.ids, ...second.ids].toSorted()).toEqual(['a1', 'a4'])
  })

  it('follows an account that changes its value', async () => {
    await world.append([
      signal('a0', { id: 'upgrade', kind: 'traits', name: 'traits', properties: { plan: 'paid' } }),
      signal('a1', { id: 'unknown', kind: 'traits', name: 'traits', properties: { plan: null } }),
    ])
    expect((await list('facet=plan:free')).ids).toEqual(['a2'])
    expect((await list('facet=plan:paid')).ids.toSorted()).toEqual(['a0', 'a4'])
  })

  it('shows the values, and names the facets in a refusal', async () => {
    const { items } = (await world.api.inject('/v1/accounts?facet=plan:free')).json()
    expect(items[0].facets).toEqual({ plan: 'free', seats: '0' })
    for (const [facet, found] of [
      ['colour:red', 'colour:red'],
      ['free', 'free'],
      [':x', ':x'],
      ['plan:', 'plan:'],
      ['plan:%20', 'plan: '],
    ] as const) {
      const response = await world.api.inject(`/v1/accounts?facet=${facet}`)
      expect(response.statusCode).toBe(400)
      expect(response.json()).toMatchObject({ code: 'UNKNOWN_FACET' })
      expect(response.json().detail).toContain(`"${found}"`)
      expect(response.json().detail).toContain('plan, seats')
    }
  })
})
