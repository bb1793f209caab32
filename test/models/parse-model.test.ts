import { describe, expect, it } from 'vitest'
import { compileModel } from '../../src/scoring/definition/compile-model.ts'
import { errorOf, expectRefused, FEATURE_KEYS, features, modelText, parse, rules } from './model-text.ts'

const LATEST = { maxAgeDays: undefined, fallback: undefined }

describe('a model file', () => {
  it('becomes a definition, with defaults for all that it leaves out', () => {
    expect(parse()).toEqual({
      id: 'small',
      version: 1,
      name: 'Small',
      score: { scale: 10, min: 0, max: 100, decimals: 0 },
      features: [
        { name: 'seats', type: 'latest', key: 'contract.seats', valueType: 'number', ...LATEST },
        { name: 'users', type: 'distinctUsers', windowDays: 30 },
        { name: 'plan', type: 'latest', key: 'contract.plan', valueType: 'string', ...LATEST },
        { name: 'trial', type: 'latest', key: 'contract.trial', valueType: 'boolean', ...LATEST },
      ],
      groups: [
        {
          name: 'usage',
          title: 'Usage',
          weight: 1,
          max: 10,
          rules: [
            {
              name: 'many-users',
              title: 'Many users',
              max: 10,
              missing: { type: 'points', points: 0 },
              type: 'cases',
              cases: [
                {
                  when: {
                    text: 'users >= 3',
                    expression: {
                      type: 'compare',
                      operator: '>=',
                      left: { type: 'feature', name: 'users' },
                      right: { type: 'literal', value: 3 },
                    },
                  },
                  points: 10,
                },
              ],
            },
          ],
        },
      ],
      tiers: [
        { name: 'low', title: 'Low', from: 0, action: '', queue: undefined },
        { name: 'high', title: 'High', from: 50, action: '', queue: undefined },
      ],
      tierPolicy: { margin: 0, dwellMs: 0 },
      gates: [],
      triggers: [],
      alerts: [],
      scope: { include: undefined, exclude: undefined },
      facets: [],
      rates: [],
      kpis: undefined,
    })
  })

  it('is frozen at every level', () => {
    const model = parse()
    const seen: unknown[] = [model]
    for (const value of seen) {
      expect(Object.isFrozen(value)).toBe(true)
      for (const inner of Object.values(value as object)) {
        if (typeof inner === 'object' && inner !== null) seen.push(inner)
      }
    }
    expect(seen.length).toBeGreaterThan(20)
  })

  it('compiles', () => {
    expect(compileModel(parse()).rules).toHaveLength(1)
  })

  it('defines the score, the tier policy, the tiers, gates and triggers', () => {
    const model = parse({
      score: 'score: { scale: 2.5, min: -10, max: 250, decimals: 2 }',
      tiers: `tiers:
  - { name: not-ready, title: Not ready yet, from: -10, action: Wait. }
  - { name: ready, from: 12.5 }
tierPolicy: { margin: 2, dwell: 36h }`,
      rest: `gates:
  healthy: { title: Healthy, open: seats >= 1, missing: open }
  known: { open: known(seats), missing: closed }
triggers:
  seats-full:
    motion: seat-expansion
    when: users / seats > 0.8 && score >= 12.5 && tier == "ready"
    gates: [known]
    cooldown: 30d
    expiry: 90m
    reason: "{users} of {seats} seats"
    play: [First., Second.]
    decisionTimeline: 1-2 weeks
  guests: { motion: cross-sell, when: trial, cooldown: 1h, expiry: 90d, reason: Guests }`,
    })
    expect(model.score).toEqual({ scale: 2.5, min: -10, max: 250, decimals: 2 })
    expect(model.tiers).toEqual([
      { name: 'not-ready', title: 'Not ready yet', from: -10, action: 'Wait.', queue: undefined },
      { name: 'ready', title: 'Ready', from: 12.5, action: '', queue: undefined },
    ])
    expect(model.tierPolicy).toEqual({ margin: 2, dwellMs: 36 * 3_600_000 })
    expect(model.gates).toMatchObject([
      { name: 'healthy', title: 'Healthy', missing: 'open', open: { text: 'seats >= 1' } },
      {
        name: 'known',
        title: 'Known',
        missing: 'closed',
        open: { expression: { type: 'known', name: 'seats' } },
      },
    ])
    expect(model.triggers).toMatchObject([
      {
        name: 'seats-full',
        motion: 'seat-expansion',
        gates: ['known'],
        cooldownMs: 30 * 86_400_000,
        expiryMs: 5_400_000,
        reason: '{users} of {seats} seats',
        play: ['First.', 'Second.'],
        decisionTimeline: '1-2 weeks',
      },
      // A trigger that names no gates is held by all gates.
      { name: 'guests', gates: ['healthy', 'known'], cooldownMs: 3_600_000, play: [], decisionTimeline: '' },
    ])
  })

  it('may use aliases for texts that repeat', () => {
    const model = parse({
      rest: `triggers:
  a: { motion: cross-sell, when: trial, cooldown: 1d, expiry: 1d, reason: Why, play: [&look Look., Ask.] }
  b: { motion: cross-sell, when: trial, cooldown: 1d, expiry: 1d, reason: Why, play: [*look] }`,
    })
    expect(model.triggers.map(trigger => trigger.play)).toEqual([['Look.', 'Ask.'], ['Look.']])
  })
})

describe('features', () => {
  const select = (kinds: string[], names?: string[], except: string[] = []) => ({ kinds, names, except })
  const cases: [line: string, definition: object][] = [
    [
      'count: { within: 30d }',
      { type: 'count', select: select(['usage', 'intent']), window: { unit: 'day', length: 30 } },
    ],
    [
      'sum: { of: usage, names: api.called, within: 48h }',
      { type: 'sum', select: select(['usage'], ['api.called']), window: { unit: 'hour', length: 48 } },
    ],
    [
      'distinctNames: { of: [intent, outcome], names: [feature.*, a], within: 400d }',
      {
        type: 'distinctNames',
        select: select(['intent', 'outcome'], ['feature.*', 'a']),
        window: { unit: 'day', length: 400 },
      },
    ],
    [
      'activeDays: { within: 1d }',
      { type: 'activeDays', select: select(['usage', 'intent']), window: { unit: 'day', length: 1 } },
    ],
    ['distinctUsers: { within: 7d }', { type: 'distinctUsers', windowDays: 7 }],
    [
      'distinctValues: { of: team, within: 7d }',
      { type: 'distinctValues', dimension: 'team', windowDays: 7 },
    ],
    ['newValues: { of: location, within: 7d }', { type: 'newValues', dimension: 'location', windowDays: 7 }],
    [
      'latest: health.nps, within: 180d',
      { type: 'latest', key: 'health.nps', valueType: 'number', maxAgeDays: 180, fallback: undefined },
    ],
    [
      'daysUntil: { date: contract.renewalDate }',
      { type: 'daysUntil', key: 'contract.renewalDate', everyYear: false, min: -400, max: 400 },
    ],
    [
      'daysSince: { date: contract.fiscalYearStart, every: year, from: 0, to: 90 }',
      { type: 'daysSince', key: 'contract.fiscalYearStart', everyYear: true, min: 0, max: 90 },
    ],
    [
      'daysSinceSignal: { of: usage, names: login }',
      { type: 'daysSinceSignal', select: select(['usage'], ['login']), max: 400 },
    ],
    [
      'growth: { of: traits.employees, within: 399d }',
      { type: 'growth', of: { key: 'traits.employees' }, windowDays: 399 },
    ],
    [
      'growth: { count: { of: usage }, within: 200d }',
      { type: 'growth', of: { select: select(['usage']), measure: 'count' }, windowDays: 200 },
    ],
    [
      'growth: { sum: { names: [a] }, within: 30d }',
      { type: 'growth', of: { select: select(['usage', 'intent'], ['a']), measure: 'sum' }, windowDays: 30 },
    ],
    [
      'count: { of: intent, names: pricing.viewed, within: 90d, halfLife: 14d }',
      {
        type: 'decayed',
        measure: 'count',
        select: select(['intent'], ['pricing.viewed']),
        window: { unit: 'day', length: 90 },
        halfLife: 14,
      },
    ],
    [
      'sum: { within: 48h, halfLife: 48h }',
      {
        type: 'decayed',
        measure: 'sum',
        select: select(['usage', 'intent']),
        window: { unit: 'hour', length: 48 },
        halfLife: 48,
      },
    ],
    [
      'distinctNames: { of: usage, names: feature.*, except: feature.preview.*, within: 30d }',
      {
        type: 'distinctNames',
        select: select(['usage'], ['feature.*'], ['feature.preview.*']),
        window: { unit: 'day', length: 30 },
      },
    ],
    [
      'daysSinceSignal: { except: [a, b.*], to: 90 }',
      { type: 'daysSinceSignal', select: select(['usage', 'intent'], undefined, ['a', 'b.*']), max: 90 },
    ],
    [
      'growth: { sum: { of: usage, except: a }, within: 30d }',
      {
        type: 'growth',
        of: { select: select(['usage'], undefined, ['a']), measure: 'sum' },
        windowDays: 30,
      },
    ],
    ['powerUsers: { days: 12, within: 30d }', { type: 'powerUsers', days: 12, windowDays: 30 }],
    ['newValues: { of: role, within: 30d }', { type: 'newValues', dimension: 'role', windowDays: 30 }],
    [
      'daysSustained: { of: traits.planUsage, per: contract.limit, above: 0.8, to: 90 }',
      {
        type: 'daysSustained',
        key: 'traits.planUsage',
        per: 'contract.limit',
        level: { edge: 'above', limit: 0.8 },
        max: 90,
      },
    ],
    [
      'daysSustained: { of: health.score, from: -1 }',
      {
        type: 'daysSustained',
        key: 'health.score',
        per: undefined,
        level: { edge: 'from', limit: -1 },
        max: 400,
      },
    ],
    [
      'periodsSustained: { sum: { of: usage, names: api.called }, per: contract.apiCallLimit, every: 30d, above: 0.8, to: 13 }',
      {
        type: 'periodsSustained',
        measure: 'sum',
        select: select(['usage'], ['api.called']),
        per: 'contract.apiCallLimit',
        periodDays: 30,
        level: { edge: 'above', limit: 0.8 },
        max: 13,
      },
    ],
    [
      'periodsSustained: { count: {}, every: 400d, from: 3, to: 1 }',
      {
        type: 'periodsSustained',
        measure: 'count',
        select: select(['usage', 'intent']),
        per: undefined,
        periodDays: 400,
        level: { edge: 'from', limit: 3 },
        max: 1,
      },
    ],
    [
      'knownKeys: { of: traits.stakeholder.*, within: 180d }',
      { type: 'knownKeys', pattern: 'traits.stakeholder.*', maxAgeDays: 180 },
    ],
    ['knownKeys: { of: health.* }', { type: 'knownKeys', pattern: 'health.*', maxAgeDays: undefined }],
    [
      'knownKeys: { of: traits.owns.crm }',
      { type: 'knownKeys', pattern: 'traits.owns.crm', maxAgeDays: undefined },
    ],
    [
      'latest: traits.owns.crm, type: flag, default: false',
      {
        type: 'latest',
        key: 'traits.owns.crm',
        valueType: 'boolean',
        maxAgeDays: undefined,
        fallback: false,
      },
    ],
    [
      'latest: traits.plan, type: text, default: ""',
      { type: 'latest', key: 'traits.plan', valueType: 'string', maxAgeDays: undefined, fallback: '' },
    ],
    [
      'latest: health.score, default: 50, within: 30d',
      { type: 'latest', key: 'health.score', valueType: 'number', maxAgeDays: 30, fallback: 50 },
    ],
    [
      'formula: users / seats * 100',
      {
        type: 'formula',
        formula: {
          text: 'users / seats * 100',
          expression: {
            type: 'arithmetic',
            operator: '*',
            left: {
              type: 'arithmetic',
              operator: '/',
              left: { type: 'feature', name: 'users' },
              right: { type: 'feature', name: 'seats' },
            },
            right: { type: 'literal', value: 100 },
          },
        },
      },
    ],
    ['ratio: [users, seats]', { type: 'ratio', of: 'users', to: 'seats' }],
    ['largest: [users, seats]', { type: 'largest', of: ['users', 'seats'] }],
    ['smallest: [users, seats]', { type: 'smallest', of: ['users', 'seats'] }],
  ]
  it.each(cases)('{ %s }', (line, definition) => {
    const model = parse(
      features(
        'seats: { latest: contract.seats }',
        'users: { distinctUsers: { within: 30d } }',
        `it: { ${line} }`,
      ),
    )
    expect(model.features.find(feature => feature.name === 'it')).toEqual({ name: 'it', ...definition })
  })

  it('may come in any order, and are sorted after the features that they read', () => {
    const model = parse(
      features(
        'most: { largest: [perSeat, users] }',
        'perSeat: { ratio: [users, seats] }',
        'users: { distinctUsers: { within: 30d } }',
        'seats: { latest: contract.seats }',
      ),
    )
    expect(model.features.map(feature => feature.name)).toEqual(['users', 'seats', 'perSeat', 'most'])
  })
})

describe('formulas of features', () => {
  it('may come in any order, read each other, and have the type of their result', () => {
    const model = parse({
      ...features(
        'isLarge: { formula: size == "large" && share > 0.5 }',
        'most: { largest: [share, users] }',
        'size: { formula: "users > 100 ? \\"large\\" : \\"small\\"" }',
        'share: { formula: users / seats }',
        'users: { distinctUsers: { within: 30d } }',
        'seats: { latest: contract.seats }',
      ),
      ...rules('a: { when: isLarge && size != "small" && share > 0.9, points: 3 }'),
    })
    expect(model.features.map(({ name }) => name)).toEqual([
      'seats',
      'users',
      'share',
      'size',
      'isLarge',
      'most',
    ])
  })
})

describe('rules', () => {
  it('are lines, bands, cases, or one condition; the most that each can give is computed', () => {
    const [group] = parse(
      rules(
        'a: { title: A line, line: { of: users, corners: [[0, 0], [5, 8], [9, 2]] }, missing: exclude }',
        'b: { of: seats, bands: [{ from: 60, points: 3 }, { above: 60, points: 5 }], below: 1, missing: 2 }',
        'c: { of: seats, bands: [{ above: 0.5, points: -2 }] }',
        'd:',
        '  cases:',
        '    - { when: users < 4, points: 0 }',
        '    - { when: users < 8, points: { line: { of: users, corners: [[4, 1], [8, 3]] } } }',
        '    - { otherwise: { line: { of: seats, corners: [[1, 7]] } } }',
        'e: { when: trial, points: 2 }',
        'f: { when: trial, points: { line: { of: users, corners: [[0, 1]] } } }',
      ),
    ).groups
    const [a, b, c, d, e, f] = group!.rules
    expect(a).toEqual({
      name: 'a',
      title: 'A line',
      max: 8,
      missing: { type: 'exclude' },
      type: 'line',
      line: {
        of: 'users',
        corners: [
          [0, 0],
          [5, 8],
          [9, 2],
        ],
      },
    })
    expect(b).toEqual({
      name: 'b',
      title: 'B',
      max: 5,
      missing: { type: 'points', points: 2 },
      type: 'bands',
      of: 'seats',
      bands: [
        { limit: 60, edge: 'from', points: 3 },
        { limit: 60, edge: 'above', points: 5 },
      ],
      below: 1,
    })
    expect(c).toMatchObject({ max: 0, below: 0, bands: [{ limit: 0.5, edge: 'above', points: -2 }] })
    expect(d).toMatchObject({
      max: 7,
      cases: [
        { when: { text: 'users < 4' }, points: 0 },
        { when: { text: 'users < 8' }, points: { of: 'users' } },
        { when: undefined, points: { of: 'seats' } },
      ],
    })
    expect(e).toMatchObject({
      max: 2,
      cases: [{ when: { expression: { type: 'feature', name: 'trial' } }, points: 2 }],
    })
    expect(f).toMatchObject({ max: 1, cases: [{ points: { of: 'users', corners: [[0, 1]] } }] })
  })
})

describe('a rule of points each', () => {
  it('is a line from 0 to its maximum', () => {
    const [group] = parse(
      rules('a: { title: Users, each: { of: users, points: 2, max: 10 }, missing: exclude }'),
    ).groups
    expect(group!.rules).toEqual([
      {
        name: 'a',
        title: 'Users',
        max: 10,
        missing: { type: 'exclude' },
        type: 'line',
        line: {
          of: 'users',
          corners: [
            [0, 0],
            [5, 10],
          ],
        },
      },
    ])
  })
})

describe('a refusal', () => {
  it('lists all problems in the order of the file, one a line, with code, file, line and column', () => {
    const error = errorOf(
      modelText({
        score: 'score: { scale: 10, max: 100, decimls: 1 }',
        ...rules(
          'a: { when: usres > 3, points: 1 }',
          'b: { line: { of: seets, corners: [[1, 1], [0, 0]] } }',
        ),
        tiers: 'tiers: [{ name: low, from: 0 }, { name: low, from: 10 }]',
      }),
    )
    expect(error).toMatchObject({ code: 'INVALID_MODEL', canRetry: false, name: 'InvalidModelError' })
    expect(error.problems).toHaveLength(5)
    expect(error.problems[1]).toEqual({
      file: 'small.yaml',
      line: 15,
      column: 18,
      path: 'groups.usage.rules.a.when',
      message: '"usres" is not a feature; accepted: a name from features; did you mean "users"?',
    })
    expect(error.message.split('\n')).toEqual([
      'small.yaml:4:31: "decimls" is not a key of a score; accepted: scale, min, max, decimals; did you mean "decimals"?',
      'small.yaml:15:18: "usres" is not a feature; accepted: a name from features; did you mean "users"?',
      'small.yaml:16:24: "seets" is not a feature; accepted: a name from features; did you mean "seats"?',
      'small.yaml:16:50: found 0 after 1; each corner is above the one before; sort them, or use cases for a jump',
      "small.yaml:17:41: the tier low is also tiers[0]; a tier's name is used once; choose another",
    ])
  })

  it('includes the problems of conditions in malformed rules, gates and triggers', () => {
    expectRefused(
      {
        ...rules(
          'a: { §titel: A, when: users > §sets, points: 1 }',
          'b: { cases: [{ when: §seets > 3, points: §many }, { when: §usrs > 3, points: 1 }] }',
        ),
        rest: `gates: { §g: { open: §score > 3 } }
triggers: { §t: { motion: cross-sell, when: tier == §"lwo", cooldown: 1d, reason: Why } }`,
      },
      '"titel" is not a key of a rule; accepted: title, missing, line, of, bands, below, cases, each, when, points; did you mean "title"?',
      '"sets" is not a feature; accepted: a name from features; did you mean "seats"?',
      '"seets" is not a feature; accepted: a name from features; did you mean "seats"?',
      'found "many"; accepted: a number of points, from -1000 to 1000; write, for example, 5',
      '"usrs" is not a feature; accepted: a name from features; did you mean "users"?',
      'the gate g has no missing; it needs one: what an unknown condition means: open or closed; add it',
      'score is a variable in triggers and alerts only; features are accepted here; move it there',
      'the trigger t has no expiry; it needs one: a PQL that is still open this long after it qualified expires: 90d; add it',
      '"lwo" is not a tier; accepted: low, high; did you mean "low"?',
    )
  })

  it('reports no second problem where a wrong feature is read', () => {
    expectRefused(
      {
        ...features('seats: { §latests: contract.seats }'),
        ...rules(
          'a: { when: seats > 3 && seats == "x", points: 1 }',
          'b: { line: { of: seats, corners: [[0, 1]] } }',
        ),
      },
      `"latests" is not a key of a feature; accepted: ${FEATURE_KEYS}; did you mean "latest"?`,
    )
  })

  it('does not report every name as unknown when the features cannot be read', () => {
    expectRefused(
      { features: 'features: §[]', ...rules('a: { when: seats > 3 && plan == "x", points: 1 }') },
      'found a list of 0; accepted: what the model reads, by name (a block of keys); change it',
    )
  })
})
