import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { parseModel } from '../../src/models/parse-model.ts'
import { compileModel } from '../../src/scoring/definition/compile-model.ts'
import type { FeatureDefinition, ModelDefinition } from '../../src/scoring/definition/model-definition.ts'
import { evaluateFeatures } from '../../src/scoring/evaluate-features.ts'
import { table } from '../support/table.ts'

/**
 * Three systems whose definitions name inputs but no weights. Each named input is an input of the model, the
 * score is the weighted sum in the definition, and each named rate is a rate of the model.
 */

function load(name: string): {
  definition: ModelDefinition
  evaluate: (row: object) => ReturnType<typeof evaluateFeatures>
} {
  const file = `models/${name}.yaml`
  const definition = parseModel(readFileSync(join(PACKAGE_ROOT, file), 'utf8'), file)
  const model = compileModel(definition)
  return {
    definition,
    evaluate: row => evaluateFeatures(model, row as Parameters<typeof evaluateFeatures>[1]),
  }
}

function feature({ features }: ModelDefinition, name: string): FeatureDefinition | undefined {
  return features.find(each => each.name === name)
}

describe('the Expansion Opportunity Score', () => {
  const { definition, evaluate } = load('expansion-opportunity-score')

  it('weighs usage frequency, intent events, CS score and firmographics', () => {
    expect(definition.groups.map(({ name, weight }) => [name, weight])).toEqual([
      ['usage-frequency', 0.35],
      ['intent-events', 0.3],
      ['cs-score', 0.2],
      ['firmographics', 0.15],
    ])
  })

  const rows = table(`
    usageDays | freshIntent | csScore | employees | industry  | score | tier
           20 |           4 |     100 |      1000 | Software  |   100 | high
           30 |          50 |     100 |     99999 | Software  |   100 | high
            0 |           0 |       0 |         0 | Mining    |     0 | low
           20 |           0 |       0 |         0 | Mining    |    35 | low
            0 |           4 |       0 |         0 | Mining    |    30 | low
            0 |           0 |     100 |         0 | Mining    |    20 | low
            0 |           0 |       0 |      1000 | Software  |    15 | low
           10 |           2 |      50 |       200 | Mining    |    49 | medium
           20 |         3.3 |      60 |        50 | Software  |    81 | high
           20 |         2.3 |      60 |        10 | Software  |    70 | high
           20 |         2.2 |      60 |        10 | Software  |    70 | high
           20 |         2.1 |      60 |        10 | Software  |    69 | medium
           12 |           1 |       - |         - | -         |    39 | low
  `)
  it.each(rows)('is $score: %o', ({ score, tier, ...features }) => {
    expect(evaluate(features)).toMatchObject({ score, tier })
  })

  it('counts all active accounts, by tier and region, for any period', () => {
    const [rate] = definition.rates
    expect(rate).toMatchObject({ name: 'active-accounts', select: { kinds: ['usage'] } })
    expect(rate!.segments.map(({ name }) => name)).toEqual(['tier', 'region'])
    expect(definition.facets.map(({ name }) => name)).toEqual(['tier', 'region', 'productLine'])
  })
})

describe('the Expansion Readiness Index', () => {
  const { definition, evaluate } = load('expansion-readiness-index')

  it('has its five inputs', () => {
    expect(definition.groups.map(({ title }) => title)).toEqual([
      'Feature usage frequency',
      'Active users',
      'CS health or NPS',
      'Stakeholder engagement and role diversity',
      'Growth of seats and business units',
    ])
    expect(definition.groups.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12)
    expect(feature(definition, 'rolesEngaged')).toMatchObject({ type: 'distinctValues', dimension: 'role' })
    expect(feature(definition, 'rolesKnown')).toMatchObject({ type: 'knownKeys' })
    expect(feature(definition, 'seatGrowth')).toMatchObject({ type: 'growth', of: { key: 'contract.seats' } })
    expect(feature(definition, 'businessUnitGrowth')).toMatchObject({
      type: 'growth',
      of: { key: 'traits.businessUnits' },
    })
    expect(definition.facets.map(({ name }) => name)).toEqual(['customerType', 'vertical', 'csm'])
  })

  const rows = table(`
    usageDays | usesOfFeatures | activeUsers | powerUsers | seats | healthScore | nps | engagements | rolesEngaged | rolesKnown | seatGrowth | businessUnitGrowth | score
           20 |            400 |          10 |          4 |    10 |         100 |   - |           3 |            3 |          4 |        0.2 |                0.5 |   100
            0 |              0 |           0 |          0 |    10 |           0 |   - |           0 |            0 |          0 |          0 |                  0 |     0
           20 |            400 |           0 |          0 |    10 |           0 |   - |           0 |            0 |          0 |          0 |                  0 |    25
            0 |              0 |          10 |          4 |    10 |           0 |   - |           0 |            0 |          0 |          0 |                  0 |    25
            0 |              0 |           0 |          0 |    10 |         100 |   0 |           0 |            0 |          0 |          0 |                  0 |    20
            0 |              0 |           0 |          0 |    10 |           - |  10 |           0 |            0 |          0 |          0 |                  0 |    20
            0 |              0 |           0 |          0 |    10 |           0 |   - |           3 |            3 |          4 |          0 |                  0 |    15
            0 |              0 |           0 |          0 |    10 |           0 |   - |           0 |            0 |          0 |        0.2 |                0.5 |    15
            0 |              0 |           0 |          0 |    10 |           0 |   - |           1 |            1 |          1 |        0.2 |                  - |    19
           10 |            100 |           5 |          1 |    10 |          70 |   - |           2 |            2 |          2 |        0.1 |                  0 |    50
  `)
  it.each(rows)('is $score: %o', ({ score, ...features }) => {
    expect(evaluate(features).score).toBe(score)
  })
})

describe('the Expansion Intent Signal Rate', () => {
  const { definition, evaluate } = load('expansion-intent-signal-rate')

  it('is the share of accounts with one of three defined signals, by stage, persona and activation path', () => {
    const [rate] = definition.rates
    expect(rate!.select).toEqual({
      kinds: ['intent'],
      names: ['feature.explored', 'upgrade-page.viewed', 'cs.expansion-mentioned'],
      except: [],
    })
    expect(rate!.segments.map(({ name }) => name)).toEqual(['stage', 'persona', 'activationPath'])
  })

  const rows = table(`
    explorations | upgradePageViews | mentions | kindsOfIntent | score | tier
               0 |                0 |        0 |             0 |     0 | no-intent
               1 |                0 |        0 |             1 |     5 | some-intent
               4 |                3 |        0 |             2 |    50 | strong-intent
               4 |                3 |        2 |             3 |   100 | strong-intent
              99 |                0 |        0 |             1 |    20 | some-intent
  `)
  it.each(rows)('needs one signal for some intent: %o', ({ score, tier, ...features }) => {
    expect(evaluate(features)).toMatchObject({ score, tier })
  })
})
