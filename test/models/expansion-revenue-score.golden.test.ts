import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { parseModel } from '../../src/models/parse-model.ts'
import { compileModel } from '../../src/scoring/definition/compile-model.ts'
import type { Value } from '../../src/scoring/definition/model-definition.ts'
import { evaluateFeatures } from '../../src/scoring/evaluate-features.ts'
import { type Row, table } from '../support/table.ts'

/**
 * Each number in the definition of the Expansion Revenue Score is a row here. The first columns of a table
 * are features, the last ones results. `-` is unknown. Features that a row does not name are as in `QUIET`.
 */

const FILE = 'models/expansion-revenue-score.yaml'
const MODEL = compileModel(parseModel(readFileSync(join(PACKAGE_ROOT, FILE), 'utf8'), FILE))

/** An account with usage, but without any other signal. Counts are always known. */
const QUIET: Record<string, Value> = {
  activeDays: 20,
  activeUsers: 0,
  apiCalls: 0,
  featuresUsed: 0,
  teams: 0,
  powerFeatures: 0,
  previewFeatures: 0,
  sponsorContacts: 0,
  usersAdded: 0,
  newTeams: 0,
  locations: 0,
  newLocations: 0,
  usersInvited: 0,
  guestsAdded: 0,
  productPageViews: 0,
  nextPlanQuestions: 0,
  useCaseQuestions: 0,
}

/** Feature values that give a dimension 10 points. */
const FULL = {
  usage: { activeUsers: 100, seats: 100, teams: 4, powerFeatures: 1 },
  health: { healthScore: 100, nps: 10, supportSentiment: 'positive', sponsorContacts: 1 },
  growth: {
    headcountGrowth: 0.1,
    usersAdded: 5,
    newTeams: 1,
    teams: 2,
    newLocations: 1,
    locations: 2,
    revenueGrowth: 0.2,
  },
  commercial: { daysToRenewal: 75, contractType: 'annual', discountPercent: 0, daysIntoFiscalYear: 0 },
} satisfies Record<string, Record<string, Value>>

/** Feature values, all known, that give a dimension 0 points. */
const EMPTY = {
  usage: { activeDays: 0, activeUsers: 0, seats: 100 },
  health: { healthScore: 0, nps: 0, supportSentiment: 'escalating' },
  growth: { headcountGrowth: 0, revenueGrowth: 0 },
  commercial: { daysToRenewal: 180, contractType: 'monthly', discountPercent: 50, daysIntoFiscalYear: 200 },
} satisfies Record<string, Record<string, Value>>

const NOTHING: Record<string, Value> = {
  ...EMPTY.usage,
  ...EMPTY.health,
  ...EMPTY.growth,
  ...EMPTY.commercial,
}

const evaluate = (values: Record<string, Value>) => evaluateFeatures(MODEL, { ...QUIET, ...values })

describe('usage signals', () => {
  const rows = table(`
    activeDays | activeUsers | seats | teams | powerFeatures | points | pattern
            20 |         100 |   100 |     4 |             2 |     10 | at the limit, high breadth, power features
            20 |         120 |   100 |     6 |             1 |     10 | past the limit
            20 |          81 |   100 |     2 |             0 |   7.05 | above 80 %, moderate breadth: 7 to 8
            20 |          90 |   100 |     3 |             0 |    7.5 | above 80 %, moderate breadth: 7 to 8
            20 |         100 |   100 |     2 |             0 |      8 | above 80 %, moderate breadth: 7 to 8
            20 |          50 |   100 |     1 |             0 |      4 | 50 to 80 %, single use case: 4 to 6
            20 |          65 |   100 |     1 |             0 |      5 | 50 to 80 %, single use case: 4 to 6
            20 |          80 |   100 |     1 |             0 |      6 | 50 to 80 %, single use case: 4 to 6
            20 |           0 |   100 |     1 |             0 |      1 | below 50 %: 1 to 3
            20 |          25 |   100 |     1 |             0 |      2 | below 50 %: 1 to 3
            20 |         499 |  1000 |     5 |             3 |  2.996 | below 50 %, whatever the breadth: 1 to 3
             3 |         100 |   100 |     4 |             2 |      0 | low engagement
             0 |           0 |   100 |     0 |             0 |      0 | low engagement
             4 |          25 |   100 |     1 |             0 |      2 | the least engagement that is not low
            20 |          90 |   100 |     1 |             0 |    6.5 | open: above 80 %, single team
            20 |         100 |   100 |     3 |             1 |      9 | open: at the limit, moderate breadth, power features
            20 |         100 |   100 |     4 |             0 |      9 | open: at the limit, high breadth, no power features
            20 |          65 |   100 |     4 |             1 |      8 | open: 65 %, high breadth, power features
            20 |           9 |     - |     4 |             1 |      2 | no limit known: the middle of below 50 %
             3 |           9 |     - |     4 |             1 |      0 | no limit known, low engagement
            20 |           9 |     0 |     1 |             0 |      2 | a limit of 0 is no limit
  `)
  it.each(rows)('$points points: $pattern', ({ points, pattern: _, ...features }) => {
    expect(evaluate(features).groups['usage']).toBeCloseTo(points as number, 9)
  })

  const limits = table(`
    activeUsers | seats | apiCalls | apiCallLimit | storageUsed | storageLimit | featuresUsed | includedFeatures | points
             50 |   100 |        - |            - |           - |            - |            0 |                - |      4
              0 |   100 |     8000 |        10000 |           - |            - |            0 |                - |      6
              0 |   100 |        0 |        10000 |          90 |          100 |            0 |                - |    6.5
              0 |     - |        0 |            - |          50 |            - |           13 |               20 |      5
              0 |   100 |        0 |            - |           - |            - |           17 |               20 |   6.25
              0 |   100 |        0 |            - |           - |            - |           18 |               20 |      7
             50 |   100 |        0 |            - |           - |            - |           19 |               20 |      7
             50 |   100 |    10000 |        10000 |           1 |          100 |            0 |               20 |      7
  `)
  it.each(limits)(
    'the fullest limit counts, and 90 % of the features are a full one: %o',
    ({ points, ...features }) => {
      expect(evaluate({ ...features, teams: 1 }).groups['usage']).toBeCloseTo(points as number, 9)
    },
  )
})

describe('usage signals, between the rows of the table', () => {
  it('more activity never gives fewer points', () => {
    const usage = fc.record({
      activeDays: fc.nat(30),
      activeUsers: fc.nat(120),
      apiCalls: fc.nat(120),
      featuresUsed: fc.nat(22),
      teams: fc.nat(6),
      powerFeatures: fc.nat(3),
    })
    const limits = fc.record({
      seats: fc.constantFrom(undefined, 100),
      apiCallLimit: fc.constantFrom(undefined, 100),
      includedFeatures: fc.constantFrom(undefined, 20),
    })
    const pointsOf = (values: Record<string, Value>) => evaluate(values).groups['usage']!
    fc.assert(
      fc.property(
        usage,
        limits,
        fc.constantFrom('activeDays', 'activeUsers', 'apiCalls', 'featuresUsed', 'teams', 'powerFeatures'),
        fc.integer({ min: 1, max: 30 }),
        (some, given, what, more) => {
          const before = pointsOf({ ...given, ...some })
          const after = pointsOf({ ...given, ...some, [what]: some[what] + more })
          expect(after).toBeGreaterThanOrEqual(before)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('account health', () => {
  const rows = table(`
    healthScore | nps | supportSentiment | sponsorContacts | points | why
            100 |  10 |         positive |               1 |     10 | everything is well
              0 |   0 |       escalating |               0 |      0 | nothing is
             60 |   - |                - |               0 |      4 | 2.4 of 6
             60 |   8 |          neutral |               1 |    6.4 | passive, neutral, contacted in the last 30 days
             60 |   9 |          neutral |               1 |    7.4 | promoter
             60 |   7 |          neutral |               1 |    6.4 | passive from 7
             60 |   6 |          neutral |               1 |    5.4 | detractor up to 6
             60 |   8 |         positive |               1 |    7.4 | positive tickets are ready
             60 |   8 |       escalating |               1 |    5.4 | escalating ones are not
             60 |   8 |          neutral |               0 |    4.4 | no contact in the last 30 days
            100 |   - |         positive |               2 |     10 | an NPS that is unknown does not punish
            100 |   - |                - |               1 |     10 | nor do tickets that there are none of
              - |  10 |         positive |               1 |      8 | an unknown health score is the middle
              - |   - |                - |               1 | 6.6667 | and a call alone makes no healthy account
              - |   - |                - |               0 | 3.3333 | nothing is known
  `)
  it.each(rows)('$points points: $why', ({ points, why: _, ...features }) => {
    expect(evaluate(features).groups['health']).toBeCloseTo(points as number, 4)
  })
})

describe('growth signals', () => {
  const rows = table(`
    headcountGrowth | usersAdded | newTeams | teams | newLocations | locations | revenueGrowth | points | why
                0.1 |          5 |        1 |     2 |            1 |         2 |           0.2 |     10 | everything grows
                0.3 |         50 |        4 |     9 |            2 |         3 |             1 |     10 | more than full is full
                  0 |          0 |        0 |     2 |            0 |         1 |             0 |      0 | nothing does
               -0.2 |          0 |        0 |     2 |            0 |         1 |          -0.1 |      0 | shrinking is no less
               0.05 |          0 |        0 |     2 |            0 |         1 |             0 |    1.5 | 5 % more people
                  0 |          1 |        0 |     2 |            0 |         1 |             0 |      1 | one user in the last 30 days
                  0 |          3 |        0 |     2 |            0 |         1 |             0 |      2 | three
                  0 |          0 |        1 |     2 |            0 |         1 |             0 |      1 | a new team beside an older one
                  0 |          0 |        2 |     2 |            1 |         1 |             0 |      0 | all is new in an account that begins
                  0 |          0 |        0 |     2 |            1 |         3 |             0 |      1 | a new location
                  0 |          0 |        0 |     2 |            0 |         1 |           0.1 |      1 | 10 % more revenue
                  - |          5 |        1 |     2 |            1 |         2 |             - |     10 | unknown firmographics do not punish
                  - |          1 |        0 |     2 |            0 |         1 |             - |      2 | 1 of 5
  `)
  it.each(rows)('$points points: $why', ({ points, why: _, ...features }) => {
    expect(evaluate(features).groups['growth']).toBeCloseTo(points as number, 9)
  })
})

describe('commercial readiness', () => {
  const rows = table(`
    daysToRenewal | contractType | discountPercent | daysIntoFiscalYear | points | why
               75 |       annual |               0 |                  0 |     10 | everything fits
               60 |       annual |               0 |                 30 |     10 | 60 days to go
               90 |   multi-year |              10 |                 30 |     10 | 90 days to go
               59 |       annual |               0 |                  0 |   9.95 | 59 days to go
               91 |       annual |               0 |                  0 | 9.8667 | 91 days to go
              105 |       annual |               0 |                  0 |      8 | 105 days to go
              120 |       annual |               0 |                  0 |      6 | 120 days to go
              180 |       annual |               0 |                  0 |      6 | far away
                0 |       annual |               0 |                  0 |      7 | the day of the renewal
               -1 |       annual |               0 |                  0 |      6 | it is over
               75 |      monthly |               0 |                  0 |      8 | month to month
               75 |      unusual |               0 |                  0 |      8 | a type that we do not know
               75 |       annual |              20 |                  0 |      9 | a discount
               75 |       annual |              30 |                  0 |      8 | a deep discount
               75 |       annual |               0 |                 60 |      9 | two months into the fiscal year
               75 |       annual |               0 |                 90 |      8 | three months into it
              180 |      monthly |              50 |                200 |      0 | nothing fits
               75 |       annual |               - |                  - |     10 | unknown discount and fiscal year do not punish
                - |       annual |               - |                  - | 3.3333 | no known renewal is no moment to talk
                - |            - |               - |                  - |      0 | nothing is known
  `)
  it.each(rows)('$points points: $why', ({ points, why: _, ...features }) => {
    expect(evaluate(features).groups['commercial']).toBeCloseTo(points as number, 4)
  })
})

describe('the score', () => {
  const dimensions = ['usage', 'health', 'growth', 'commercial'] as const

  it.each([
    ['usage', 40],
    ['health', 25],
    ['growth', 20],
    ['commercial', 15],
  ] as const)('a full dimension of %s alone makes %i', (dimension, score) => {
    const inUse = dimension === 'usage' ? { activeDays: 20 } : {}
    const evaluation = evaluate({ ...NOTHING, ...inUse, ...FULL[dimension] })
    expect(evaluation.groups).toEqual({ usage: 0, health: 0, growth: 0, commercial: 0, [dimension]: 10 })
    expect(evaluation.score).toBe(score)
  })

  it('is 100 if all dimensions are full, and 0 if none has a point', () => {
    const full = evaluate(Object.assign({}, ...dimensions.map(dimension => FULL[dimension]), { teams: 5 }))
    expect(full).toMatchObject({ score: 100, coverage: 1, tier: 'expansion-ready' })
    expect(evaluate(NOTHING)).toMatchObject({ score: 0, coverage: 1, tier: 'not-ready' })
  })

  it('reports how much of its input is known', () => {
    expect(evaluate({ ...NOTHING, nps: undefined }).coverage).toBe(0.95)
    expect(evaluate({ ...NOTHING, seats: undefined }).coverage).toBe(1)
    expect(evaluate({ ...NOTHING, seats: undefined, activeDays: 20 }).coverage).toBe(0.72)
  })

  /** For each dimension a number of points, and feature values that give exactly these. */
  const USAGE: Record<number, Row> = {
    0: {},
    6: { activeDays: 20, activeUsers: 80 },
    10: { activeDays: 20, ...FULL.usage },
  }
  const HEALTH: Record<number, Row> = { 0: {}, 10: FULL.health }
  const GROWTH: Record<number, Row> = {
    0: {},
    4: { headcountGrowth: 0.1, usersAdded: 1 },
    4.5: { headcountGrowth: 0.05, usersAdded: 5 },
    5: { headcountGrowth: 0.1, revenueGrowth: 0.2 },
    10: FULL.growth,
  }
  const COMMERCIAL: Record<number, Row> = { 0: {}, 1: { discountPercent: 20 }, 10: FULL.commercial }

  const edges = table(`
    usage | health | growth | commercial | score | tier
       10 |     10 |     10 |         10 |   100 | expansion-ready
       10 |     10 |      5 |          0 |    75 | expansion-ready
       10 |     10 |      4 |          1 |    75 | expansion-ready
       10 |     10 |    4.5 |          0 |    74 | expansion-likely
        0 |     10 |      5 |         10 |    50 | expansion-likely
        0 |     10 |    4.5 |         10 |    49 | expansion-potential
        0 |     10 |      0 |          0 |    25 | expansion-potential
        6 |      0 |      0 |          0 |    24 | not-ready
        0 |      0 |      0 |          0 |     0 | not-ready
  `)
  it.each(edges)('$usage, $health, $growth and $commercial points make $score: $tier', row => {
    const values = [
      USAGE[row['usage'] as number],
      HEALTH[row['health'] as number],
      GROWTH[row['growth'] as number],
      COMMERCIAL[row['commercial'] as number],
    ]
    // Older teams, so that the new team counts as growth.
    const evaluation = evaluate(
      Object.assign({ ...NOTHING }, ...values, row['usage'] === 10 ? { teams: 5 } : {}),
    )
    const { usage, health, growth, commercial, score, tier } = row
    expect(evaluation.groups).toEqual({ usage, health, growth, commercial })
    expect([evaluation.score, evaluation.tier]).toEqual([score, tier])
  })
})

describe('the health gate', () => {
  it.each([
    [100, true],
    [60, true],
    [59.9, false],
    [59, false],
    [0, false],
    [undefined, true],
  ])('with a health score of %s: open is %s', (healthScore, open) => {
    expect(evaluate({ healthScore }).gatesOpen).toEqual({ health: open })
  })

  it('holds every trigger', () => {
    expect(MODEL.definition.triggers.map(trigger => trigger.gates)).toEqual(Array(8).fill(['health']))
  })
})

describe('triggers', () => {
  const rows: [trigger: string, motion: string, met: Row, notMet: Row][] = [
    ['seats-nearly-full', 'seat-expansion', { activeUsers: 81, seats: 100 }, { activeUsers: 80, seats: 100 }],
    ['teammate-invited', 'seat-expansion', { usersInvited: 1 }, { usersInvited: 0 }],
    ['guests-accumulating', 'seat-expansion', { guestsAdded: 3 }, { guestsAdded: 2 }],
    [
      'plan-limit-near',
      'plan-upgrade',
      { apiCalls: 901, apiCallLimit: 1000 },
      { apiCalls: 900, apiCallLimit: 1000 },
    ],
    [
      'plan-limit-near',
      'plan-upgrade',
      { storageUsed: 91, storageLimit: 100 },
      { storageUsed: 90, storageLimit: 100 },
    ],
    ['higher-plan-features-adopted', 'plan-upgrade', { previewFeatures: 2 }, { previewFeatures: 1 }],
    ['next-plan-feature-asked', 'plan-upgrade', { nextPlanQuestions: 1 }, { nextPlanQuestions: 0 }],
    [
      'second-product-viewed',
      'cross-sell',
      { productPageViews: 3, activeDays: 12 },
      { productPageViews: 2, activeDays: 12 },
    ],
    ['second-product-viewed', 'cross-sell', { productPageViews: 3 }, { productPageViews: 3, activeDays: 11 }],
    ['use-case-asked', 'cross-sell', { useCaseQuestions: 1 }, { useCaseQuestions: 0 }],
  ]
  it.each(rows)('%s is a PQL of %s with %o, not with %o', (trigger, motion, met, notMet) => {
    expect(evaluate(met).met).toEqual([trigger])
    expect(evaluate(notMet).met).toEqual([])
    expect(MODEL.definition.triggers.find(({ name }) => name === trigger)?.motion).toBe(motion)
  })

  it('are not met by unknown features', () => {
    expect(evaluate({}).met).toEqual([])
  })

  it('each have a play: read the context first, speak to the signal, and where to route a score of 75 or more', () => {
    for (const { play, name } of MODEL.definition.triggers) {
      expect([name, play.length]).toEqual([name, 3])
      expect(play[0]).toMatch(/reads the account's explanation first/)
      expect(play[2]).toMatch(/75 or more.*expansion queue, apart from retention/)
    }
  })
})
