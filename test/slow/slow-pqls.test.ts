import { describe, expect, test } from 'vitest'
import type { Condition } from '../../src/scoring/definition/expression.ts'
import type { FeatureDefinition } from '../../src/scoring/definition/feature-definition.ts'
import { slowEvaluate } from '../support/slow/slow-evaluator.ts'
import {
  at,
  atLeast,
  facts,
  feature,
  linesOf,
  literal,
  models,
  ONE_TIER,
  pointsOf,
  SEATS,
  seatsModel,
  signal,
  tick,
  trigger,
  USED,
} from '../support/small-histories.ts'

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

describe('a PQL and a tier change', () => {
  test('carry the offer, confidence and value that are known', () => {
    const share = (operator: '*' | '/', by: number) => ({
      text: '',
      expression: { type: 'arithmetic' as const, operator, left: feature('score'), right: literal(by) },
    })
    const pql = (change: object) => {
      const model = seatsModel({ triggers: [trigger(change)], ...ONE_TIER })
      const event = slowEvaluate([models(at(0), model), facts(at(0), { seats: 10 })]).events[0]!
      if (event.type !== 'pql') throw new Error(`it is a ${event.type}`)
      const { offer, confidence, estimatedValue } = event
      return { offer, confidence, estimatedValue, keys: Object.keys(event).length }
    }
    expect(
      pql({ offer: 'analytics', confidence: share('/', 30), estimatedValue: share('*', 0.1115) }),
    ).toMatchObject({
      offer: 'analytics',
      confidence: 0.333333,
      estimatedValue: 1.12,
    })
    expect(pql({ confidence: share('*', 1), estimatedValue: share('*', -1) })).toMatchObject({
      confidence: 1,
      estimatedValue: 0,
    })
    const without = pql({})
    expect(pql({ confidence: share('/', 0), estimatedValue: share('*', 1) }).keys).toBe(without.keys + 1)
  })

  test('name the queue of the tier that the account enters', () => {
    const tiers = [
      { name: 'cold', title: '', from: 0, action: '', queue: undefined },
      { name: 'hot', title: '', from: 4, action: '', queue: 'expansion' },
    ]
    const { events } = slowEvaluate([
      models(
        at(0),
        seatsModel({
          tiers,
          groups: [{ name: 'all', title: '', weight: 1, max: 100, rules: [pointsOf('seats')] }],
        }),
      ),
      facts(at(0), { seats: 4 }),
      facts(at(1), { seats: 3 }),
    ])
    expect(events.map(event => 'queue' in event && event.queue)).toEqual(['expansion', false])
  })
})
