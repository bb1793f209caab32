import { describe, expect, test } from 'vitest'
import type { Signal } from '../../src/signals/signal.ts'
import { slowEvaluate } from '../support/slow/slow-evaluator.ts'
import {
  at,
  facts,
  featureAfter,
  model,
  models,
  SEATS,
  signal,
  tick,
  USED,
} from '../support/small-histories.ts'

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

  test('keeps 256 names, 256 keys and 64 values at a time, and counts what is beyond them', () => {
    const names = Array.from({ length: 258 }, (_, index) =>
      signal(at(0), { name: `name-${index}`, properties: { product: `product-${index % 66}` } }),
    )
    const keys = Object.fromEntries(Array.from({ length: 258 }, (_, index) => [`key-${index}`, index]))
    const history = [...names, facts(at(0), keys)]
    const { accounts } = slowEvaluate([models(at(0), model()), ...history])
    const dropped = accounts.get('acme')!.dropped
    expect(dropped).toMatchObject({ 'too-old': 0, names: 2, keys: 2, values: 2 * 3, overrides: 0, sums: 0 })
    expect(featureAfter(USED, ...history)).toBe(258)
    const distinct = { type: 'distinctNames', select: all, window: week }
    expect(featureAfter(distinct, ...history)).toBe(257)
  })

  test('keeps a name of a model beyond the limit, and a longer pattern apart from a shorter one', () => {
    const history = Array.from({ length: 256 }, (_, index) => signal(at(0), { name: `name-${index}` }))
    const countAfter = (names: string[], except: string[], ...sent: string[]) =>
      featureAfter(
        { type: 'count', select: { kinds: ['usage'], names, except }, window: week },
        ...history,
        ...sent.map(name => signal(at(1), { name })),
      )
    expect(countAfter(['late'], [], 'late', 'later')).toBe(1)
    expect(countAfter(['page.*'], ['page.admin.*'], 'page.a', 'page.admin.b', 'page.c', 'other')).toBe(2)
    expect(countAfter(['page.*'], ['page.home'], 'page.a', 'page.home')).toBe(1)
  })
})
