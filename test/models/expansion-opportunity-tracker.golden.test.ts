import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { parseModel } from '../../src/models/parse-model.ts'
import { compileModel } from '../../src/scoring/definition/compile-model.ts'
import type { Value } from '../../src/scoring/definition/model-definition.ts'
import { evaluateFeatures } from '../../src/scoring/evaluate-features.ts'
import { DAY_MS } from '../../src/signals/time.ts'
import { table } from '../support/table.ts'

/** Each number in the definition of the Expansion Opportunity Tracker is a row here. `-` is unknown. */

const FILE = 'models/expansion-opportunity-tracker.yaml'
const DEFINITION = parseModel(readFileSync(join(PACKAGE_ROOT, FILE), 'utf8'), FILE)
const MODEL = compileModel(DEFINITION)

/** An account without any signal. Only counts and flags are known, as they always are. */
const QUIET: Record<string, Value> = {
  featuresUsed: 0,
  sessions: 0,
  sessionMinutes: 0,
  activeUsers: 0,
  premiumRequests: 0,
  businessCaseAligned: false,
  collaborations: 0,
  budgetConfirmed: false,
  adjacentMentions: 0,
  executiveSponsors: 0,
  escalations: 0,
  ...Object.fromEntries(
    DEFINITION.features
      .filter(({ name }) => name.startsWith('owns') || name.endsWith('Views'))
      .map(({ name }) => [name, name.startsWith('owns') ? false : 0]),
  ),
}

const evaluate = (values: Record<string, Value>) => evaluateFeatures(MODEL, { ...QUIET, ...values })
const trigger = (name: string) => DEFINITION.triggers.find(each => each.name === name)!
const alert = (name: string) => DEFINITION.alerts.find(each => each.name === name)!

describe('readiness', () => {
  it('has six weighted inputs from 0 to 100, and two decimals', () => {
    expect(DEFINITION.groups.map(({ name, weight, max }) => [name, weight, max])).toEqual([
      ['product-adoption', 0.25, 100],
      ['usage-growth', 0.2, 100],
      ['engagement', 0.15, 100],
      ['support-satisfaction', 0.15, 100],
      ['contract-health', 0.15, 100],
      ['stakeholder-depth', 0.1, 100],
    ])
    expect(DEFINITION.score).toEqual({ scale: 1, min: 0, max: 100, decimals: 2 })
  })

  const rows = table(`
    featuresUsed | availableFeatures | usageTrend | sessions | sessionMinutes | csat | paymentCurrent | activeUsers | licensedSeats | score
              10 |                10 |        0.2 |       20 |            400 |  100 |           true |         100 |           100 |   100
              15 |                10 |        0.9 |       80 |           4000 |  100 |           true |         120 |           100 |   100
              10 |                10 |       -0.2 |        0 |              0 |    0 |          false |           0 |           100 |    25
               0 |                10 |        0.2 |        0 |              0 |    0 |          false |           0 |           100 |    20
               0 |                10 |       -0.2 |       20 |            400 |    0 |          false |           0 |           100 |    15
               0 |                10 |       -0.2 |        0 |              0 |  100 |          false |           0 |           100 |    15
               0 |                10 |       -0.2 |        0 |              0 |    0 |           true |           0 |           100 |    15
               0 |                10 |       -0.2 |        0 |              0 |    0 |          false |         100 |           100 |    10
               7 |                12 |        0.1 |       12 |            200 |   83 |           true |          37 |            60 |  70.7
               1 |                 3 |          0 |        4 |             50 |   70 |          false |           1 |             3 | 34.04
               - |                 - |          - |        0 |              0 |    - |              - |           0 |             - |  17.5
  `)
  it.each(rows)('is $score: %o', ({ score, ...features }) => {
    expect(evaluate(features).score).toBe(score)
  })
})

describe('opportunity score and type', () => {
  // A share of features is written as the used features out of 100.
  const rows = table(`
    usagePercentage | featuresUsed | daysUntilRenewal |  mrr | score | type
                 81 |           50 |                - |    - |  62.4 | High Usage - Upsell Ready
                 80 |           71 |              120 | 9000 |  74.6 | Feature Expansion Candidate
                 80 |           70 |               89 | 5001 |    74 | Renewal Upgrade Target
                 80 |           70 |               90 | 9000 |    74 | Monitor
                 80 |           70 |               10 | 5000 |    74 | Monitor
                 90 |           90 |               10 | 9000 |    90 | High Usage - Upsell Ready
                100 |          130 |               10 | 9000 |   100 | High Usage - Upsell Ready
                  0 |            0 |              180 |    0 |     0 | Monitor
                  - |           50 |               10 | 9000 |     - | Renewal Upgrade Target
                  - |           71 |               10 | 9000 |     - | Feature Expansion Candidate
                  - |            0 |                - |    - |     - | Monitor
                 50 |           50 |               -1 | 9000 |    50 | Monitor
                 50 |           50 |                0 | 9000 |    50 | Renewal Upgrade Target
  `)
  it.each(rows)(
    '$usagePercentage and $featuresUsed of 100: $score, $type',
    ({ score, type, ...features }) => {
      const { opportunityScore, opportunityType } = evaluate({ availableFeatures: 100, ...features }).features
      if (score === undefined) expect(opportunityScore).toBeUndefined()
      else expect(opportunityScore).toBeCloseTo(score as number, 9)
      expect(opportunityType).toBe(type)
    },
  )

  const listed = table(`
    usagePercentage | featuresUsed | isListed
                 60 |           60 | false
                 61 |           60 | true
                 90 |           40 | false
                 90 |           41 | true
  `)
  it.each(listed)('an opportunity is listed if its score is above 60: %o', ({ isListed, ...features }) => {
    const score = evaluate({ availableFeatures: 100, ...features }).features['opportunityScore'] as number
    expect(score > 60).toBe(isListed)
  })
})

describe('the opportunity matrix', () => {
  const READY = { availableFeatures: 100, featuresUsed: 100 }
  const rows: [name: string, met: boolean, values: Record<string, Value>][] = [
    ['usage-based-upsell', true, { ...READY, usagePercentage: 81, daysOver80: 90 }],
    ['usage-based-upsell', false, { ...READY, usagePercentage: 80, daysOver80: 90 }],
    ['usage-based-upsell', false, { ...READY, usagePercentage: 95, daysOver80: 89 }],
    [
      'feature-expansion',
      true,
      { ...READY, usagePercentage: 50, premiumRequests: 1, businessCaseAligned: true },
    ],
    [
      'feature-expansion',
      false,
      { ...READY, usagePercentage: 50, premiumRequests: 0, businessCaseAligned: true },
    ],
    ['feature-expansion', false, { ...READY, usagePercentage: 50, premiumRequests: 5 }],
    ['seat-expansion', true, { collaborations: 100, budgetConfirmed: true }],
    ['seat-expansion', false, { collaborations: 100 }],
    ['seat-expansion', false, { collaborations: 99, budgetConfirmed: true }],
    [
      'renewal-upgrade',
      true,
      { ...READY, usagePercentage: 50, daysUntilRenewal: 89, mrr: 5001, healthScore: 71 },
    ],
    [
      'renewal-upgrade',
      false,
      { ...READY, usagePercentage: 50, daysUntilRenewal: 90, mrr: 5001, healthScore: 71 },
    ],
    [
      'renewal-upgrade',
      false,
      { ...READY, usagePercentage: 50, daysUntilRenewal: 89, mrr: 5000, healthScore: 71 },
    ],
    [
      'renewal-upgrade',
      false,
      { ...READY, usagePercentage: 50, daysUntilRenewal: 89, mrr: 5001, healthScore: 70 },
    ],
  ]
  it.each(rows)('%s: %s', (name, met, values) => {
    expect(evaluate(values).met.includes(name)).toBe(met)
  })

  it.each([
    ['seat-expansion', 'IT administrator', 'department heads', '2-4 weeks'],
    ['usage-based-upsell', 'end users', 'budget owner', '4-8 weeks'],
    ['feature-expansion', 'end users', 'budget owner', '4-8 weeks'],
    ['renewal-upgrade', 'end users', 'budget owner', '4-8 weeks'],
    ['crm-to-sales-analytics', 'executive sponsor', 'technical team', '8-16 weeks'],
  ])('%s is decided by the %s, with the %s, in %s', (name, primary, secondary, timeline) => {
    const { play, decisionTimeline } = trigger(name)
    expect(play.join(' ')).toContain(primary)
    expect(play.join(' ')).toContain(secondary)
    expect(decisionTimeline).toBe(timeline)
  })
})

describe('the high-usage playbook', () => {
  const rows = table(`
    daysOver75 | escalations | paymentCurrent | met
            60 |           0 | true           | true
            59 |           0 | true           | false
            60 |           1 | true           | false
            60 |           0 | false          | false
            60 |           0 | -              | false
  `)
  it.each(rows)(
    'needs two months above 75 %, no escalation, and current payment: %o',
    ({ met, ...features }) => {
      expect(evaluate(features).met.includes('high-usage-playbook')).toBe(met)
    },
  )

  it('takes four weeks', () => {
    expect(trigger('high-usage-playbook').play.map(step => step.slice(0, 6))).toEqual([
      'Week 1',
      'Week 2',
      'Week 3',
      'Week 4',
    ])
  })

  it('counts up to 60 days above 75 %, up to 90 above 80 %, and up to 30 from 70 % on', () => {
    const sustained = DEFINITION.features.filter(feature => feature.type === 'daysSustained')
    expect(sustained.map(({ level, max }) => [level.edge, level.limit, max])).toEqual([
      ['above', 80, 90],
      ['above', 75, 60],
      ['from', 70, 30],
    ])
  })
})

describe('the cross-sell matrix', () => {
  const QUALIFIED = { adjacentMentions: 1, executiveSponsors: 1 }
  const OWNS: Record<string, string> = {
    CRM: 'ownsCrm',
    'Marketing Automation': 'ownsMarketingAutomation',
    Analytics: 'ownsAnalytics',
    Communication: 'ownsCommunication',
    'Sales Analytics': 'ownsSalesAnalytics',
    'Content Management': 'ownsContentManagement',
    'Data Warehouse': 'ownsDataWarehouse',
    'Business Intelligence': 'ownsBusinessIntelligence',
    'Project Management': 'ownsProjectManagement',
    'File Storage': 'ownsFileStorage',
  }
  const offersFor = (values: Record<string, Value>): string[] =>
    evaluate(values).met.flatMap(name => trigger(name).offer ?? [])

  it.each([
    ['CRM', ['Marketing Automation', 'Sales Analytics']],
    ['Marketing Automation', ['CRM', 'Content Management']],
    ['Analytics', ['Data Warehouse', 'Business Intelligence']],
    ['Communication', ['Project Management', 'File Storage']],
  ])('an account that has %s is offered %s', (product, offers) => {
    expect(offersFor({ ...QUALIFIED, [OWNS[product]!]: true })).toEqual(offers)
    for (const [i, offer] of offers.entries()) {
      const owned = offersFor({ ...QUALIFIED, [OWNS[product]!]: true, [OWNS[offer]!]: true })
      expect(owned).not.toContain(offer)
      expect(owned).toContain(offers[1 - i]!)
    }
  })

  it('offers nothing without an adjacent use case or without a decision maker', () => {
    expect(offersFor({ ownsCrm: true, executiveSponsors: 1 })).toEqual([])
    expect(offersFor({ ownsCrm: true, adjacentMentions: 1 })).toEqual([])
    expect(offersFor({ ...QUALIFIED })).toEqual([])
  })

  it('gives each offer a confidence by profile and interest, a value by company size, and a timeline', () => {
    const { prospects } = evaluate({
      ...QUALIFIED,
      ownsCrm: true,
      employees: 500,
      industry: 'Software',
      healthScore: 71,
      salesAnalyticsViews: 2,
    })
    expect(prospects['crm-to-sales-analytics']).toEqual({
      offer: 'Sales Analytics',
      confidence: 1,
      estimatedValue: 24_000,
    })
    expect(prospects['crm-to-marketing-automation']).toEqual({
      offer: 'Marketing Automation',
      confidence: 0.7,
      estimatedValue: 24_000,
    })
    const unknown = evaluate({ ...QUALIFIED, ownsCrm: true }).prospects['crm-to-sales-analytics']
    expect(unknown).toEqual({ offer: 'Sales Analytics', confidence: 0.3 })
  })
})

describe('alerts', () => {
  const rows: [name: string, met: boolean, values: Record<string, Value>][] = [
    ['high-usage-threshold', true, { usagePercentage: 80.1 }],
    ['high-usage-threshold', false, { usagePercentage: 80 }],
    ['feature-request-pattern', true, { premiumRequests: 3 }],
    ['feature-request-pattern', false, { premiumRequests: 2 }],
    ['renewal-expansion', true, { daysUntilRenewal: 90, healthScore: 71 }],
    ['renewal-expansion', false, { daysUntilRenewal: 91, healthScore: 71 }],
    ['renewal-expansion', true, { daysUntilRenewal: 0, healthScore: 71 }],
    ['renewal-expansion', false, { daysUntilRenewal: -1, healthScore: 71 }],
    ['renewal-expansion', false, { daysUntilRenewal: 90, healthScore: 70 }],
    ['after-first-value', false, { daysSinceFirstValue: 89 }],
    ['after-first-value', true, { daysSinceFirstValue: 90 }],
    ['after-first-value', true, { daysSinceFirstValue: 180 }],
    ['after-first-value', false, { daysSinceFirstValue: 181 }],
    ['before-renewal', false, { daysUntilRenewal: 121 }],
    ['before-renewal', true, { daysUntilRenewal: 120 }],
    ['before-renewal', true, { daysUntilRenewal: 90 }],
    ['before-renewal', false, { daysUntilRenewal: 89 }],
    ['usage-milestone', true, { daysFrom70: 30 }],
    ['usage-milestone', false, { daysFrom70: 29 }],
  ]
  it.each(rows)('%s: %s with %o', (name, met, values) => {
    expect(evaluate(values).alerts.includes(name)).toBe(met)
  })

  it('go to the recipients in the definition', () => {
    expect(alert('high-usage-threshold')).toMatchObject({
      frequencyMs: 7 * DAY_MS,
      recipients: ['csm@company.com', 'sales@company.com'],
      template: 'high_usage_expansion',
    })
    expect(alert('feature-request-pattern')).toMatchObject({
      action: 'create_expansion_opportunity',
      priority: 'medium',
    })
    expect(alert('renewal-expansion')).toMatchObject({
      action: 'trigger_renewal_expansion_playbook',
      assignee: 'account_owner',
    })
    const requests = DEFINITION.features.find(({ name }) => name === 'premiumRequests')
    expect(requests).toMatchObject({ window: { unit: 'day', length: 30 } })
  })
})

it("the KPIs have the playbook's targets: 35 % conversion, 40 % larger deals, closed in under 30 days", () => {
  const targets = Object.fromEntries(DEFINITION.kpis!.kpis.map(({ name, target }) => [name, target]))
  expect(targets).toMatchObject({
    'net-revenue-retention': { operator: '>', value: 100 },
    'upsell-conversion': { operator: '>=', value: 35 },
    'deal-size-increase': { operator: '>=', value: 40 },
    'time-to-close': { operator: '<', value: 30 },
  })
  expect(Object.keys(targets)).toEqual(
    expect.arrayContaining([
      'expansion-rate',
      'cross-sell-attach-rate',
      'pipeline-value',
      'average-expansion-size',
    ]),
  )
})
