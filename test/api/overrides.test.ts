import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DAY_MS, GROWTH, NOW, signal, World } from './world.ts'

/** Points from logins; three triggers with prospects, two alerts; small companies are out of scope. */
const DEALS = `
id: deals
version: 1
name: Deals
score: { scale: 10, max: 100 }
accounts: { exclude: { when: employees < 10 } }
features:
  logins: { count: { of: usage, within: 30d } }
  employees: { latest: traits.employees }
  arr: { latest: contract.arr }
groups:
  use:
    weight: 1
    max: 10
    rules:
      logins: { of: logins, bands: [{ from: 1, points: 3 }, { from: 3, points: 6 }] }
tiers:
  - { name: quiet, from: 0, action: Wait }
  - { name: busy, from: 50, action: Write, queue: sales-development }
  - { name: urgent, from: 90, action: Call, queue: account-executives }
tierPolicy: { dwell: 7d }
triggers:
  support:
    motion: cross-sell
    when: logins >= 1
    cooldown: 7d
    expiry: 30d
    reason: '{logins} logins'
    play: [Offer support]
  seats:
    motion: seat-expansion
    when: logins >= 1
    cooldown: 7d
    expiry: 30d
    reason: '{logins} logins'
    play: [Offer seats]
    offer: Ten seats
    confidence: logins / 4
    value: arr * 0.1
  plan:
    motion: plan-upgrade
    when: logins >= 1
    cooldown: 7d
    expiry: 30d
    reason: '{logins} logins'
    play: [Offer the plan]
    offer: Team plan
    confidence: logins / 4
    value: arr * 0.2
gates:
  paying: { title: It pays, open: arr > 0, missing: open }
alerts:
  logged-in:
    title: Somebody logged in
    when: logins >= 1
    gates: [paying]
    frequency: 7d
    reason: '{logins} logins'
    recipients: [csm]
    priority: high
  big: { when: arr > 1000, frequency: 1d, reason: 'It pays {arr}', recipients: [csm] }
`

const at = new Date(NOW).toISOString()
const END = new Date(NOW + 30 * DAY_MS).toISOString()
const DECIDED = { reason: 'Merger', author: 'dana', expiresAt: END }

describe('overrides, prospects, alerts and scope', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create([DEALS, GROWTH])
  })

  afterEach(async () => {
    await world.api.close()
  })

  const standing = async (model = 'deals') => {
    const { standings } = (await world.api.inject('/v1/accounts/acme')).json()
    return standings.find(({ modelId }: { modelId: string }) => modelId === model)
  }
  const nextPlay = async () => (await world.api.inject('/v1/accounts/acme')).json().nextPlay
  const explain = async (model = 'deals') =>
    (await world.api.inject(`/v1/accounts/acme/explanation?model=${model}`)).json()
  const login = (id: string) => signal('acme', { id, name: 'login' })
  const contract = (arr: number) =>
    signal('acme', { id: `arr-${arr}`, kind: 'contract', name: 'contract', properties: { arr } })

  /** Sends the override through the API. */
  async function override(id: string, properties: object, name = 'deals') {
    const response = await world.api.inject({
      method: 'POST',
      url: '/v1/signals',
      payload: { id, kind: 'override', name, accountId: 'acme', properties, occurredAt: at },
    })
    return { status: response.statusCode, body: response.json() }
  }

  it('lists PQLs best first, and names the best one’s play', async () => {
    await world.append([login('1')])
    const triggers = async () => (await standing()).pqls.map((pql: { trigger: string }) => pql.trigger)
    // The value is unknown: equal PQLs keep the model's order, and one without a confidence is last.
    expect(await triggers()).toEqual(['seats', 'plan', 'support'])
    expect((await standing()).pqls[0]).not.toHaveProperty('estimatedValue')
    await world.append([contract(999.99)])
    expect(await triggers()).toEqual(['plan', 'seats', 'support'])
    const [plan, , support] = (await standing()).pqls
    expect(plan).toMatchObject({ offer: 'Team plan', confidence: 0.25, estimatedValue: 200 })
    expect(support).not.toHaveProperty('offer')
    expect(support).not.toHaveProperty('confidence')
    expect(await nextPlay()).toMatchObject({ source: 'pql', trigger: 'plan', steps: ['Offer the plan'] })
  })

  it('shows who set a score, until when, and the score by the rules', async () => {
    await world.append([login('1')])
    expect((await override('o-1', { ...DECIDED, score: 92.4 })).status).toBe(202)
    const expected = {
      name: 'deals',
      signalId: 'o-1',
      reason: 'Merger',
      author: 'dana',
      decidedAt: at,
      expiresAt: END,
      score: 92.4,
      tier: null,
      hold: false,
      decides: ['score', 'tier'],
    }
    const found = await standing()
    expect(found).toMatchObject({
      inScope: true,
      score: 92,
      tier: 'urgent',
      queue: 'account-executives',
      cause: { type: 'override', signalId: 'o-1' },
      groups: { use: 3 },
    })
    expect(found.override).toEqual(expected)
    const explained = await explain()
    expect(explained).toMatchObject({
      score: 92,
      rulesScore: 30,
      tier: 'urgent',
      queue: 'account-executives',
      nextTier: null,
      groups: [{ points: 3, contribution: 30 }],
    })
    expect(explained.override).toEqual(expected)
    expect((await standing('growth')).override).toBeNull()
  })

  it('shows no next tier while an override decides the tier', async () => {
    await world.append([login('1')])
    expect((await explain()).nextTier).toMatchObject({ name: 'busy', missing: 20 })
    await override('o-1', { ...DECIDED, tier: 'busy' })
    expect(await explain()).toMatchObject({
      score: 30,
      rulesScore: 30,
      tier: 'busy',
      nextTier: null,
      override: { decides: ['tier'], score: null, tier: 'busy' },
    })
    // The model has no such tier: the override decides nothing, and points count.
    await override('o-2', { ...DECIDED, tier: 'hot' })
    expect(await explain()).toMatchObject({
      override: { decides: [], tier: 'hot' },
      nextTier: { name: 'urgent' },
    })
  })

  it('holds the PQLs of all models, and releases them', async () => {
    await world.append([login('1'), contract(500)])
    await override('o-1', { ...DECIDED, hold: true }, '*')
    const held = await standing()
    expect(held.override).toMatchObject({ name: '*', hold: true, decides: ['pqls'] })
    expect(held.pqls.map(({ status }: { status: string }) => status)).toEqual(['held', 'held', 'held'])
    expect(await nextPlay()).toMatchObject({ source: 'tier' })
    const explained = await explain()
    expect(explained.gates).toMatchObject([{ gate: 'paying', open: true }])
    expect(explained.triggers.map(({ gatesOpen }: { gatesOpen: boolean }) => gatesOpen)).toEqual([
      false,
      false,
      false,
    ])
    expect(explained.alerts[0]).toMatchObject({ alert: 'logged-in', gatesOpen: true })
    expect(explained.nextTier).toMatchObject({ name: 'busy' })
    expect((await standing('growth')).override).toMatchObject({ name: '*' })

    await override('o-2', { reason: 'Over', author: 'dana', lift: true }, '*')
    const lifted = await standing()
    expect(lifted.override).toBeNull()
    expect(lifted.cause).toEqual({ type: 'override', signalId: 'o-2' })
    expect(lifted.pqls.map(({ status }: { status: string }) => status)).toEqual(['open', 'open', 'open'])
  })

  it('ends an override when it expires', async () => {
    await world.append([login('1')])
    await override('o-1', { ...DECIDED, score: 92, expiresAt: new Date(NOW + 1000).toISOString() })
    await world.append([login('2')], NOW + 1000)
    expect(await standing()).toMatchObject({ override: null, score: 30 })
    expect(await explain()).toMatchObject({ override: null, rulesScore: 30, nextTier: null, tier: 'urgent' })
  })

  it('shows that an account is out of scope', async () => {
    await world.append([login('1'), login('2'), login('3')])
    const small = signal('acme', { id: 'e', kind: 'traits', name: 'traits', properties: { employees: 4 } })
    await world.append([small])
    await override('o-1', { ...DECIDED, score: 92, hold: true })
    expect(await standing()).toMatchObject({
      inScope: false,
      score: 0,
      tier: 'quiet',
      groups: { use: 6 },
      pqls: [],
      override: { decides: [], score: 92, hold: true },
    })
    const listed = (await world.api.inject('/v1/accounts?model=deals')).json()
    expect(listed.items).toMatchObject([{ accountId: 'acme', inScope: false, score: 0, openPqls: 0 }])
    const explained = await explain()
    expect(explained).toMatchObject({ inScope: false, score: 0, rulesScore: 60, nextTier: null })
    expect(explained.triggers[0]).toMatchObject({ trigger: 'support', met: false, status: 'idle' })
    expect(explained.alerts[0]).toMatchObject({ alert: 'logged-in', met: false })
    // A model has no action for an account out of its scope, and growth has none in its lowest tier.
    expect(await nextPlay()).toBeNull()
  })

  it('explains alerts: whether their conditions are met, and when they may be sent again', async () => {
    await world.append([login('1'), contract(0)])
    expect((await explain()).alerts).toEqual([
      {
        alert: 'logged-in',
        title: 'Somebody logged in',
        priority: 'high',
        met: true,
        gatesOpen: false,
        gates: ['paying'],
        notBefore: new Date(NOW + 7 * DAY_MS).toISOString(),
        condition: 'logins >= 1',
        evidence: [{ name: 'logins', value: 1, status: 'present' }],
      },
      {
        alert: 'big',
        title: 'Big',
        priority: 'medium',
        met: false,
        gatesOpen: true,
        gates: [],
        notBefore: null,
        condition: 'arr > 1000',
        evidence: [{ name: 'arr', value: 0, status: 'present' }],
      },
    ])
  })

  it('matches the OpenAPI document', async () => {
    await world.append([login('1'), contract(500)])
    await override('o-1', { ...DECIDED, score: 92, hold: true })
    const { paths, components } = (await world.api.inject('/openapi.json')).json()
    for (const [path, url] of [
      ['/v1/accounts/{id}', '/v1/accounts/acme'],
      ['/v1/accounts/{id}/explanation', '/v1/accounts/acme/explanation?model=deals'],
    ] as const) {
      const { schema } = paths[path].get.responses['200'].content['application/json']
      const ajv = new Ajv2020({ strict: false, validateFormats: false })
      const validate = ajv.compile({ ...schema, components })
      validate((await world.api.inject(url)).json())
      expect(validate.errors ?? [], path).toEqual([])
    }
  })

  it('accepts an override of a model that is not active, and applies it once the model is', async () => {
    await world.append([login('1')])
    expect((await override('o-1', { ...DECIDED, score: 55 }, 'fit')).status).toBe(202)
    expect([(await standing()).override, (await standing('growth')).override]).toEqual([null, null])
    await world.switchModels([DEALS, DEALS.replace('id: deals', 'id: fit')], NOW)
    await world.append([login('2')])
    expect(await standing('fit')).toMatchObject({ score: 55, override: { name: 'fit' } })
  })

  it.each([
    [
      'no reason',
      { author: 'a', expiresAt: END, score: 1 },
      'properties.reason is missing; a text that says why is accepted',
    ],
    [
      'no author',
      { reason: 'r', expiresAt: END, score: 1 },
      'properties.author is missing; a text that says who decided is accepted',
    ],
    ['a text as score', { ...DECIDED, score: '9' }, 'properties.score is not a number; a number is accepted'],
    [
      'a number as tier',
      { ...DECIDED, tier: 1 },
      "properties.tier is not a text; the name of one of the model's tiers is accepted",
    ],
    ['a text as hold', { ...DECIDED, hold: 'yes' }, 'properties.hold is neither true nor false'],
    ['a text as lift', { ...DECIDED, lift: 'yes' }, 'properties.lift is neither true nor false'],
    [
      'a lift beside a score',
      { ...DECIDED, lift: true, score: 1 },
      'properties has lift together with score, tier or hold; an override either decides something or lifts an earlier decision',
    ],
    [
      'nothing decided',
      DECIDED,
      'properties decides nothing; one of score, tier, hold: true and lift: true is accepted',
    ],
    [
      'no end',
      { reason: 'r', author: 'a', score: 1 },
      'properties.expiresAt is missing or is not a time; an RFC 3339 time such as 2026-12-31T00:00:00Z is accepted',
    ],
    [
      'too late an end',
      { ...DECIDED, score: 1, expiresAt: '2028-01-01T00:00:00Z' },
      'properties.expiresAt is not within 400 days after occurredAt',
    ],
  ])('refuses an override with %s, with the reason', async (_, properties, detail) => {
    const { status, body } = await override('o-1', properties)
    expect(status).toBe(400)
    expect(body.errors).toEqual([{ index: 0, code: 'invalid-field', detail }])
    expect(world.appended).toEqual([])
  })
})
