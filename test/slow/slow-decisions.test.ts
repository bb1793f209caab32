import { describe, expect, test } from 'vitest'
import type { ModelDefinition } from '../../src/scoring/definition/model-definition.ts'
import { type HistoryRecord, slowEvaluate } from '../support/slow/slow-evaluator.ts'
import {
  at,
  atLeast,
  DAY_MS,
  endsAt,
  facts,
  linesOf,
  models,
  ONE_TIER,
  override,
  seatsModel,
  signal,
  tick,
  trigger,
} from '../support/small-histories.ts'

/** Decisions beside the rules: overrides and scope. */

const SLOW_TIERS = { tierPolicy: { margin: 1, dwellMs: 10 * DAY_MS } }

describe('an override', () => {
  test('sets the score and moves the tier at once, until it ends', () => {
    expect(
      linesOf(
        models(at(0), seatsModel({ tierPolicy: { margin: 0, dwellMs: 2 * DAY_MS } })),
        facts(at(0), { seats: 1 }),
        override(at(1), 'decided', { score: 3.6, ...endsAt(2, 6) }),
        tick(at(9)),
      ),
      // Rounded to 4. After the end at 2.25 the dwell since 1 counts again.
    ).toEqual(['1 cold > hot 1 > 4, override decided', '3 hot > cold 1 > 1, window'])
  })

  test('gives its own signal id as the cause of its end', () => {
    expect(
      linesOf(
        models(at(0), seatsModel()),
        facts(at(0), { seats: 1 }),
        override(at(1), 'decided', { tier: 'hot', ...endsAt(2, 6) }),
        override(at(1), 'of all', { tier: 'warm', ...endsAt(3) }, { name: '*' }),
        tick(at(9)),
      ),
    ).toEqual([
      '1 cold > hot 1 > 1, override decided',
      '2.25 hot > warm 1 > 1, override decided',
      '3 warm > cold 1 > 1, override of all',
    ])
  })

  test('sets only the score if the model does not have its tier', () => {
    expect(
      linesOf(
        models(at(0), seatsModel(SLOW_TIERS)),
        facts(at(0), { seats: 1 }),
        override(at(1), 'decided', { tier: 'nowhere', score: 1000, ...endsAt(2) }),
      ),
    ).toEqual(['1 cold > hot 1 > 100, override decided'])
  })

  test('holds PQLs, and releases them when it ends or is lifted', () => {
    const model = seatsModel({ triggers: [trigger({ expiryMs: 50 * DAY_MS })], ...ONE_TIER })
    expect(
      linesOf(
        models(at(0), model),
        facts(at(0), { seats: 10 }, { id: 'many' }),
        override(at(1), 'wait', { hold: true, ...endsAt(2) }),
        override(at(3), 'wait again', { hold: true, ...endsAt(9) }),
        override(at(4), 'go on', { lift: true }),
      ),
    ).toEqual([
      '0 upgrade#1 qualified, signal many',
      '1 upgrade#1 held, gate wait',
      '2 upgrade#1 released, gate wait',
      '3 upgrade#1 held, gate wait again',
      '4 upgrade#1 released, gate go on',
    ])
  })

  test('is replaced by one that occurred at the same time or later, not by an earlier one', () => {
    const tiersAfter = (...of: ReturnType<typeof override>[]) => {
      const history = [models(at(0), seatsModel()), facts(at(0), { seats: 0 }), ...of]
      return slowEvaluate(history).accounts.get('acme')!.standings[0]!.tier
    }
    const hot = override(at(1), 'hot', { tier: 'hot', ...endsAt(9) })
    const warm = (occurredAt: number) =>
      override(at(2), 'warm', { tier: 'warm', ...endsAt(9) }, { occurredAt })
    expect(tiersAfter(hot, warm(at(1)))).toBe('warm')
    expect(tiersAfter(hot, warm(at(1) - 1))).toBe('hot')
    // A lift stays, so that an earlier decision does not come back.
    const lift = override(at(3), 'lift', { lift: true })
    expect(
      tiersAfter(lift, override(at(4), 'late', { tier: 'hot', ...endsAt(9) }, { occurredAt: at(2) })),
    ).toBe('cold')
    // A model's own lift holds against an override for all models.
    const all = override(at(1), 'all', { tier: 'hot', ...endsAt(9) }, { name: '*' })
    expect(tiersAfter(all)).toBe('hot')
    expect(tiersAfter(all, lift)).toBe('cold')
    expect(tiersAfter(override(at(10), 'ended', { tier: 'hot', ...endsAt(9) }, { occurredAt: at(8) }))).toBe(
      'cold',
    )
    // An ended override is forgotten, so an earlier one can replace it.
    const short = override(at(1), 'short', { tier: 'hot', ...endsAt(2) })
    expect(
      tiersAfter(short, override(at(3), 'before', { tier: 'warm', ...endsAt(9) }, { occurredAt: at(0) })),
    ).toBe('warm')
  })

  test('is dropped if 32 other names are held, unless its name is of an active model, or *', () => {
    const named = (day: number, name: string, end: number) =>
      override(at(day), `${name} ${day}`, { tier: 'hot', ...endsAt(end) }, { name })
    const full = Array.from({ length: 32 }, (_, index) => named(1, `model-${index}`, index === 0 ? 2 : 9))
    const history = [models(at(0), seatsModel()), facts(at(0), { seats: 0 }), ...full]
    const droppedAfter = (...more: HistoryRecord[]) => {
      const { events, accounts } = slowEvaluate([...history, ...more])
      return { dropped: accounts.get('acme')!.dropped.overrides, times: events.map(event => event.at) }
    }
    expect(droppedAfter(named(1, 'model-32', 9), named(1, 'model-5', 8))).toEqual({ dropped: 1, times: [] })
    expect(droppedAfter(named(2, 'model-32', 9), named(2, 'model-33', 9))).toEqual({ dropped: 1, times: [] })
    expect(droppedAfter(named(1, 'growth', 9))).toEqual({ dropped: 0, times: [at(1)] })
    expect(droppedAfter(named(1, '*', 9))).toEqual({ dropped: 0, times: [at(1)] })
  })
})

describe('scope', () => {
  const included = (scope: ModelDefinition['scope']) =>
    seatsModel({ scope, triggers: [trigger({ when: atLeast('seats', 5), cooldownMs: 1 })], ...SLOW_TIERS })

  test('moves an account that leaves it to the lowest tier at once, and disqualifies its PQLs', () => {
    const model = included({ include: undefined, exclude: { ids: ['other'], when: atLeast('seats', 8) } })
    expect(
      linesOf(
        models(at(0), model),
        facts(at(0), { seats: 1 }),
        facts(at(12), { seats: 5 }, { id: 'five' }),
        facts(at(13), { seats: 8 }, { id: 'eight' }),
        override(at(14), 'decided', { tier: 'hot', score: 50, ...endsAt(20) }),
        facts(at(15), { seats: 4 }, { id: 'four' }),
      ),
    ).toEqual([
      '12 cold > hot 1 > 5, signal five',
      '12 upgrade#1 qualified, signal five',
      '13 hot > cold 5 > 0, signal eight',
      '13 upgrade#1 disqualified, signal eight',
      '15 cold > hot 0 > 50, signal four',
    ])
  })

  test.each([
    { include: { ids: ['acme'], when: undefined }, seats: null, inScope: true },
    { include: { ids: ['other'], when: undefined }, seats: 9, inScope: false },
    { include: { ids: [], when: atLeast('seats', 5) }, seats: 5, inScope: true },
    { include: { ids: [], when: atLeast('seats', 5) }, seats: null, inScope: false },
    { include: { ids: ['acme'], when: atLeast('seats', 5) }, seats: null, inScope: true },
  ])('is $inScope for $include.ids and $seats seats', ({ include, seats, inScope }) => {
    const { accounts } = slowEvaluate([
      models(at(0), included({ include, exclude: undefined })),
      facts(at(0), { seats }),
    ])
    expect(accounts.get('acme')!.standings[0]!.inScope).toBe(inScope)
  })

  test('gives accounts outside it the score 0, cut, and keeps their points and coverage', () => {
    const model = seatsModel({
      score: { scale: 1, min: 5, max: 100, decimals: 0 },
      scope: { include: { ids: ['other'], when: undefined }, exclude: undefined },
    })
    const { accounts } = slowEvaluate([models(at(0), model), facts(at(0), { seats: 9 })])
    expect(accounts.get('acme')!.standings[0]).toMatchObject({
      score: 5,
      coverage: 1,
      contributions: [{ points: 9, contribution: 9 }],
    })
  })
})

describe('the first day', () => {
  test('is the earliest of the day of creation and the days of all applied signals', () => {
    const firstDay = (...lateDays: number[]) =>
      slowEvaluate([
        models(at(0), seatsModel()),
        signal(at(500), { occurredAt: at(498) }),
        ...lateDays.map(day => signal(at(501), { occurredAt: at(day) })),
      ]).accounts.get('acme')!.firstDay
    const days = (day: number) => at(day) / DAY_MS
    expect(firstDay()).toBe(days(498))
    expect(firstDay(102)).toBe(days(102))
    // Too old: not applied.
    expect(firstDay(101)).toBe(days(498))
  })
})
