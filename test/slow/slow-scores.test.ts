import { describe, expect, test } from 'vitest'
import type { FeatureDefinition } from '../../src/scoring/definition/feature-definition.ts'
import { slowEvaluate } from '../support/slow/slow-evaluator.ts'
import { groupOf } from '../support/slow/slow-signals.ts'
import {
  at,
  facts,
  featureAfter,
  HOUR_MS,
  line,
  linesOf,
  model,
  models,
  pointsOf,
  seatsModel,
  signal,
  tick,
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
    expect(accounts.get('acme')!.dropped['too-old']).toBe(2)
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

  test.each([
    { others: 1_535, duplicates: 1, dropped: 0 },
    { others: 1_536, duplicates: 0, dropped: 2 },
  ])('counts an id again after $others others of its group', ({ others, duplicates, dropped }) => {
    const sent = idsOfOneGroup(others + 1).map(id => signal(at(0), { id }))
    const { accounts } = slowEvaluate([models(at(0), model()), ...sent, sent[0]!])
    expect(accounts.get('acme')).toMatchObject({ duplicates, dropped: { ids: dropped } })
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

function idsOfOneGroup(count: number): string[] {
  const ids: string[] = []
  for (let i = 0; ids.length < count; i++) if (groupOf(`id ${i}`) === 0) ids.push(`id ${i}`)
  return ids
}
