import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DAY_MS, FIT, NOW, POPULATION, signal, World } from './world.ts'

const day = (daysAgo: number) => NOW - daysAgo * DAY_MS

describe('GET /v1/rates/{id}', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create([FIT, POPULATION])
  })

  afterEach(async () => {
    await world.api.close()
  })

  const get = async (url: string) => {
    const response = await world.api.inject(url)
    return { status: response.statusCode, body: response.json() }
  }

  async function fill(): Promise<void> {
    const stage = (accountId: string, properties: Record<string, string>, daysAgo: number) =>
      signal(accountId, {
        id: `${accountId}-stage-${daysAgo}`,
        kind: 'traits',
        name: 'traits',
        properties,
        occurredAt: day(daysAgo),
      })
    const invite = (accountId: string, daysAgo: number) =>
      signal(accountId, { id: `${accountId}-${daysAgo}`, occurredAt: day(daysAgo) })
    await world.append([
      stage('a', { stage: 'trial', region: 'emea' }, 50),
      stage('b', { stage: 'trial' }, 50),
      stage('c', { stage: 'churned' }, 50),
      stage('d', { other: 'x' }, 2),
      invite('a', 40),
      invite('a', 3),
      invite('a', 1),
      invite('b', 35),
      invite('d', 2),
    ])
  }

  it('answers for the last 30 days', async () => {
    await fill()
    expect(await get('/v1/rates/invitation-rate')).toEqual({
      status: 200,
      body: {
        rate: 'invitation-rate',
        title: 'Accounts that invite',
        model: 'growth',
        from: '2026-10-24',
        to: '2026-11-22',
        windowDays: 30,
        total: { accounts: 4, exhibiting: 2, rate: 50, series: [] },
        segments: [],
      },
    })
  })

  it('answers for any period, and counts the accounts that were seen by its end', async () => {
    await fill()
    const { body } = await get('/v1/rates/invitation-rate?from=2026-10-13&to=2026-10-18')
    expect(body.total).toEqual({ accounts: 3, exhibiting: 2, rate: 66.67, series: [] })
    const early = await get('/v1/rates/invitation-rate?from=2026-01-01&to=2026-01-31')
    expect(early.body.total).toEqual({ accounts: 0, exhibiting: 0, rate: null, series: [] })
  })

  it('breaks the rate down by segments, and filters by them', async () => {
    await fill()
    const { body } = await get('/v1/rates/invitation-rate?by=stage')
    expect(body.segments).toEqual([
      { values: { stage: 'other' }, accounts: 1, exhibiting: 0, rate: 0, series: [] },
      { values: { stage: 'trial' }, accounts: 2, exhibiting: 1, rate: 50, series: [] },
      { values: { stage: 'unknown' }, accounts: 1, exhibiting: 1, rate: 100, series: [] },
    ])
    const trial = await get('/v1/rates/invitation-rate?by=region,stage&stage=trial')
    expect(trial.body.total).toMatchObject({ accounts: 2, exhibiting: 1 })
    expect(trial.body.segments.map((each: { values: unknown }) => each.values)).toEqual([
      { region: 'emea', stage: 'trial' },
      { region: 'unknown', stage: 'trial' },
    ])
    const two = await get('/v1/rates/invitation-rate?stage=trial&stage=unknown')
    expect(two.body.total).toMatchObject({ accounts: 3, exhibiting: 2 })
  })

  it('follows an account into another segment', async () => {
    await fill()
    await world.append([
      signal('a', { id: 'moved', kind: 'traits', name: 'traits', properties: { stage: 'paid' } }),
    ])
    const { body } = await get('/v1/rates/invitation-rate?stage=paid&from=2026-10-13&to=2026-10-14')
    expect(body.total).toMatchObject({ accounts: 1, exhibiting: 1, rate: 100 })
  })

  it('gives a series: for each step the rate over the window that ends there', async () => {
    await fill()
    const { body } = await get(
      '/v1/rates/invitation-rate?from=2026-11-19&to=2026-11-21&every=day&window=2&by=stage',
    )
    expect(body.windowDays).toBe(2)
    expect(body.total.series).toEqual([
      { from: '2026-11-18', to: '2026-11-19', accounts: 3, exhibiting: 1, rate: 33.33 },
      { from: '2026-11-19', to: '2026-11-20', accounts: 4, exhibiting: 2, rate: 50 },
      { from: '2026-11-20', to: '2026-11-21', accounts: 4, exhibiting: 2, rate: 50 },
    ])
    expect(body.segments[1].series).toHaveLength(3)
    const weekly = await get('/v1/rates/invitation-rate?from=2026-11-01&to=2026-11-20&every=week&window=7')
    expect(weekly.body.total.series.map((step: { to: string }) => step.to)).toEqual([
      '2026-11-06',
      '2026-11-13',
      '2026-11-20',
    ])
    const monthly = await get('/v1/rates/invitation-rate?from=2026-09-15&every=month&window=30')
    expect(monthly.body.total.series.map((step: { to: string }) => step.to)).toEqual([
      '2026-09-30',
      '2026-10-31',
      '2026-11-22',
    ])
  })

  it('counts the first day the same after an account has passed midnight', async () => {
    await world.append([signal('a', { id: 'first', occurredAt: day(398) })], day(398))
    const url = '/v1/rates/invitation-rate?from=2025-10-20&to=2025-10-20'
    const before = await get(url)
    expect(before.body.total).toMatchObject({ accounts: 1, exhibiting: 1 })
    await world.append([signal('a', { id: 'ahead', occurredAt: NOW + DAY_MS })], NOW + DAY_MS)
    expect((await get(url)).body).toEqual(before.body)
  })

  it('leaves out steps whose window starts before the available days', async () => {
    await fill()
    const { body } = await get('/v1/rates/invitation-rate?from=2025-10-20&to=2026-11-22&every=day&window=399')
    expect(body.total.series).toHaveLength(1)
    const all = await get('/v1/rates/invitation-rate?from=2025-10-20&to=2026-11-22&every=day&window=1')
    expect(all.body.total.series).toHaveLength(399)
  })

  it('refuses series of more than 20,000 steps in all', async () => {
    const stages = Array.from({ length: 50 }, (_, i) => `s${i}`)
    const wide = await World.create([POPULATION.replace('trial, paid', stages.join(', '))])
    await wide.append(
      [...stages, 'elsewhere'].map(stage =>
        signal(stage, { id: stage, kind: 'traits', name: 'traits', properties: { stage } }),
      ),
    )
    const url = '/v1/rates/invitation-rate?by=stage&window=1&every=day&from='
    const refused = await wide.api.inject(`${url}2025-10-20`)
    expect(refused.json()).toMatchObject({ status: 400, code: 'INVALID_PERIOD' })
    expect(refused.json().detail).toContain('51 segments are 399 steps each; up to 20000')
    const answered = await wide.api.inject(`${url}2025-11-20`)
    expect(answered.json().segments).toHaveLength(51)
    await wide.api.close()
  })

  it.each([
    ['/v1/rates/nothing', 404, 'UNKNOWN_RATE', /invitation-rate/],
    ['/v1/rates/invitation-rate?model=fit', 404, 'UNKNOWN_RATE', /fit/],
    ['/v1/rates/invitation-rate?model=none', 400, 'UNKNOWN_MODEL', /fit, growth/],
    ['/v1/rates/invitation-rate?from=2026-02-30', 400, 'INVALID_PERIOD', /no such day/],
    ['/v1/rates/invitation-rate?from=2026-11-22&to=2026-11-21', 400, 'INVALID_PERIOD', /earlier/],
    ['/v1/rates/invitation-rate?from=2025-10-19', 400, 'INVALID_PERIOD', /2025-10-20/],
    ['/v1/rates/invitation-rate?to=2026-11-22&from=2025-10-01', 400, 'INVALID_PERIOD', /399/],
    [
      '/v1/rates/invitation-rate?to=2026-11-23',
      400,
      'INVALID_PERIOD',
      /has not come yet: today is 2026-11-22/,
    ],
    ['/v1/kpis?month=2026-12', 400, 'INVALID_PERIOD', /has not come yet: it is 2026-11/],
    ['/v1/rates/invitation-rate?window=400', 400, 'INVALID_REQUEST', /./],
    ['/v1/rates/invitation-rate?from=yesterday', 400, 'INVALID_REQUEST', /./],
    ['/v1/rates/invitation-rate?by=stage,', 400, 'UNKNOWN_SEGMENT', /^by is ""; .*stage, region/],
    ['/v1/rates/invitation-rate?by=,', 400, 'UNKNOWN_SEGMENT', /^by is ""/],
    ['/v1/rates/invitation-rate?by=size', 400, 'UNKNOWN_SEGMENT', /stage, region/],
    ['/v1/rates/invitation-rate?stage=huge', 400, 'UNKNOWN_SEGMENT', /trial, paid, other, unknown/],
    ['/v1/rates/invitation-rate?form=2026-11-01', 400, 'UNKNOWN_SEGMENT', /from.*stage/],
  ])('refuses %s', async (url, status, code, detail) => {
    const found = await get(url)
    expect(found.status).toBe(status)
    expect(found.body.code).toBe(code)
    expect(found.body.detail).toMatch(detail)
  })
})

describe('GET /v1/kpis', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create([FIT, POPULATION])
  })

  afterEach(async () => {
    await world.api.close()
  })

  const get = async (url: string) => {
    const response = await world.api.inject(url)
    return { status: response.statusCode, body: response.json() }
  }
  const valuesOf = ({ kpis }: { kpis: { name: string; value: number | null }[] }) =>
    Object.fromEntries(kpis.map(({ name, value }) => [name, value]))

  const deal = (
    accountId: string,
    id: string,
    daysAgo: number,
    properties: Record<string, string | number>,
  ) => signal(accountId, { id, kind: 'outcome', name: 'deal.won', properties, occurredAt: day(daysAgo) })

  async function fill(): Promise<void> {
    const invites = [1, 2, 3].map(i => signal('a', { id: `invite-${i}`, occurredAt: day(5) }))
    await world.append([
      signal('a', {
        id: 'csm',
        kind: 'traits',
        name: 'traits',
        properties: { csm: 'kim' },
        occurredAt: day(40),
      }),
      ...invites,
      deal('a', 'won-1', 4, { amount: 1200.5, motion: 'plan-upgrade', channel: 'sales' }),
      deal('a', 'won-1', 4, { amount: 1200.5, motion: 'plan-upgrade', channel: 'sales' }),
      deal('b', 'won-2', 2, { amount: 900, motion: 'cross-sell' }),
      deal('b', 'won-3', 30, { amount: 'much' }),
    ])
  }

  it('answers every key figure of the current month with its target', async () => {
    await fill()
    const { status, body } = await get('/v1/kpis')
    expect(status).toBe(200)
    expect(body).toEqual({
      model: 'growth',
      month: '2026-11',
      kpis: [
        {
          name: 'conversion',
          title: 'Deals won per PQL',
          value: 200,
          unit: 'percent',
          target: { operator: '>=', value: 50 },
          met: true,
          measures: { won: 2, qualified: 1 },
        },
        {
          name: 'attainment',
          title: expect.any(String),
          value: 2.1005,
          unit: 'ratio',
          target: { operator: '>', value: 2 },
          met: true,
          measures: { revenue: 2100.5, quota: 1000 },
        },
        {
          name: 'new-accounts',
          title: expect.any(String),
          value: 2,
          unit: 'count',
          target: null,
          met: null,
          measures: { arrived: 2 },
        },
      ],
      groups: [],
      groupsLeftOut: 0,
    })
  })

  it('answers for other months, with null after a division by 0', async () => {
    await fill()
    const { body } = await get('/v1/kpis?month=2026-10')
    expect(valuesOf(body)).toEqual({ conversion: null, attainment: 0, 'new-accounts': 0 })
    expect(body.kpis[0].met).toBeNull()
  })

  it('breaks key figures down, and filters them', async () => {
    await fill()
    const motions = await get('/v1/kpis?by=motion')
    expect(motions.body.groups.map((group: { motion: string | null }) => group.motion)).toEqual([
      'cross-sell',
      'plan-upgrade',
      null,
    ])
    expect(motions.body.groups.map(valuesOf)).toEqual([
      { conversion: null, attainment: 0.9, 'new-accounts': 2 },
      { conversion: 100, attainment: 1.2005, 'new-accounts': 2 },
      // October's deal, which another measure counts.
      { conversion: null, attainment: 0, 'new-accounts': 2 },
    ])
    const kim = await get('/v1/kpis?csm=kim')
    expect(valuesOf(kim.body)).toEqual({ conversion: 100, attainment: 1.2005, 'new-accounts': 2 })
    const nobody = await get('/v1/kpis?csm=&by=csm')
    expect(valuesOf(nobody.body)).toEqual({ conversion: null, attainment: 0.9, 'new-accounts': 2 })
    expect(nobody.body.groups.map((group: { csm: string | null }) => group.csm)).toEqual([null])
    const tiers = await get('/v1/kpis?by=tier&motion=plan-upgrade')
    expect(tiers.body.groups.map((group: { tier: string }) => group.tier)).toEqual(['hot'])
  })

  it('counts a signal without a known motion under null', async () => {
    await world.append([
      deal('a', 'won-1', 4, { motion: 'renewal' }),
      deal('a', 'won-2', 4, { motion: 'cross-sell' }),
    ])
    const { body } = await get('/v1/kpis?by=motion')
    expect(body.groups.map((group: { motion: string | null }) => group.motion)).toEqual(['cross-sell', null])
  })

  it('finds a CSM by a long name, which is cut between characters', async () => {
    const csm = `${'x'.repeat(99)}😀 of the east`
    await world.append([
      signal('a', { id: 'csm', kind: 'traits', name: 'traits', properties: { csm } }),
      deal('a', 'won', 1, { amount: 500 }),
    ])
    const split = await get('/v1/kpis?by=csm')
    expect(split.body.groups.map((group: { csm: string | null }) => group.csm)).toEqual(['x'.repeat(99)])
    const own = await get(`/v1/kpis?csm=${encodeURIComponent(csm)}`)
    expect(valuesOf(own.body)).toMatchObject({ attainment: 0.5 })
  })

  it('shows the 500 largest CSMs, and how many more there are', async () => {
    await world.append(
      Array.from({ length: 503 }, (_, i) => [
        signal(`account-${i}`, {
          id: 'csm',
          kind: 'traits',
          name: 'traits',
          properties: { csm: `csm-${String(i).padStart(3, '0')}` },
        }),
        deal(`account-${i}`, 'won', 1, { amount: i === 502 ? 0.5 : 1000 - i }),
      ]).flat(),
    )
    const { body } = await get('/v1/kpis?by=csm')
    expect(body.groupsLeftOut).toBe(3)
    const names = body.groups.map((group: { csm: string }) => group.csm)
    expect(names).toHaveLength(500)
    expect([names[0], names.at(-1)]).toEqual(['csm-000', 'csm-499'])
    expect(valuesOf(body)).toMatchObject({ 'new-accounts': 503 })
  })

  it.each([
    ['/v1/kpis?model=fit', 404, 'NO_KPIS', /fit/],
    ['/v1/kpis?model=none', 400, 'UNKNOWN_MODEL', /fit, growth/],
    ['/v1/kpis?month=2026-13', 400, 'INVALID_REQUEST', /./],
    ['/v1/kpis?by=region', 400, 'INVALID_REQUEST', /./],
    ['/v1/kpis?tier=hto', 400, 'UNKNOWN_TIER', /cold, warm, hot/],
    ['/v1/kpis?motion=crosssell', 400, 'UNKNOWN_MOTION', /cross-sell/],
  ])('refuses %s', async (url, status, code, detail) => {
    const found = await get(url)
    expect(found.status).toBe(status)
    expect(found.body.code).toBe(code)
    expect(found.body.detail).toMatch(detail)
  })
})

it('asks to come back for rates and key figures while no model is active', async () => {
  const world = await World.create([])
  for (const url of ['/v1/rates/any', '/v1/kpis']) {
    const { headers, ...response } = await world.api.inject(url)
    expect(response.json()).toMatchObject({ status: 503, code: 'NO_ACTIVE_MODEL' })
    expect(headers['retry-after']).toBe('1')
  }
  await world.api.close()
})
