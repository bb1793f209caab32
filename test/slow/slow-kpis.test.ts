import { describe, expect, test } from 'vitest'
import type {
  KpiDefinition,
  KpiSection,
  MeasureDefinition,
} from '../../src/scoring/definition/population-definition.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { slowEvaluate } from '../support/slow/slow-evaluator.ts'
import { slowKpi, slowMeasure } from '../support/slow/slow-kpis.ts'
import {
  at,
  atLeast,
  DAY_MS,
  facts,
  feature,
  models,
  seatsModel,
  signal,
  tick,
  trigger,
} from '../support/small-histories.ts'

/** Day 0 is 1 January 2024, day 31 is 1 February, day 60 is 1 March. */
const WON: MeasureDefinition = {
  name: 'won',
  type: 'count',
  names: ['deal.won'],
  property: undefined,
  where: [],
  span: 'month',
}
const VALUE: MeasureDefinition = { ...WON, name: 'value', type: 'sum', property: 'amount' }
const QUANTITY: MeasureDefinition = { ...WON, name: 'quantity', type: 'sum', names: ['deal.*'] }
const LARGE: MeasureDefinition = {
  ...WON,
  name: 'large',
  where: [
    { property: 'size', values: ['large', 3] },
    { property: 'new', values: [true] },
  ],
}
const PQLS: MeasureDefinition = { name: 'pqls', type: 'pqls', span: 'month' }
const ACCOUNTS: MeasureDefinition = { name: 'accounts', type: 'accounts', span: 'until' }
const PLAN: MeasureDefinition = { name: 'plan', type: 'fixed', value: 4 }
const WIN_RATE: KpiDefinition = {
  name: 'win-rate',
  title: 'Win rate',
  formula: {
    text: 'won / pqls',
    expression: { type: 'arithmetic', operator: '/', left: feature('won'), right: feature('pqls') },
  },
  unit: 'ratio',
  target: undefined,
}
const KPIS: KpiSection = {
  csmKey: 'traits.csm',
  measures: [WON, VALUE, QUANTITY, LARGE, PQLS, ACCOUNTS, PLAN],
  kpis: [WIN_RATE],
}
const MODEL = seatsModel({
  kpis: KPIS,
  scope: { include: undefined, exclude: { ids: ['own'], when: undefined } },
  gates: [{ name: 'used', title: '', open: atLeast('used', 1), missing: 'closed' }],
  triggers: [trigger({ gates: ['used'], cooldownMs: DAY_MS, expiryMs: 5 * DAY_MS })],
})

const won = (timestamp: number, properties: Signal['properties'] = {}, change: Partial<Signal> = {}) =>
  signal(timestamp, { kind: 'outcome', name: 'deal.won', properties, ...change })

const once = won(at(3), { amount: 10.0005, motion: 'cross-sell' })
const result = slowEvaluate([
  models(at(0), MODEL),
  once,
  once,
  won(at(4), { amount: 'much' }, { accountId: 'own' }),
  facts(at(5), { csm: 'kim', seats: 10 }, { id: 'many' }),
  won(at(6), { amount: -2, size: 'large', new: true, motion: 'plan-upgrade' }),
  signal(at(7), { id: 'use' }),
  signal(at(12), { kind: 'outcome', name: 'deal.lost', quantityThousandths: 250 }),
  facts(at(33), { csm: null }),
  won(at(35), { size: 3, new: true, amount: 5 }, { occurredAt: at(30) }),
  won(at(36), { size: '3', new: true }),
  won(at(40), {}, { accountId: 'other' }),
  tick(at(41)),
])
const measured = (measure: MeasureDefinition, month: string, split = {}) =>
  slowMeasure(result, 'growth', measure, month, split)

describe('a measure', () => {
  test.each([
    { measure: WON, january: 3, february: 2 },
    { measure: { ...WON, span: 'before' as const }, january: 0, february: 3 },
    { measure: { ...WON, span: 'until' as const }, january: 3, february: 5 },
    // 10.0005 is 10.001 in thousandths.
    { measure: VALUE, january: 13.001, february: 0 },
    { measure: QUANTITY, january: 3.25, february: 2 },
    { measure: LARGE, january: 2, february: 0 },
    { measure: ACCOUNTS, january: 2, february: 3 },
    { measure: { ...ACCOUNTS, span: 'month' as const }, january: 2, february: 1 },
    { measure: PLAN, january: 4, february: 4 },
    { measure: { ...WON, names: ['deal.lost'] }, january: 0, february: 0 },
  ])(
    '$measure.name ($measure.span) is $january in January, $february in February',
    ({ measure, january, february }) => {
      expect([measured(measure, '2024-01'), measured(measure, '2024-02')]).toEqual([january, february])
    },
  )

  test('is split by motion, by the tier before, and by CSM', () => {
    expect(measured(WON, '2024-01', { motion: 'cross-sell' })).toBe(1)
    expect(measured(WON, '2024-01', { motion: null })).toBe(1)
    expect(measured(WON, '2024-01', { tier: 'hot' })).toBe(2)
    expect(measured(WON, '2024-01', { tier: 'cold' })).toBe(1)
    expect(measured(WON, '2024-01', { csm: 'kim' })).toBe(1)
    expect(measured(WON, '2024-01', { csm: null, tier: 'hot' })).toBe(1)
    expect(measured(ACCOUNTS, '2024-01', { tier: 'nowhere' })).toBe(2)
    expect(measured(PLAN, '2024-01', { csm: 'nobody' })).toBe(4)
  })

  test('counts new PQLs, also held ones, but not their releases', () => {
    const { events } = result
    expect(events.filter(({ type }) => type === 'pql').slice(0, 2)).toMatchObject([
      { status: 'held' },
      { status: 'released' },
    ])
    // New PQLs at 5, 11, 17, 23 and 29; in February at 35 and 41.
    expect(measured(PQLS, '2024-01')).toBe(5)
    expect(measured(PQLS, '2024-02')).toBe(2)
    expect(measured(PQLS, '2024-01', { csm: 'kim', motion: 'plan-upgrade', tier: 'hot' })).toBe(5)
    expect(measured(PQLS, '2024-02', { csm: 'kim' })).toBe(0)
  })

  test('gives a key figure that is unknown after a division by 0', () => {
    expect(slowKpi(result, 'growth', KPIS, WIN_RATE, '2024-01')).toBe(3 / 5)
    expect(slowKpi(result, 'growth', KPIS, WIN_RATE, '2024-03')).toBe(undefined)
  })

  test('counts only while a version of the model has it', () => {
    const without = { ...MODEL, kpis: undefined, version: 2 }
    const other = { ...MODEL, version: 3 }
    const changed = slowEvaluate([
      models(at(0), MODEL),
      won(at(1)),
      models(at(2), without),
      won(at(3)),
      won(at(3), {}, { accountId: 'second' }),
      models(at(4), other),
      won(at(5)),
    ])
    expect(slowMeasure(changed, 'growth', WON, '2024-01')).toBe(2)
    expect(slowMeasure(changed, 'growth', ACCOUNTS, '2024-01')).toBe(1)
  })
})
