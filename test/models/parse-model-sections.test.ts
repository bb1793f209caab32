import { describe, expect, it } from 'vitest'
import { parse } from './model-text.ts'

const feature = (name: string) => ({ type: 'feature', name })
const literal = (value: number | string | boolean) => ({ type: 'literal', value })
const usersAbove = (limit: number) => ({
  text: `users > ${limit}`,
  expression: { type: 'compare', operator: '>', left: feature('users'), right: literal(limit) },
})

describe('tiers and triggers', () => {
  it('have a queue, an offer, a confidence and a value', () => {
    const { tiers, triggers } = parse({
      tiers: 'tiers: [{ name: low, from: 0 }, { name: high, from: 50, queue: expansion-q2 }]',
      rest: `triggers:
  t:
    { motion: cross-sell, when: trial, cooldown: 1d, expiry: 1d, reason: Why, offer: Sales Analytics,
      confidence: 'tier == "high" ? 1 : score / 100', value: seats * 12.5 }`,
    })
    expect(tiers.map(({ queue }) => queue)).toEqual([undefined, 'expansion-q2'])
    expect(triggers[0]).toEqual({
      name: 't',
      motion: 'cross-sell',
      when: { text: 'trial', expression: feature('trial') },
      gates: [],
      cooldownMs: 86_400_000,
      expiryMs: 86_400_000,
      reason: 'Why',
      play: [],
      decisionTimeline: '',
      offer: 'Sales Analytics',
      confidence: {
        text: 'tier == "high" ? 1 : score / 100',
        expression: {
          type: 'conditional',
          test: { type: 'compare', operator: '==', left: feature('tier'), right: literal('high') },
          // biome-ignore lint/suspicious/noThenProperty: an expression's own key
          then: literal(1),
          otherwise: { type: 'arithmetic', operator: '/', left: feature('score'), right: literal(100) },
        },
      },
      estimatedValue: {
        text: 'seats * 12.5',
        expression: { type: 'arithmetic', operator: '*', left: feature('seats'), right: literal(12.5) },
      },
    })
  })
})

describe('a formula', () => {
  it('may be a plain number', () => {
    const { features, triggers, kpis } = parse({
      features:
        'features: { n: { formula: -0.5 }, trial: { latest: traits.x, type: flag }, users: { formula: n } }',
      rest: `triggers:
  t: { motion: cross-sell, when: trial, cooldown: 1d, expiry: 1d, reason: Why, confidence: 0.6, value: 0 }
kpis: { measures: { a: { fixed: 1 } }, metrics: { m: { formula: 12, unit: count } } }`,
    })
    const number = (value: number) => ({ text: String(value), expression: literal(value) })
    expect(features[0]).toEqual({ name: 'n', type: 'formula', formula: number(-0.5) })
    expect(triggers[0]).toMatchObject({ confidence: number(0.6), estimatedValue: number(0) })
    expect(kpis!.kpis[0]!.formula).toEqual(number(12))
  })
})

describe('alerts', () => {
  it('have a condition, recipients and a frequency', () => {
    const { alerts } = parse({
      rest: `gates: { health: { open: seats > 1, missing: open } }
alerts:
  high-usage:
    title: Usage is high
    when: users > 8 && score >= 20 && tier in ["high"]
    gates: [health]
    frequency: 7d
    reason: "{users} users"
    recipients: [csm, "#expansion"]
    template: high-usage-v2
    priority: urgent
    assignee: csm
    action: Call them
  any: { when: users > 1, frequency: 400d, reason: Why }`,
    })
    expect(alerts).toEqual([
      {
        name: 'high-usage',
        title: 'Usage is high',
        when: expect.objectContaining({ text: 'users > 8 && score >= 20 && tier in ["high"]' }),
        gates: ['health'],
        frequencyMs: 7 * 86_400_000,
        reason: '{users} users',
        recipients: ['csm', '#expansion'],
        template: 'high-usage-v2',
        priority: 'urgent',
        assignee: 'csm',
        action: 'Call them',
      },
      {
        name: 'any',
        title: 'Any',
        when: usersAbove(1),
        gates: [],
        frequencyMs: 400 * 86_400_000,
        reason: 'Why',
        recipients: [],
        template: undefined,
        priority: 'medium',
        assignee: undefined,
        action: undefined,
      },
    ])
  })
})

describe('accounts', () => {
  it('are included and excluded by condition and by id', () => {
    const { scope } = parse({
      rest: 'accounts: { include: { when: users > 1, ids: [acme] }, exclude: { ids: [test-1, é] } }',
    })
    expect(scope).toEqual({
      include: { ids: ['acme'], when: usersAbove(1) },
      exclude: { ids: ['test-1', 'é'], when: undefined },
    })
    expect(parse({ rest: 'accounts: { exclude: { when: users > 3 } }' }).scope).toEqual({
      include: undefined,
      exclude: { ids: [], when: usersAbove(3) },
    })
  })

  it('may list 10,000 ids in both lists', () => {
    const ids = (prefix: string) => Array.from({ length: 10_000 }, (_, index) => `${prefix}${index}`)
    const { scope } = parse({
      rest: `accounts: { include: { ids: [${ids('a')}] }, exclude: { ids: [${ids('b')}] } }`,
    })
    expect([scope.include?.ids.length, scope.exclude?.ids.at(-1)]).toEqual([10_000, 'b9999'])
  })
})

describe('facets', () => {
  it('name latest values', () => {
    expect(parse({ rest: 'facets: { plan: traits.plan, csm: contract.owner.csm }' }).facets).toEqual([
      { name: 'plan', key: 'traits.plan' },
      { name: 'csm', key: 'contract.owner.csm' },
    ])
  })
})

describe('rates', () => {
  it('select signals as features do, and have segments', () => {
    const { rates } = parse({
      rest: `rates:
  expansion-intent:
    of: intent
    names: [pricing.viewed, seats.*]
    except: seats.removed
    by: { stage: { of: traits.stage, values: [onboarding, adopting] }, role: { of: traits.role, values: ["7"] } }
  any: { title: Any signal }`,
    })
    expect(rates).toEqual([
      {
        name: 'expansion-intent',
        title: 'Expansion intent',
        select: { kinds: ['intent'], names: ['pricing.viewed', 'seats.*'], except: ['seats.removed'] },
        segments: [
          { name: 'stage', key: 'traits.stage', values: ['onboarding', 'adopting'] },
          { name: 'role', key: 'traits.role', values: ['7'] },
        ],
      },
      {
        name: 'any',
        title: 'Any signal',
        select: { kinds: ['usage', 'intent'], names: undefined, except: [] },
        segments: [],
      },
    ])
  })
})

describe('KPIs', () => {
  it('are formulas over measures', () => {
    const { kpis } = parse({
      rest: `kpis:
  csm: traits.csm
  measures:
    opportunities: { count: opportunity.created }
    pipelineValue:
      { sum: [opportunity.created], where: { motion: [plan-upgrade, usage-upsell], size: 3, new: true }, over: until }
    daysToClose: { sum: opportunity.won, property: daysToClose }
    newPqls: { pqls: created, over: before }
    customers: { accounts: seen, over: until }
    quota: { fixed: 120000 }
  metrics:
    pipeline-coverage: { formula: opportunities / quota, unit: ratio, target: "> 3" }
    cycle: { title: Days to close, formula: daysToClose, unit: days, target: "<=-12.5" }
    share: { formula: 'known(customers) ? newPqls * 100 : 0', unit: percent }`,
    })
    const { measures, kpis: metrics, csmKey } = kpis!
    expect(csmKey).toBe('traits.csm')
    const all = { property: undefined, where: [], span: 'month' }
    expect(measures).toEqual([
      { ...all, name: 'opportunities', type: 'count', names: ['opportunity.created'] },
      {
        name: 'pipelineValue',
        type: 'sum',
        names: ['opportunity.created'],
        property: undefined,
        where: [
          { property: 'motion', values: ['plan-upgrade', 'usage-upsell'] },
          { property: 'size', values: [3] },
          { property: 'new', values: [true] },
        ],
        span: 'until',
      },
      { ...all, name: 'daysToClose', type: 'sum', names: ['opportunity.won'], property: 'daysToClose' },
      { name: 'newPqls', type: 'pqls', span: 'before' },
      { name: 'customers', type: 'accounts', span: 'until' },
      { name: 'quota', type: 'fixed', value: 120_000 },
    ])
    expect(metrics).toEqual([
      {
        name: 'pipeline-coverage',
        title: 'Pipeline coverage',
        formula: {
          text: 'opportunities / quota',
          expression: {
            type: 'arithmetic',
            operator: '/',
            left: feature('opportunities'),
            right: feature('quota'),
          },
        },
        unit: 'ratio',
        target: { operator: '>', value: 3 },
      },
      {
        name: 'cycle',
        title: 'Days to close',
        formula: { text: 'daysToClose', expression: feature('daysToClose') },
        unit: 'days',
        target: { operator: '<=', value: -12.5 },
      },
      expect.objectContaining({ name: 'share', unit: 'percent', target: undefined }),
    ])
  })

  it('do not need a CSM key', () => {
    const { kpis } = parse({
      rest: 'kpis: { measures: { a: { fixed: 1 } }, metrics: { a: { formula: a, unit: count } } }',
    })
    expect(kpis!.csmKey).toBe(undefined)
  })
})
