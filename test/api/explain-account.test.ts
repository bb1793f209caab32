import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DAY_MS, FIT, GROWTH, NOW, signal, World } from './world.ts'

const at = new Date(NOW).toISOString()

describe('GET /v1/accounts/{id}/explanation', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create([GROWTH])
  })

  afterEach(async () => {
    await world.api.close()
  })

  async function explain(accountId: string, query = '') {
    const response = await world.api.inject(`/v1/accounts/${accountId}/explanation${query}`)
    return { status: response.statusCode, body: response.json() }
  }

  it('shows what every rule read and gave, gates and triggers, and what would lift it to the next tier', async () => {
    await world.append([
      signal('acme', { id: 'nps', kind: 'health', name: 'health', properties: { nps: 20 } }),
      signal('acme', { id: 'invite' }),
    ])
    const { contentHash } = world.library.compile({ file: 'growth.yaml', text: GROWTH })
    expect(await explain('acme')).toEqual({
      status: 200,
      body: {
        accountId: 'acme',
        asOf: at,
        sequence: `${world.partitionOf('acme')}:2`,
        modelId: 'growth',
        modelVersion: 3,
        modelName: 'Growth',
        contentHash,
        inScope: true,
        override: null,
        score: 36,
        rulesScore: 36,
        tier: 'warm',
        tierTitle: 'Warm',
        tierSince: at,
        changedAt: at,
        cause: { type: 'signal', signalId: 'invite' },
        // 0.6 × 4/12 + 0.4
        coverage: 0.6,
        unknownInputs: ['utilization'],
        groups: [
          {
            group: 'usage',
            title: 'Usage',
            weight: 0.6,
            // 2 of 4 points, scaled up to the 12 that the group has with the rule that is left out
            points: 6,
            max: 10,
            contribution: 36,
            rules: [
              {
                rule: 'breadth',
                title: 'Users per seat',
                points: null,
                max: 8,
                known: false,
                contribution: 0,
                inputs: [{ name: 'utilization', value: null, status: 'unknown' }],
              },
              {
                rule: 'inviting',
                title: 'Inviting',
                points: 2,
                max: 4,
                known: true,
                contribution: 36,
                inputs: [{ name: 'invites', value: 1, status: 'present' }],
              },
            ],
          },
          {
            group: 'mood',
            title: 'Mood',
            weight: 0.4,
            points: 0,
            max: 10,
            contribution: 0,
            rules: [
              {
                rule: 'satisfaction',
                title: 'Satisfaction',
                points: 0,
                max: 10,
                known: true,
                contribution: 0,
                inputs: [{ name: 'nps', value: 20, status: 'present' }],
              },
            ],
          },
        ],
        gates: [
          { gate: 'content', title: 'Customer is content', open: true, known: true, condition: 'nps >= 0' },
        ],
        triggers: [
          {
            trigger: 'seats-full',
            motion: 'seat-expansion',
            status: 'idle',
            met: null,
            gatesOpen: true,
            gates: ['content'],
            cooldownUntil: null,
            condition: 'utilization >= 0.8',
            evidence: [{ name: 'utilization', value: null, status: 'unknown' }],
          },
          {
            trigger: 'inviting',
            motion: 'plan-upgrade',
            status: 'idle',
            met: false,
            gatesOpen: true,
            gates: [],
            cooldownUntil: null,
            condition: 'invites >= 3',
            evidence: [{ name: 'invites', value: 1, status: 'present' }],
          },
        ],
        alerts: [],
        nextTier: {
          name: 'hot',
          title: 'Hot',
          from: 70,
          missing: 34,
          notBefore: null,
          suggestions: [
            {
              group: 'mood',
              rule: 'satisfaction',
              title: 'Satisfaction',
              points: 0,
              max: 10,
              known: true,
              gain: 40,
            },
            // 8 + 2 points reach the group's cap; 4 of 4 points are scaled up to 12 and cut to the cap.
            {
              group: 'usage',
              rule: 'breadth',
              title: 'Users per seat',
              points: null,
              max: 8,
              known: false,
              gain: 24,
            },
            { group: 'usage', rule: 'inviting', title: 'Inviting', points: 2, max: 4, known: true, gain: 24 },
          ],
        },
      },
    })
  })

  it('suggests no rule of a full group, and shows a gate that is closed or unknown', async () => {
    await world.append([
      signal('acme', { id: 'seats', kind: 'contract', name: 'contract', properties: { seats: 8 } }),
      ...['u1', 'u2', 'u3', 'u4', 'u5', 'u6', 'u7'].map(userId => signal('acme', { id: userId, userId })),
    ])
    const unknown = (await explain('acme')).body
    expect(unknown.gates).toMatchObject([{ open: true, known: false }])
    await world.append([
      signal('acme', { id: 'nps', kind: 'health', name: 'health', properties: { nps: -1 } }),
    ])
    const { body } = await explain('acme')
    expect(body.gates).toMatchObject([{ open: false, known: true }])
    expect(body.triggers).toMatchObject([
      { trigger: 'seats-full', status: 'held', met: true, gatesOpen: false },
      {},
    ])
    // breadth gives 7 of 8 points, but the group's cap of 10 is reached.
    expect(body.groups[0]).toMatchObject({ points: 10, rules: [{ points: 7 }, { points: 4 }] })
    expect(body.nextTier).toMatchObject({ name: 'hot', missing: 10, suggestions: [{ rule: 'satisfaction' }] })
    expect(body.nextTier.suggestions).toHaveLength(1)
  })

  it('has no next tier in the highest tier', async () => {
    const invites = ['1', '2', '3'].map(id => signal('acme', { id }))
    await world.append(invites)
    expect((await explain('acme')).body).toMatchObject({ tier: 'hot', nextTier: null })
  })

  it('shows a cooldown', async () => {
    await world.append(['1', '2', '3'].map(id => signal('acme', { id, occurredAt: NOW - 29 * DAY_MS })))
    await world.append(
      [signal('acme', { id: '4', name: 'page.viewed', occurredAt: NOW + DAY_MS })],
      NOW + DAY_MS,
    )
    const midnight = Math.ceil(NOW / DAY_MS) * DAY_MS
    expect((await explain('acme')).body.triggers[1]).toMatchObject({
      trigger: 'inviting',
      status: 'idle',
      met: false,
      cooldownUntil: new Date(midnight + 7 * DAY_MS).toISOString(),
    })
  })

  it('shows when the dwell ends if it delays the next tier', async () => {
    const dwelling = await World.create([FIT])
    await dwelling.append([signal('acme', { id: '1' })])
    const facts = { kind: 'traits', name: 'traits', properties: { employees: 250 } } as const
    await dwelling.append([signal('acme', { id: '2', ...facts })], NOW)
    const response = await dwelling.api.inject('/v1/accounts/acme/explanation')
    expect(response.json()).toMatchObject({
      score: 10,
      tier: 'poor',
      nextTier: {
        name: 'good',
        from: 5,
        missing: 0,
        notBefore: new Date(NOW + 7 * DAY_MS).toISOString(),
        suggestions: [],
      },
    })
    await dwelling.api.close()
  })

  it('explains the first model by id unless the query names one', async () => {
    await world.switchModels([GROWTH, FIT], NOW)
    await world.append([signal('acme')])
    expect((await explain('acme')).body.modelId).toBe('fit')
    expect((await explain('acme', '?model=growth')).body.modelId).toBe('growth')
    expect(await explain('acme', '?model=other')).toEqual({
      status: 400,
      body: {
        type: '/problems/unknown-model',
        title: 'No such scoring model',
        status: 400,
        detail: 'model is "other"; accepted: fit, growth.',
        instance: '/v1/accounts/acme/explanation?model=other',
        requestId: expect.any(String),
        code: 'UNKNOWN_MODEL',
      },
    })
  })

  it('answers NO_SCORE for an account without a score, and NOT_FOUND for an unknown one', async () => {
    const early = await World.create([])
    await early.append([signal('acme')])
    const codeOf = async (id: string) =>
      (await early.api.inject(`/v1/accounts/${id}/explanation`)).json().code
    expect([await codeOf('acme'), await codeOf('nobody')]).toEqual(['NO_SCORE', 'NOT_FOUND'])
    await early.api.close()
  })

  it('waits for a record, and answers 304 for an unchanged explanation', async () => {
    await world.append([signal('acme')])
    const url = `/v1/accounts/acme/explanation?after=${world.partitionOf('acme')}:1`
    const { headers, statusCode } = await world.api.inject(url)
    expect(statusCode).toBe(200)
    const again = await world.api.inject({ url, headers: { 'if-none-match': String(headers.etag) } })
    expect([again.statusCode, again.body]).toEqual([304, ''])
  })

  describe('says why an input is unknown', () => {
    const RENEWAL = GROWTH.replace(
      'nps: { latest: health.nps }',
      'nps: { latest: health.nps }\n  daysToRenewal: { daysUntil: { date: contract.renewalDate, from: -30, to: 180 } }',
    ).replace(
      'satisfaction: {',
      'renewal: { of: daysToRenewal, bands: [{ from: -30, points: 2 }] }\n      satisfaction: {',
    )
    const NO_DATE =
      'contract.renewalDate is 1798761600, which is no date (seconds since 1970?); a text such as 2026-01-05, or whole milliseconds since 1970 (from 1973 to 2149), is accepted'

    /** The inputs of a rule, after an account got these facts of its contract. */
    async function inputsOf(
      rule: string,
      ...contracts: readonly Readonly<Record<string, number | string | null>>[]
    ) {
      const dated = await World.create([RENEWAL])
      for (const [i, properties] of contracts.entries())
        await dated.append([signal('acme', { id: `c${i}`, kind: 'contract', name: 'contract', properties })])
      const { groups } = (await dated.api.inject('/v1/accounts/acme/explanation')).json()
      await dated.api.close()
      return groups
        .flatMap((group: { rules: { rule: string }[] }) => group.rules)
        .find((each: { rule: string }) => each.rule === rule).inputs
    }

    it('if a date is in seconds', async () => {
      expect(await inputsOf('renewal', { renewalDate: 1_798_761_600 })).toEqual([
        { name: 'daysToRenewal', value: null, status: 'unknown', problem: NO_DATE },
      ])
    })

    it('but not if the same date is in milliseconds, or in a text', async () => {
      for (const renewalDate of [1_798_761_600_000, '2027-01-01']) {
        expect(await inputsOf('renewal', { renewalDate })).toEqual([
          { name: 'daysToRenewal', value: 40, status: 'present' },
        ])
      }
    })

    it.each([null, '', ' \u2003'])('but not if the value was removed by %j', async renewalDate => {
      expect(await inputsOf('renewal', { renewalDate: '2027-01-01' }, { renewalDate })).toEqual([
        { name: 'daysToRenewal', value: null, status: 'unknown' },
      ])
    })

    it('if a feature is made of it', async () => {
      expect(await inputsOf('breadth', { seats: '50' })).toEqual([
        {
          name: 'utilization',
          value: null,
          status: 'unknown',
          problem: 'contract.seats is "50"; a number is accepted',
        },
      ])
    })
  })
})
