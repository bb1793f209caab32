import { describe, expect, test } from 'vitest'
import {
  at,
  DAY_MS,
  facts,
  feature,
  featureAfter,
  literal,
  signal,
  tick,
} from '../support/small-histories.ts'

/** Features that look at many days at once, with values worked out by hand. */

const USAGE = { kinds: ['usage'], names: undefined, except: [] }

describe('decayed', () => {
  const decayed = {
    type: 'decayed',
    measure: 'count',
    select: USAGE,
    window: { unit: 'day', length: 10 },
    halfLife: 2,
  }
  const history = [signal(at(0)), signal(at(2)), signal(at(2, 5)), signal(at(4))]

  test.each([
    // 2^-2 + 2 × 2^-1 + 1
    { day: 4, value: 2.25 },
    // 2^-2.5 + 2 × 2^-1.5 + 2^-0.5 = 0.1767767 + 0.7071068 + 0.7071068
    { day: 5, value: 1.59099 },
    // The first signal has left the window: 2 × 2^-4 + 2^-3
    { day: 10, value: 0.25 },
    { day: 13, value: 0.044194 },
    { day: 14, value: 0 },
  ])('is $value on day $day', ({ day, value }) => {
    expect(featureAfter(decayed, ...history, tick(at(day)))).toBe(value)
  })

  test('counts quantities for a sum, and falls every hour for a window in hours', () => {
    const hourly = { ...decayed, measure: 'sum', window: { unit: 'hour', length: 3 }, halfLife: 1 }
    const sent = [signal(at(0, 1.5), { quantityThousandths: 8000 })]
    const after = (hours: number) => featureAfter(hourly, ...sent, tick(at(0, hours)))
    expect([1.9, 2, 3, 3.9, 4].map(after)).toEqual([8, 4, 2, 2, 0])
  })
})

describe('powerUsers', () => {
  test('counts users who were seen on enough days of the window, in usage and intent', () => {
    const seen = (day: number, userId: string, kind: 'usage' | 'intent' | 'outcome' = 'usage') =>
      signal(at(9), { userId, kind, occurredAt: at(day) })
    const history = [
      ...[3, 3, 3].map(day => seen(day, 'one day only')),
      ...[0, 8].map(day => seen(day, 'once within')),
      seen(3, 'twice'),
      seen(9, 'twice', 'intent'),
      seen(8, 'outcomes', 'outcome'),
      seen(9, 'outcomes'),
    ]
    const power = { type: 'powerUsers', days: 2, windowDays: 7 }
    expect(featureAfter(power, ...history)).toBe(1)
    expect(featureAfter({ ...power, windowDays: 10 }, ...history)).toBe(2)
    expect(featureAfter(power, ...history, tick(at(10)))).toBe(0)
  })
})

describe('latest with a fallback', () => {
  const seats = {
    type: 'latest',
    key: 'traits.seats',
    valueType: 'number',
    maxAgeDays: 3,
    fallback: 7,
  }
  test.each([
    { what: 'a value', after: [facts(at(0), { seats: 0 })], value: 0 },
    { what: 'none', after: [signal(at(0))], value: 7 },
    { what: 'null', after: [facts(at(0), { seats: null })], value: 7 },
    { what: 'a text', after: [facts(at(0), { seats: '5' })], value: 7 },
    { what: 'a value too old', after: [facts(at(0), { seats: 5 }), tick(at(4))], value: 7 },
  ])('is $value for $what', ({ after, value }) => {
    expect(featureAfter(seats, ...after)).toBe(value)
  })
})

describe('knownKeys', () => {
  const known = { type: 'knownKeys', pattern: 'traits.role.*', maxAgeDays: undefined }
  test('counts the keys with a positive value', () => {
    const values = { a: true, b: 'x', c: -1, d: false, e: 0, f: '', g: null }
    const properties = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [`role.${key}`, value]),
    )
    const history = [
      facts(at(0), { ...properties, roles: true }),
      facts(at(0), { 'role.h': 1 }, { kind: 'health' }),
    ]
    expect(featureAfter(known, ...history)).toBe(3)
    expect(featureAfter({ ...known, pattern: 'traits.role.b' }, ...history)).toBe(1)
    expect(
      featureAfter(known, ...history, facts(at(1), { 'role.a': false, 'role.g': 'y', 'role.f': 1 })),
    ).toBe(4)
  })

  test('leaves out keys that are too old, and is never unknown', () => {
    const history = [facts(at(0), { 'role.a': 1 }), facts(at(2), { 'role.b': 1 })]
    const young = { ...known, maxAgeDays: 3 }
    expect([3, 4, 6].map(day => featureAfter(young, ...history, tick(at(day))))).toEqual([2, 1, 0])
  })
})

describe('daysSustained', () => {
  const over = {
    type: 'daysSustained',
    key: 'traits.used',
    per: undefined,
    level: { edge: 'above', limit: 8 },
    max: 30,
  }

  test('counts the days in a row up to today with a value beyond the level', () => {
    const history = [facts(at(0), { used: 9 }), facts(at(3), { used: 8 }), facts(at(5), { used: 9 })]
    const onDay = (day: number, of: object = over) =>
      featureAfter(of, ...history.filter(({ timestamp }) => timestamp <= at(day)), tick(at(day)))
    expect([0, 2, 3, 4, 5, 9].map(day => onDay(day))).toEqual([1, 3, 0, 0, 1, 5])
    expect(onDay(9, { ...over, level: { edge: 'from', limit: 8 } })).toBe(10)
    expect(onDay(9, { ...over, max: 4 })).toBe(4)
  })

  test('reads a late number on its own day, and only the last number of a day', () => {
    const history = [facts(at(0), { used: 9 }), facts(at(2), { used: 9 }), facts(at(2, 1), { used: 10 })]
    const late = facts(at(3), { used: 1 }, { occurredAt: at(1) })
    expect(featureAfter(over, ...history, tick(at(3)))).toBe(4)
    expect(featureAfter(over, ...history, late)).toBe(2)
    expect(featureAfter(over, ...history, facts(at(3), { used: 1 }, { occurredAt: at(2, 0.5) }))).toBe(4)
  })

  test('divides by the value of the other key on each day', () => {
    const share = { ...over, per: 'traits.limit', level: { edge: 'from', limit: 0.8 } }
    const history = [
      facts(at(0), { used: 8, limit: 10 }),
      facts(at(4), { limit: 20 }),
      facts(at(5), { used: 16 }),
    ]
    expect(featureAfter(share, ...history.slice(0, 1), tick(at(3)))).toBe(4)
    expect(featureAfter(share, ...history, tick(at(6)))).toBe(2)
    expect(featureAfter(share, ...history, facts(at(6), { limit: 0 }))).toBe(0)
    expect(featureAfter(share, ...history, facts(at(6), { limit: null }))).toBe(undefined)
  })

  test('is unknown while the value is unknown', () => {
    expect(featureAfter(over, signal(at(0)))).toBe(undefined)
    expect(featureAfter(over, facts(at(0), { used: 9 }), facts(at(1), { used: null }))).toBe(undefined)
  })
})

describe('periodsSustained', () => {
  const weekly = {
    type: 'periodsSustained',
    measure: 'count',
    select: USAGE,
    per: undefined,
    periodDays: 7,
    level: { edge: 'from', limit: 2 },
    max: 3,
  }

  test('counts periods in a row that end today, 7 days ago, …', () => {
    const history = [1, 2, 8, 14, 15, 21].map(day => signal(at(day)))
    // The periods are 15–21, 8–14, 1–7.
    expect(featureAfter(weekly, ...history)).toBe(3)
    expect(featureAfter({ ...weekly, max: 2 }, ...history)).toBe(2)
    // 16–22 has one.
    expect(featureAfter(weekly, ...history, tick(at(22)))).toBe(0)
    // 16–22 has two, 9–15 has two, 2–8 has two.
    expect(featureAfter(weekly, ...history, signal(at(22)))).toBe(3)
    expect(featureAfter({ ...weekly, level: { edge: 'above', limit: 2 } }, ...history)).toBe(0)
  })

  test('ends without a signal, on the day on which too much has left the latest period', () => {
    const history = [1, 2].map(day => signal(at(day)))
    expect([3, 7, 8].map(day => featureAfter(weekly, ...history, tick(at(day))))).toEqual([1, 1, 0])
  })

  test('divides by the value of the key at the end of each period', () => {
    const share = { ...weekly, measure: 'sum', per: 'contract.calls', level: { edge: 'from', limit: 0.8 } }
    const calls = (day: number, limit: number | null) =>
      facts(at(day), { calls: limit }, { kind: 'contract' })
    const used = (day: number, quantity: number) => signal(at(day), { quantityThousandths: quantity * 1000 })
    const history = [calls(0, 10), used(3, 8), calls(8, 100), used(9, 80)]
    expect(featureAfter(share, ...history, tick(at(13)))).toBe(2)
    expect(featureAfter(share, ...history, calls(13, 101))).toBe(0)
    expect(featureAfter(share, ...history, calls(13, null))).toBe(undefined)
    expect(featureAfter(share, signal(at(0)))).toBe(undefined)
  })
})

describe('formula', () => {
  const formulaOf = (expression: object) => ({ type: 'formula', formula: { text: '', expression } })
  const times = (left: object, right: object) => ({ type: 'arithmetic', operator: '*', left, right })
  test.each([
    { what: 'used * 2.5', expression: times(feature('used'), literal(2.5)), value: 2.5 },
    { what: 'seats * 2', expression: times(feature('seats'), literal(2)), value: undefined },
    { what: '1e200 * 1e200', expression: times(literal(1e200), literal(1e200)), value: undefined },
    { what: 'known(seats)', expression: { type: 'known', name: 'seats' }, value: false },
    { what: 'a text', expression: literal('pro'), value: 'pro' },
  ])('$what is $value', ({ expression, value }) => {
    expect(featureAfter(formulaOf(expression), signal(at(0)))).toBe(value)
  })
})

describe('a selection', () => {
  test('leaves out the names in except', () => {
    const select = { kinds: ['usage'], names: ['seat.*'], except: ['seat.preview.*', 'seat.removed'] }
    const count = { type: 'count', select, window: { unit: 'day', length: 7 } }
    const history = ['seat.added', 'seat.removed', 'seat.preview.x', 'other'].map(name =>
      signal(at(0), { name }),
    )
    expect(featureAfter(count, ...history)).toBe(1)
  })
})

describe('the dimension role', () => {
  test('counts values of the property', () => {
    const roles = { type: 'distinctValues', dimension: 'role', windowDays: 3 }
    const history = ['admin', 'admin', 'buyer', 7].map((role, index) =>
      signal(at(0) + index * DAY_MS, { properties: { role } }),
    )
    expect(featureAfter(roles, ...history)).toBe(2)
  })
})
