import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Condition, Expression, Value } from '../../src/scoring/definition/expression.ts'
import type { FeatureDefinition } from '../../src/scoring/definition/feature-definition.ts'
import type { ModelDefinition, RuleDefinition } from '../../src/scoring/definition/model-definition.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { arbitraryHistory, endWithTick } from '../support/histories.ts'
import { slowEvaluate, withoutIds } from '../support/slow/slow-evaluator.ts'
import {
  at,
  atLeast,
  DAY_MS,
  facts,
  feature,
  featureAfter,
  HOUR_MS,
  line,
  linesOf,
  literal,
  model,
  models,
  pointsOf,
  SEATS,
  START,
  seatsModel,
  signal,
  tick,
  trigger,
  USED,
} from '../support/small-histories.ts'

describe('a score', () => {
  test('moves the tier when a signal is counted, and back at the midnight when its day leaves the window', () => {
    expect(
      linesOf(
        models(at(0), model()),
        signal(at(0, 5)),
        signal(at(1, 6), { id: 'second' }),
        signal(at(40), { accountId: 'other' }),
        tick(at(40)),
      ),
    ).toEqual(['1.25 cold > warm 1 > 2, signal second', '30 warm > cold 2 > 1, window'])
  })

  test('falls at a full hour if the window has hours', () => {
    const hourly = { ...USED, window: { unit: 'hour', length: 3 } } as FeatureDefinition
    expect(
      linesOf(
        models(at(0), model({ features: [hourly] })),
        signal(at(0, 1.5)),
        signal(at(0, 1.75), { id: 'second' }),
        tick(at(0, 3.99)),
        tick(at(0, 4)),
      ),
    ).toEqual([`${1.75 / 24} cold > warm 1 > 2, signal second`, `${4 / 24} warm > cold 2 > 0, window`])
  })

  test('counts a late signal in its own day, with cause late', () => {
    expect(
      linesOf(
        models(at(0), model()),
        signal(at(20)),
        signal(at(20), { id: 'late', occurredAt: at(1, 3) }),
        tick(at(30)),
        tick(at(31)),
      ),
    ).toEqual(['20 cold > warm 1 > 2, late late', '31 warm > cold 2 > 1, window'])
  })

  test('ignores a signal from 400 days ago, and does not keep its id', () => {
    const old = signal(at(500), { id: 'old', occurredAt: at(100, 23) })
    const yearly = { ...USED, window: { unit: 'day', length: 400 } } as FeatureDefinition
    const { events, accounts } = slowEvaluate([
      models(at(0), model({ features: [yearly] })),
      signal(at(500), { id: 'held', occurredAt: at(101) }),
      old,
      old,
      signal(at(500), { id: 'old' }),
    ])
    expect(events.map(line)).toEqual(['500 cold > warm 1 > 2, signal old'])
    expect(accounts.get('acme')!.dropped.tooOld).toBe(2)
  })

  test('evaluates an account that a too old signal creates', () => {
    const generous = model({
      groups: [
        {
          name: 'all',
          title: 'All',
          weight: 1,
          max: 100,
          rules: [pointsOf('seats', { missing: { type: 'points', points: 3 } })],
        },
      ],
    })
    expect(
      linesOf(models(at(0), generous), signal(at(500, 1), { occurredAt: at(2) }), tick(at(520))),
    ).toEqual([expect.stringMatching(/^500\.04\d* cold > warm 0 > 3, late id-\d+$/)])
  })

  test.each([
    { apart: 48 * HOUR_MS - 1, counted: 1 },
    { apart: 48 * HOUR_MS, counted: 2 },
  ])('counts an id again after $apart ms: $counted', ({ apart, counted }) => {
    const once = signal(at(0))
    expect(featureAfter(USED, once, { ...once, timestamp: at(0) + apart })).toBe(counted)
  })

  test('counts an id again after 1,024 other ids', () => {
    const once = signal(at(0), { name: 'once' })
    const others = (count: number) => Array.from({ length: count }, () => signal(at(0), { name: 'other' }))
    const counted = { ...USED, select: { kinds: ['usage'], names: ['once'], except: [] } }
    expect(featureAfter(counted, once, ...others(1_023), once)).toBe(1)
    expect(featureAfter(counted, once, ...others(1_024), once)).toBe(2)
  })

  test('is rounded as on paper: 24.499999999999996 is 24.5 and becomes 25', () => {
    const weights = [0.4, 0.25, 0.2, 0.15]
    const points = [0, 40 / 8, 90 / 20, 2]
    const exact = 10 * weights.reduce((sum, weight, index) => sum + weight * points[index]!, 0)
    const rule = (of: number) =>
      pointsOf('used', { type: 'cases', cases: [{ when: undefined, points: of }] } as never)
    const group = (of: number, index: number) => ({
      name: `group${index}`,
      title: '',
      weight: weights[index]!,
      max: 10,
      rules: [rule(of)],
    })
    const { accounts } = slowEvaluate([
      models(
        at(0),
        model({ score: { scale: 10, min: 0, max: 100, decimals: 0 }, groups: points.map(group) }),
      ),
      signal(at(0)),
    ])
    expect(exact).toBeLessThan(24.5)
    expect(exact).toBeGreaterThan(24.4999)
    expect(accounts.get('acme')!.standings[0]!.score).toBe(25)
  })

  test('shares the points of a rule that is left out among the others, and says so in its contributions', () => {
    const rules = [
      pointsOf('used', { max: 10 }),
      pointsOf('seats', { name: 'left out', max: 30, missing: { type: 'exclude' } }),
      pointsOf('seats', { name: 'assumed', max: 10, missing: { type: 'points', points: 1 } }),
    ]
    const { events, accounts } = slowEvaluate([
      models(at(0), model({ groups: [{ name: 'all', title: '', weight: 0.5, max: 100, rules }] })),
      signal(at(0), { id: 'only' }),
    ])
    const { score, coverage } = accounts.get('acme')!.standings[0]!
    expect({ score, coverage }).toEqual({ score: 3, coverage: 0.2 })
    expect(events[0]).toMatchObject({
      from: 'cold',
      to: 'warm',
      contributions: [
        { rule: 'points of used', points: 1, max: 10, known: true, contribution: 1.25, inputs: { used: 1 } },
        { rule: 'left out', points: null, max: 30, known: false, contribution: 0, inputs: { seats: null } },
        { rule: 'assumed', points: 1, max: 10, known: false, contribution: 1.25, inputs: { seats: null } },
      ],
    })
  })
})

describe('a tier', () => {
  test('is left downwards only below its margin, to the tier of the score', () => {
    expect(
      linesOf(
        models(at(0), seatsModel({ tierPolicy: { margin: 1, dwellMs: 0 } })),
        facts(at(0), { seats: 4 }, { id: 'up' }),
        facts(at(1), { seats: 3 }, { id: 'within' }),
        facts(at(2), { seats: 2 }, { id: 'below' }),
        facts(at(3), { seats: 1 }, { id: 'within too' }),
        facts(at(4), { seats: 4 }, { id: 'up again' }),
        facts(at(5), { seats: 0 }, { id: 'down' }),
      ),
    ).toEqual([
      '0 cold > hot 0 > 4, signal up',
      '2 hot > warm 3 > 2, signal below',
      '4 warm > hot 1 > 4, signal up again',
      '5 hot > cold 4 > 0, signal down',
    ])
  })

  test("is kept for its dwell, and left at the moment of the dwell's end", () => {
    expect(
      linesOf(
        models(at(0), seatsModel({ tierPolicy: { margin: 0, dwellMs: 36 * HOUR_MS } })),
        facts(at(0, 6), { seats: 4 }),
        facts(at(2), { seats: 0 }),
        facts(at(3), { seats: 2 }),
        tick(at(4)),
      ),
    ).toEqual(['1.75 cold > hot 4 > 4, window', '3.25 hot > warm 2 > 2, window'])
  })
})

describe('a PQL', () => {
  const guarded = seatsModel({
    features: [USED, SEATS, { ...SEATS, name: 'score', key: 'health.score' } as FeatureDefinition].map(
      each => (each.name === 'score' ? { ...each, name: 'health' } : each),
    ),
    gates: [{ name: 'healthy', title: '', open: atLeast('health', 60), missing: 'closed' }],
    triggers: [trigger({ gates: ['healthy'] })],
    tiers: [{ name: 'only', title: '', from: 0, action: '', queue: undefined }],
  })
  const health = (timestamp: number, score: number | null, id: string) =>
    facts(timestamp, { score }, { kind: 'health', id })

  test('is held while a gate is closed, and released when it opens', () => {
    expect(
      linesOf(
        models(at(0), guarded),
        facts(at(0), { seats: 10 }, { id: 'seats' }),
        health(at(1), 60, 'well'),
        health(at(2), 59, 'unwell'),
        health(at(3), 61, 'well again'),
        health(at(4), null, 'unknown'),
      ),
    ).toEqual([
      '0 upgrade#1 held, signal seats',
      '1 upgrade#1 released, gate well',
      '2 upgrade#1 held, gate unwell',
      '3 upgrade#1 released, gate well again',
      '4 upgrade#1 held, gate unknown',
    ])
  })

  test('qualifies again only after the cooldown since its end', () => {
    expect(
      linesOf(
        models(
          at(0),
          seatsModel({
            triggers: [trigger()],
            tiers: [{ name: 'only', title: '', from: 0, action: '', queue: undefined }],
          }),
        ),
        facts(at(0, 6), { seats: 10 }, { id: 'many' }),
        facts(at(1, 6), { seats: 9 }, { id: 'few' }),
        facts(at(2), { seats: 11 }, { id: 'many again' }),
        tick(at(3, 6) - 1),
        tick(at(3, 6)),
      ),
    ).toEqual([
      '0.25 upgrade#1 qualified, signal many',
      '1.25 upgrade#1 disqualified, signal few',
      '3.25 upgrade#2 qualified, window',
    ])
  })

  test('expires, and the next one begins when the cooldown ends', () => {
    expect(
      linesOf(
        models(
          at(0),
          seatsModel({
            triggers: [trigger()],
            tiers: [{ name: 'only', title: '', from: 0, action: '', queue: undefined }],
          }),
        ),
        facts(at(0, 6), { seats: 10 }, { id: 'many' }),
        tick(at(13)),
      ),
    ).toEqual([
      '0.25 upgrade#1 qualified, signal many',
      '5.25 upgrade#1 expired, window',
      '7.25 upgrade#2 qualified, window',
      '12.25 upgrade#2 expired, window',
    ])
  })

  test('gives its reason and evidence with the values that its condition read', () => {
    const when: Condition = {
      text: 'share > 0.1 && tier == "hot" && !known(other)',
      expression: {
        type: 'and',
        left: { type: 'compare', operator: '>', left: feature('share'), right: literal(0.1) },
        right: {
          type: 'and',
          left: { type: 'compare', operator: '==', left: feature('tier'), right: literal('hot') },
          right: { type: 'not', of: { type: 'known', name: 'other' } },
        },
      },
    }
    const reason = '{share} or {share%} of {seats}, {other} {other%} {plan} {new} {{nothing}}'
    const { events } = slowEvaluate([
      models(
        at(0),
        seatsModel({
          features: [
            USED,
            SEATS,
            { ...SEATS, name: 'other', key: 'traits.other' } as FeatureDefinition,
            {
              name: 'plan',
              type: 'latest',
              key: 'traits.plan',
              valueType: 'string',
              maxAgeDays: undefined,
              fallback: undefined,
            },
            {
              name: 'new',
              type: 'latest',
              key: 'traits.new',
              valueType: 'boolean',
              maxAgeDays: undefined,
              fallback: undefined,
            },
            { ...USED, name: 'used' } as FeatureDefinition,
            { name: 'share', type: 'ratio', of: 'used', to: 'seats' },
          ],
          triggers: [trigger({ when, reason })],
        }),
      ),
      signal(at(0)),
      facts(at(0), { seats: 8, plan: 'pro', new: true }),
    ])
    expect(events.at(-1)).toMatchObject({
      type: 'pql',
      status: 'qualified',
      tier: 'hot',
      score: 8,
      reasons: ['0.13 or 13% of 8, unknown unknown pro true {{nothing}}'],
      evidence: { other: null, share: 0.125 },
    })
    expect(Object.keys((events.at(-1) as { evidence: object }).evidence)).toEqual(['other', 'share'])
  })
})

describe('a feature', () => {
  const all = { kinds: ['usage', 'intent', 'outcome'], names: undefined, except: [] }
  const week = { unit: 'day', length: 7 }

  test.each([
    { type: 'count', value: 3 },
    { type: 'sum', value: 1.833 },
    { type: 'distinctNames', value: 3 },
    { type: 'activeDays', value: 2 },
  ])('$type over a window is $value', ({ type, value }) => {
    const history = [
      signal(at(0), { name: 'a', quantityThousandths: 5000 }),
      signal(at(1), { name: 'a', quantityThousandths: 1500 }),
      signal(at(7), { name: 'a', kind: 'intent', quantityThousandths: 333 }),
      signal(at(7), { name: 'b', kind: 'outcome', quantityThousandths: 0 }),
    ]
    expect(featureAfter({ type, select: all, window: week }, ...history)).toBe(value)
  })

  test('selects names by prefix', () => {
    const history = ['seat.added', 'seat.removed', 'seats', 'report'].map(name => signal(at(0), { name }))
    const select = { kinds: ['usage'], names: ['seat.*', 'report'], except: [] }
    expect(featureAfter({ type: 'count', select, window: week }, ...history)).toBe(3)
  })

  test('counts a user by the last seen day, in usage and intent only', () => {
    const history = [
      signal(at(0), { userId: 'gone' }),
      signal(at(0), { userId: 'back' }),
      signal(at(9), { userId: 'back', kind: 'intent' }),
      signal(at(9), { userId: 'closer', kind: 'outcome' }),
    ]
    expect(featureAfter({ type: 'distinctUsers', windowDays: 7 }, ...history)).toBe(1)
  })

  test('counts a value as new by its first seen day, until its last seen day is 400 days ago', () => {
    const seen = (timestamp: number, team: Signal['properties'][string]) =>
      signal(timestamp, { properties: { team } })
    const history = [seen(at(0), 'old'), seen(at(0), 'gone'), seen(at(10), 'new'), seen(at(10), 7)]
    const newTeams = { type: 'newValues', dimension: 'team', windowDays: 7 }
    const teams = { type: 'distinctValues', dimension: 'team', windowDays: 400 }
    expect(featureAfter(newTeams, ...history)).toBe(1)
    const later = [...history, seen(at(390), 'old'), seen(at(402), 'old'), seen(at(402), 'gone')]
    expect(featureAfter(newTeams, ...later)).toBe(1)
    expect(featureAfter(teams, ...later)).toBe(3)
    expect(featureAfter(teams, ...later, tick(at(410)))).toBe(2)
  })

  test.each([
    { what: 'one that occurred later', after: facts(at(9), { seats: 8 }), value: 8 },
    { what: 'one of the same moment', after: facts(at(9), { seats: 8 }, { occurredAt: at(5) }), value: 8 },
    { what: 'one that occurred before', after: facts(at(9), { seats: 8 }, { occurredAt: at(4) }), value: 5 },
    { what: 'null', after: facts(at(9), { seats: null }), value: undefined },
    { what: 'a text', after: facts(at(9), { seats: '8' }), value: undefined },
    { what: 'another kind', after: facts(at(9), { seats: 8 }, { kind: 'contract' }), value: 5 },
    { what: 'time', after: tick(at(500)), value: 5 },
  ])('latest, after $what, is $value', ({ after, value }) => {
    expect(featureAfter(SEATS, facts(at(5), { seats: 5 }), after)).toBe(value)
  })

  test('latest is unknown once the value is older than maxAgeDays', () => {
    const young = { ...SEATS, maxAgeDays: 3 }
    expect(featureAfter(young, facts(at(0, 23), { seats: 5 }), tick(at(3, 23)))).toBe(5)
    expect(featureAfter(young, facts(at(0, 23), { seats: 5 }), tick(at(4)))).toBe(undefined)
  })

  test.each([
    { type: 'daysUntil', date: '2024-01-11', everyYear: false, today: 0, value: 10 },
    { type: 'daysUntil', date: '2024-01-11T23:00:00-11:00', everyYear: false, today: 0, value: 10 },
    { type: 'daysUntil', date: at(10, 23), everyYear: false, today: 0, value: 10 },
    { type: 'daysUntil', date: '2024-01-01', everyYear: false, today: 10, value: -5 },
    { type: 'daysUntil', date: '2030-01-01', everyYear: false, today: 0, value: 400 },
    { type: 'daysSince', date: '2024-01-01', everyYear: false, today: 10, value: 10 },
    { type: 'daysUntil', date: '2023-02-29', everyYear: false, today: 0, value: undefined },
    { type: 'daysUntil', date: '2024-13-01', everyYear: false, today: 0, value: undefined },
    { type: 'daysUntil', date: 'soon', everyYear: false, today: 0, value: undefined },
    { type: 'daysUntil', date: true, everyYear: false, today: 0, value: undefined },
    { type: 'daysUntil', date: null, everyYear: false, today: 0, value: undefined },
    { type: 'daysUntil', date: '1999-01-01', everyYear: true, today: 0, value: 0 },
    { type: 'daysUntil', date: '1999-01-01', everyYear: true, today: 1, value: 365 },
    { type: 'daysSince', date: '2031-12-31', everyYear: true, today: 0, value: 1 },
    { type: 'daysSince', date: '2031-01-01', everyYear: true, today: 0, value: 0 },
    { type: 'daysUntil', date: '2020-02-29', everyYear: true, today: 58, value: 1 },
    { type: 'daysUntil', date: '2020-02-29', everyYear: true, today: 60, value: 365 },
    { type: 'daysSince', date: '2020-02-29', everyYear: true, today: 366, value: 307 },
  ])(
    '$type $date (every year: $everyYear) on day $today is $value',
    ({ type, date, everyYear, today, value }) => {
      const body = { type, key: 'traits.date', everyYear, min: -5, max: 400 }
      expect(featureAfter(body, facts(at(0), { date }), tick(at(today)))).toBe(value)
    },
  )

  test('daysSinceSignal counts from the latest day, up to its maximum, until that day is forgotten', () => {
    const since = { type: 'daysSinceSignal', select: all, max: 9 }
    const history = [signal(at(3)), signal(at(3), { occurredAt: at(1) })]
    expect(featureAfter(since, facts(at(0), {}))).toBe(undefined)
    expect(featureAfter(since, ...history, tick(at(8, 5)))).toBe(5)
    expect(featureAfter(since, ...history, tick(at(402)))).toBe(9)
    expect(featureAfter(since, ...history, tick(at(403)))).toBe(undefined)
  })

  test('growth of a key compares with the number of the latest day outside the window', () => {
    const growth = { type: 'growth', of: { key: 'traits.seats' }, windowDays: 30 }
    const history = [
      facts(at(0), { seats: -10 }),
      facts(at(5), { seats: 40 }),
      facts(at(5, 1), { seats: 8 }),
      facts(at(5, 2), { seats: 80 }, { occurredAt: at(5, 0.5) }),
      facts(at(6), { seats: 'many' }),
      facts(at(30), { seats: 10 }),
    ]
    expect(featureAfter(growth, ...history)).toBe(2)
    expect(featureAfter(growth, ...history, tick(at(35)))).toBe(0.25)
    expect(featureAfter(growth, ...history, tick(at(429)))).toBe(0)
    // The newest number from before the held days stays: the held days begin with it.
    expect(featureAfter(growth, ...history, tick(at(430)))).toBe(0)
  })

  test('growth of a count compares with the window before', () => {
    const growth = { type: 'growth', of: { select: all, measure: 'count' }, windowDays: 7 }
    const history = [1, 8, 8, 8].map(day => signal(at(day)))
    expect(featureAfter(growth, ...history)).toBe(2)
    expect(featureAfter(growth, ...history, tick(at(14)))).toBe(2)
    expect(featureAfter(growth, ...history, tick(at(15)))).toBe(-1)
    expect(featureAfter(growth, ...history, tick(at(22)))).toBe(undefined)
  })

  test.each([
    { type: 'ratio', body: { of: 'used', to: 'seats' }, seats: 4, value: 0.25 },
    { type: 'ratio', body: { of: 'used', to: 'seats' }, seats: 0, value: undefined },
    { type: 'ratio', body: { of: 'used', to: 'seats' }, seats: null, value: undefined },
    { type: 'largest', body: { of: ['used', 'seats'] }, seats: 4, value: 4 },
    { type: 'smallest', body: { of: ['used', 'seats'] }, seats: 4, value: 1 },
    { type: 'smallest', body: { of: ['used', 'seats'] }, seats: null, value: 1 },
    { type: 'largest', body: { of: ['seats', 'seats'] }, seats: null, value: undefined },
  ])('$type with $seats seats is $value', ({ type, body, seats, value }) => {
    expect(featureAfter({ type, ...body }, signal(at(0)), facts(at(0), { seats }))).toBe(value)
  })

  test('keeps 256 names, 256 keys and 64 values at a time, and counts what it drops', () => {
    const names = Array.from({ length: 258 }, (_, index) =>
      signal(at(0), { name: `name-${index}`, properties: { product: `product-${index % 66}` } }),
    )
    const keys = Object.fromEntries(Array.from({ length: 258 }, (_, index) => [`key-${index}`, index]))
    const history = [...names, facts(at(0), keys)]
    const { accounts } = slowEvaluate([models(at(0), model()), ...history])
    expect(accounts.get('acme')!.dropped).toEqual({ tooOld: 0, names: 2, keys: 2, values: 2 * 3 })
    expect(featureAfter(USED, ...history)).toBe(256)
    const select = { kinds: ['usage'], names: ['late'], except: [] }
    const late = { type: 'count', select, window: week }
    expect(featureAfter(late, ...history, signal(at(399), { name: 'late' }))).toBe(0)
    expect(featureAfter(late, ...history, signal(at(400), { name: 'late' }))).toBe(1)
  })
})

describe('a condition', () => {
  const unknown = feature('seats')
  const yes = literal(true)
  const no = literal(false)
  const one = literal(1)
  test.each<[name: string, expression: Expression, value: Value]>([
    ['false and unknown', { type: 'and', left: no, right: unknown }, false],
    ['unknown and false', { type: 'and', left: unknown, right: no }, false],
    ['true and unknown', { type: 'and', left: yes, right: unknown }, undefined],
    ['unknown or true', { type: 'or', left: unknown, right: yes }, true],
    ['false or unknown', { type: 'or', left: no, right: unknown }, undefined],
    ['not unknown', { type: 'not', of: unknown }, undefined],
    ['unknown == unknown', { type: 'compare', operator: '==', left: unknown, right: unknown }, undefined],
    ['1 / 0', { type: 'arithmetic', operator: '/', left: one, right: literal(0) }, undefined],
    ['unknown in [1]', { type: 'in', of: unknown, list: [1] }, undefined],
    ['known(unknown)', { type: 'known', name: 'seats' }, false],
    // biome-ignore lint/suspicious/noThenProperty: the language's own word
    ['unknown ? true : true', { type: 'conditional', test: unknown, then: yes, otherwise: yes }, undefined],
    // biome-ignore lint/suspicious/noThenProperty: the language's own word
    ['true ? true : unknown', { type: 'conditional', test: yes, then: yes, otherwise: unknown }, true],
  ])('evaluates %s', (_, expression, value) => {
    const outcome = (of: Expression, missing: 'open' | 'closed') =>
      slowEvaluate([
        models(
          at(0),
          model({
            gates: [{ name: 'gate', title: '', open: { text: '', expression: of }, missing }],
            triggers: [trigger({ when: { text: 'true', expression: yes }, gates: ['gate'] })],
          }),
        ),
        signal(at(0)),
      ]).events.map(event => event.type === 'pql' && event.status)[0]
    // A gate shows all three results: open either way, closed either way, or as it says for unknown.
    const seen = [outcome(expression, 'open'), outcome(expression, 'closed')].join()
    const expected = { true: 'qualified,qualified', false: 'held,held', undefined: 'qualified,held' }
    expect(seen).toBe(expected[String(value) as keyof typeof expected])
  })

  test('chooses the first case that is true even if one before it is unknown', () => {
    const cases = (last: object[]) =>
      pointsOf('seats', {
        type: 'cases',
        missing: { type: 'points', points: 1 },
        cases: [{ when: atLeast('seats', 1), points: 2 }, ...last],
      } as never)
    const scoreOf = (rule: RuleDefinition) =>
      slowEvaluate([
        models(at(0), model({ groups: [{ name: 'all', title: '', weight: 1, max: 100, rules: [rule] }] })),
        signal(at(0)),
      ]).accounts.get('acme')!.standings[0]!.score
    expect(scoreOf(cases([{ when: atLeast('used', 1), points: 3 }]))).toBe(3)
    expect(scoreOf(cases([{ when: undefined, points: 4 }]))).toBe(1)
    expect(scoreOf(cases([]))).toBe(1)
  })
})

describe('a models record', () => {
  const base = seatsModel({ triggers: [trigger(), trigger({ name: 'gone', motion: 'cross-sell' })] })

  test('disqualifies PQLs whose trigger is gone, and keeps the tier and the other states', () => {
    const { events } = slowEvaluate([
      models(at(0), base),
      facts(at(0, 6), { seats: 10 }, { id: 'many' }),
      models(at(1, 12), { ...base, version: 2, triggers: [trigger({ expiryMs: HOUR_MS })] }),
      tick(at(6)),
    ])
    expect(events.map(line)).toEqual([
      '0.25 cold > hot 0 > 10, signal many',
      '0.25 upgrade#1 qualified, signal many',
      '0.25 gone#1 qualified, signal many',
      '1.5 gone#1 disqualified, model',
      '5.25 upgrade#1 expired, window',
    ])
    expect(events.map(event => event.modelVersion)).toEqual([1, 1, 1, 1, 2])
  })

  test('ends models that it does not name, and starts new ones with cause model', () => {
    expect(
      linesOf(
        models(at(0), base),
        facts(at(0, 6), { seats: 10 }, { id: 'many' }),
        models(at(1, 12), { ...base, id: 'other' }),
      ),
    ).toEqual([
      '0.25 cold > hot 0 > 10, signal many',
      '0.25 upgrade#1 qualified, signal many',
      '0.25 gone#1 qualified, signal many',
      '1.5 upgrade#1 disqualified, model',
      '1.5 gone#1 disqualified, model',
      '1.5 cold > hot 0 > 10, model',
      '1.5 upgrade#1 qualified, model',
      '1.5 gone#1 qualified, model',
    ])
  })

  test('moves an account whose tier is gone to the lowest tier, and keeps its score', () => {
    const tiers = [
      { name: 'low', title: '', from: 0, action: '', queue: undefined },
      { name: 'high', title: '', from: 5, action: '', queue: undefined },
    ]
    expect(
      linesOf(
        models(at(0), seatsModel()),
        facts(at(0), { seats: 10 }, { id: 'many' }),
        models(at(1), seatsModel({ version: 2, tiers })),
      ),
    ).toEqual(['0 cold > hot 0 > 10, signal many', '1 low > high 10 > 10, model'])
  })

  test('changes nothing for an unchanged model', () => {
    const history = [models(at(0), base), facts(at(0, 6), { seats: 10 }), tick(at(9))]
    const again = [...history.slice(0, 2), models(at(2, 2), base), ...history.slice(2)]
    expect(slowEvaluate(again).events).toEqual(slowEvaluate(history).events)
  })
})

describe('withoutIds', () => {
  test('makes events equal that differ only in ids and in the order of accounts', () => {
    const history = [
      models(at(0), seatsModel({ triggers: [trigger()] })),
      facts(at(0), { seats: 10 }),
      facts(at(0), { seats: 10 }, { accountId: 'other' }),
      tick(at(30)),
    ]
    const { events } = slowEvaluate(history)
    const hashed = events
      .map(event => ({
        ...event,
        id: `h-${event.at}`,
        ...(event.type === 'pql' && { pqlId: `p-${event.pqlId}` }),
      }))
      .sort((a, b) => (a.accountId < b.accountId ? 1 : a.accountId > b.accountId ? -1 : 0))
    expect(events.length).toBeGreaterThan(8)
    expect(withoutIds(hashed)).toEqual(withoutIds(events))
    const later = events.map((event, index) => (index === 3 ? { ...event, at: event.at + 1 } : event))
    expect(withoutIds(later)).not.toEqual(withoutIds(events))
  })
})

describe('random histories', () => {
  test('give the same result whether all boundaries are evaluated or only those that may change something', () => {
    fc.assert(
      fc.property(arbitraryHistory({ accounts: 2, length: 40 }), history => {
        const ended = endWithTick(history, 60 * DAY_MS)
        const slow = slowEvaluate(ended)
        const slowest = slowEvaluate(ended, { everyBoundary: true })
        expect(slow.events).toEqual(slowest.events)
        expect(standingsOf(slow)).toEqual(standingsOf(slowest))
      }),
      { numRuns: 40 },
    )
  }, 120_000)

  test('do not depend on ticks', () => {
    fc.assert(
      fc.property(arbitraryHistory({ accounts: 2, length: 40 }), history => {
        const ended = endWithTick(history, 40 * DAY_MS)
        const quiet = ended.filter((record, index) => !('tick' in record) || index === ended.length - 1)
        expect(withoutIds(slowEvaluate(ended).events)).toEqual(withoutIds(slowEvaluate(quiet).events))
      }),
      { numRuns: 100 },
    )
  }, 60_000)

  test('contain everything that can happen', () => {
    const seen = new Set<string>()
    const values = new Map<string, Set<unknown>>()
    for (const history of fc.sample(arbitraryHistory({ accounts: 3, length: 80 }), {
      numRuns: 150,
      seed: 7,
    })) {
      const { events, accounts, leads, outcomes } = slowEvaluate(endWithTick(history, 2 * DAY_MS))
      const firstAt = new Map<string, number>()
      for (const event of events) {
        const { at, cause } = event
        seen.add(`${event.type === 'pql' ? event.status : event.type}, ${cause.type}`)
        if (event.type === 'tier-change' && event.queue !== undefined) seen.add('queue')
        if (event.type === 'pql' && (event.confidence ?? 0) % 1 !== 0) seen.add('confidence')
        if (event.type === 'pql' && (event.estimatedValue ?? 0) > 0) seen.add('value')
        if (cause.type !== 'override') continue
        const key = JSON.stringify([event.accountId, cause.signalId])
        if (at > (firstAt.get(key) ?? at)) seen.add('the end of an override')
        firstAt.set(key, Math.min(at, firstAt.get(key) ?? at))
      }
      for (const { inScope, tier, csm } of outcomes)
        seen.add(`outcome ${inScope} ${csm !== undefined}`).add(tier)
      for (const { csm } of leads) seen.add(`lead ${csm !== undefined}`)
      for (const { duplicates, dropped, standings } of accounts.values()) {
        if (duplicates > 0) seen.add('duplicate')
        if (dropped.tooOld > 0) seen.add('too old')
        for (const { active, inScope, features, alerts } of standings) {
          seen.add(`in scope: ${inScope}`)
          if (alerts.size > 1) seen.add('alerts')
          for (const { name, type } of active.definition.features) {
            const of = values.get(type) ?? new Set()
            values.set(type, of.add(features.get(name)))
          }
        }
      }
    }
    const causes = ['signal', 'late', 'window', 'model', 'override']
    const expected = [
      ...['tier-change', 'qualified', 'held', 'disqualified', 'alert'].flatMap(what =>
        causes.map(cause => `${what}, ${cause}`),
      ),
      ...['held, gate', 'released, gate', 'expired, window', 'duplicate', 'too old'],
      ...[
        'queue',
        'confidence',
        'value',
        'the end of an override',
        'in scope: true',
        'in scope: false',
        'alerts',
      ],
      ...['outcome true true', 'outcome true false', 'outcome false true', 'lead true', 'lead false', 'hot'],
    ]
    expect(expected.filter(what => !seen.has(what))).toEqual([])
    expect(values.size).toBe(21)
    // Each feature shows unknown or 0, and three other values.
    expect([...values].filter(([, of]) => of.size < 4).map(([type]) => type)).toEqual([])
  }, 60_000)
})

function standingsOf({ accounts }: ReturnType<typeof slowEvaluate>) {
  return [...accounts.values()].map(({ accountId, clock, duplicates, dropped, standings }) => ({
    accountId,
    clock,
    duplicates,
    dropped,
    standings: standings.map(
      ({
        modelId,
        score,
        coverage,
        contributions,
        features,
        tier,
        enteredAt,
        inScope,
        triggers,
        alerts,
      }) => ({
        modelId,
        score,
        coverage,
        contributions,
        features,
        tier,
        enteredAt,
        inScope,
        triggers,
        alerts,
      }),
    ),
  }))
}

// ---- The rolling score of the Kafka Streams peer ----

/**
 * The peer's score as a model. Corners replace min(10, x / 3) and so on. Its own rules are in
 * `shared/peers/kafka-streams/README.md`.
 */
const ROLLING: ModelDefinition = model({
  id: 'rolling',
  score: { scale: 10, min: 0, max: 100, decimals: 0 },
  features: [
    rollingFeature('activeDays30', { type: 'activeDays' }, ['usage', 'intent']),
    rollingFeature('distinctNames30', { type: 'distinctNames' }, ['usage', 'intent']),
    { name: 'distinctUsers30', type: 'distinctUsers', windowDays: 30 },
    rollingFeature('intentCount30', { type: 'count' }, ['intent']),
  ],
  groups: (
    [
      ['usage', 0.4, 'activeDays30', 30],
      ['breadth', 0.25, 'distinctNames30', 8],
      ['users', 0.2, 'distinctUsers30', 20],
      ['intent', 0.15, 'intentCount30', 5],
    ] as const
  ).map(([name, weight, of, full]) => ({
    name,
    title: name,
    weight,
    max: 10,
    rules: [
      pointsOf(of, {
        max: 10,
        line: {
          of,
          corners: [
            [0, 0],
            [full, 10],
          ],
        },
      } as Partial<RuleDefinition>),
    ],
  })),
  tiers: [
    { name: 'none', title: '', from: 0, action: '', queue: undefined },
    { name: 'potential', title: '', from: 25, action: '', queue: undefined },
    { name: 'likely', title: '', from: 50, action: '', queue: undefined },
    { name: 'ready', title: '', from: 75, action: '', queue: undefined },
  ],
})

function rollingFeature(name: string, type: object, kinds: string[]): FeatureDefinition {
  const select = { kinds, names: undefined, except: [] }
  return { name, ...type, select, window: { unit: 'day', length: 30 } } as unknown as FeatureDefinition
}

interface PeerAccount {
  now: number
  readonly applied: Signal[]
  tier: string
}

const dayOf = (ms: number) => Math.floor(ms / DAY_MS)

/**
 * `reference.py --sweep`, with the score in integers as in the peer's README. The `at` of a change is the
 * account's clock.
 */
function peerChanges(signals: readonly Signal[]): string[] {
  const accounts = new Map<string, PeerAccount>()
  const changes: string[] = []
  const evaluatePeer = (account: PeerAccount, accountId: string, cause: string) => {
    const held = account.applied.filter(each => dayOf(each.occurredAt) >= dayOf(account.now) - 29)
    const different = (of: (each: Signal) => unknown) => new Set(held.map(of)).size
    const days = Math.min(
      30,
      different(each => dayOf(each.occurredAt)),
    )
    const names = Math.min(
      8,
      different(each => `${each.kind} ${each.name}`),
    )
    const users = Math.min(
      20,
      different(each => each.userId),
    )
    const intents = Math.min(5, held.filter(each => each.kind === 'intent').length)
    const score = Math.floor((32 * days + 75 * names + 24 * users + 72 * intents + 12) / 24)
    const tier = score >= 75 ? 'ready' : score >= 50 ? 'likely' : score >= 25 ? 'potential' : 'none'
    if (tier !== account.tier)
      changes.push([accountId, account.tier, tier, score, account.now, cause].join('|'))
    account.tier = tier
  }
  for (const event of signals) {
    const { accountId, occurredAt } = event
    const account = accounts.get(accountId) ?? { now: Number.NaN, applied: [], tier: 'none' }
    accounts.set(accountId, account)
    for (let day = dayOf(account.now) + 1; day <= dayOf(occurredAt); day += 1) {
      account.now = day * DAY_MS
      evaluatePeer(account, accountId, 'window')
    }
    if (dayOf(occurredAt) <= dayOf(account.now) - 30) continue
    if (account.applied.slice(-128).some(({ id }) => id === event.id)) continue
    account.applied.push(event)
    account.now = Number.isNaN(account.now) ? occurredAt : Math.max(account.now, occurredAt)
    evaluatePeer(account, accountId, event.id)
  }
  return changes.sort()
}

/** mulberry32: the same numbers in [0, 1) on every machine. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Signals as the peer's generator makes them: Zipf accounts, 90 % usage, up to 2 h of disorder, copies. A
 * copy comes at most 20 records later. So it is within 48 hours and within 128 ids, and both rules call it a
 * duplicate.
 */
function peerSignals(count: number, days: number, seed: number): Signal[] {
  const random = randomNumbers(seed)
  const upTo = (limit: number) => Math.floor(random() * limit)
  const signals: Signal[] = []
  while (signals.length < count) {
    const index = signals.length
    if (index > 20 && random() < 0.03) {
      signals.push(signals[index - 1 - upTo(20)]!)
      continue
    }
    const accountId = `acct-${Math.floor(40 ** random())}`
    const kind = random() < 0.9 ? 'usage' : 'intent'
    signals.push({
      id: `e-${index}`,
      kind,
      name: kind === 'usage' ? `feature.${upTo(8)}` : `wish.${upTo(3)}`,
      accountId,
      userId: `${accountId}-u${upTo(25)}`,
      quantityThousandths: 1000,
      properties: {},
      occurredAt: START + Math.floor((index * days * DAY_MS) / count) - upTo(2 * HOUR_MS),
    })
  }
  return signals
}

describe('the rolling score of the Kafka Streams peer', () => {
  test.each([
    { count: 3_000, days: 60, seed: 42 },
    { count: 3_000, days: 200, seed: 7 },
    { count: 500, days: 300, seed: 1 },
  ])('has the same tier changes for $count signals over $days days', ({ count, days, seed }) => {
    const signals = peerSignals(count, days, seed)
    const expected = peerChanges(signals)
    const { events, accounts } = slowEvaluate([
      models(at(-1), ROLLING),
      ...signals.map(each => ({ timestamp: each.occurredAt, signal: each })),
    ])
    const changes = events.map(event => {
      if (event.type !== 'tier-change') throw new Error('the model has no triggers')
      const { accountId, from, to, score, cause } = event
      return [accountId, from, to, score, event.at, cause.signalId ?? cause.type].join('|')
    })
    expect(changes.sort()).toEqual(expected)
    expect(expected.length).toBeGreaterThan(30)
    expect([...accounts.values()].reduce((sum, { duplicates }) => sum + duplicates, 0)).toBeGreaterThan(5)
  })
})
