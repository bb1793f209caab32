import { describe, expect, test } from 'vitest'
import { parseSignal } from '../../src/signals/parse-signal.ts'
import type { RejectionCode } from '../../src/signals/rejection.ts'
import { parseRfc3339 } from '../../src/signals/rfc3339.ts'
import { SIGNAL_LIMITS } from '../../src/signals/signal-limits.ts'

const OBSERVED_AT = Date.parse('2026-01-05T12:00:00Z')
const GOOD = {
  id: 'e-1',
  kind: 'usage',
  name: 'report.exported',
  accountId: 'acct-1',
  userId: 'u-1',
  quantity: 2.5,
  properties: { team: 'Sales' },
  occurredAt: '2026-01-05T10:11:12.345Z',
}

function parse(value: unknown, defaultKind?: 'usage' | 'traits') {
  const bytes = typeof value === 'string' ? Buffer.from(value) : Buffer.from(JSON.stringify(value))
  return parseSignal(bytes, { observedAt: OBSERVED_AT, defaultKind, place: 'edge' })
}

describe('a signal', () => {
  test('is accepted with all its fields', () => {
    expect(parse(GOOD)).toEqual({
      signal: {
        id: 'e-1',
        kind: 'usage',
        name: 'report.exported',
        accountId: 'acct-1',
        userId: 'u-1',
        quantityThousandths: 2500,
        properties: { team: 'Sales' },
        occurredAt: Date.parse('2026-01-05T10:11:12.345Z'),
      },
    })
  })

  test('has a quantity of 1, no user and no properties by default', () => {
    const { userId: _, quantity: __, properties: ___, ...rest } = GOOD
    expect(parse(rest)).toMatchObject({
      signal: { quantityThousandths: 1000, userId: undefined, properties: {} },
    })
  })

  test('gets its kind from the topic if it names none', () => {
    const { kind: _, ...rest } = GOOD
    expect(parse(rest, 'usage')).toMatchObject({ signal: { kind: 'usage' } })
  })

  test('needs no name if it carries facts', () => {
    const { name: _, ...rest } = GOOD
    expect(parse({ ...rest, kind: 'traits' })).toMatchObject({ signal: { kind: 'traits', name: 'traits' } })
  })

  test('drops properties of activity that no rule could read', () => {
    expect(parse({ ...GOOD, properties: { team: 'Sales', cart: [1, 2], deep: { a: 1 } } })).toMatchObject({
      signal: { properties: { team: 'Sales' } },
    })
  })
})

const deep = (levels: number): unknown => (levels === 0 ? 1 : { inner: deep(levels - 1) })

describe('a value that is not a signal is rejected, with the value found and what is accepted', () => {
  const rows: readonly [name: string, value: unknown, code: RejectionCode, detail: RegExp][] = [
    ['empty value', '', 'not-json', /the value is empty/],
    ['text that is not JSON', '{"id":', 'not-json', /the value is not JSON/],
    ['NaN as a value', '{"quantity": NaN}', 'not-json', /not JSON/],
    ['text', '"hello"', 'not-an-object', /found "hello"/],
    ['array', [GOOD], 'not-an-object', /found an array/],
    ['null', 'null', 'not-an-object', /found null/],
    ['10 MB', `"${'x'.repeat(10_000_000)}"`, 'too-large', /10000002 bytes; up to 1000000/],
    ['missing account', { ...GOOD, accountId: undefined }, 'missing-field', /accountId is missing/],
    ['empty account', { ...GOOD, accountId: '' }, 'invalid-field', /accountId is ""/],
    ['number as account', { ...GOOD, accountId: 7 }, 'invalid-field', /accountId is 7/],
    ['missing id', { ...GOOD, id: null }, 'missing-field', /id is missing/],
    [
      'id of 10,000 characters',
      { ...GOOD, id: 'x'.repeat(10_000) },
      'too-long',
      /id has 10000 characters; up to 512/,
    ],
    ['account of 400 two-byte characters', { ...GOOD, accountId: 'é'.repeat(400) }, 'too-long', /800 bytes/],
    [
      'half a character',
      '{"id":"a\\ud800","kind":"usage","name":"n","accountId":"a"}',
      'invalid-field',
      /half a character/,
    ],
    ['unknown kind', { ...GOOD, kind: 'usages' }, 'unknown-kind', /kind is "usages"; one of usage, intent/],
    ['kind of the system', { ...GOOD, kind: 'tick' }, 'unknown-kind', /kind is "tick"/],
    ['missing name', { ...GOOD, name: undefined }, 'missing-field', /name is missing/],
    ['negative quantity', { ...GOOD, quantity: -1 }, 'invalid-field', /quantity is -1; a number from 0/],
    ['quantity as text', { ...GOOD, quantity: 'NaN' }, 'invalid-field', /quantity is "NaN"/],
    [
      'quantity past the bound',
      '{"id":"a","kind":"usage","name":"n","accountId":"a","quantity":1e999}',
      'invalid-field',
      /quantity is Infinity/,
    ],
    ['missing time', { ...GOOD, occurredAt: undefined }, 'missing-field', /occurredAt is missing/],
    [
      'text that is not a time',
      { ...GOOD, occurredAt: 'yesterday' },
      'invalid-time',
      /occurredAt is "yesterday"; an RFC 3339 time/,
    ],
    ['no such day', { ...GOOD, occurredAt: '2026-02-30T00:00:00Z' }, 'invalid-time', /2026-02-30/],
    ['before 1970', { ...GOOD, occurredAt: '1969-12-31T23:59:59Z' }, 'invalid-time', /1970/],
    ['far future', { ...GOOD, occurredAt: '2027-01-05T12:00:00Z' }, 'in-the-future', /8760\.0 h after/],
    ['deep nesting', { ...GOOD, properties: { deep: deep(100) } }, 'too-deep', /more than 8 levels/],
    ['very deep nesting', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'not-an-object', /an array/],
    ['very deep nesting inside', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'too-deep', /levels/],
    ['__proto__', '{"__proto__":{"kind":"usage"}}', 'forbidden-key', /the key __proto__/],
    ['__proto__ in properties', '{"properties":{"__proto__":1}}', 'forbidden-key', /the key __proto__/],
    [
      'constructor in properties',
      { ...GOOD, properties: { constructor: { prototype: 1 } } },
      'forbidden-key',
      /the key constructor/,
    ],
    [
      'facts that are not values',
      { ...GOOD, kind: 'traits', properties: { list: [1] } },
      'invalid-field',
      /properties\.list is an array/,
    ],
    [
      'facts without properties',
      { ...GOOD, kind: 'health', properties: undefined },
      'missing-field',
      /properties is missing/,
    ],
    [
      'a text of 2,000 characters',
      { ...GOOD, properties: { note: 'x'.repeat(2000) } },
      'too-long',
      /properties\.note has 2000 characters/,
    ],
    [
      '201 properties',
      { ...GOOD, properties: Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`p${i}`, i])) },
      'too-large',
      /201 entries/,
    ],
  ]
  test.each(rows)('%s', (_, value, code, detail) => {
    expect(parse(value)).toEqual({ rejection: { code, detail: expect.stringMatching(detail) } })
  })

  test('bytes that are not UTF-8', () => {
    expect(
      parseSignal(Buffer.from([0x7b, 0xff, 0x7d]), {
        observedAt: OBSERVED_AT,
        defaultKind: undefined,
        place: 'edge',
      }),
    ).toMatchObject({ rejection: { code: 'not-json' } })
  })

  test('a value of null', () => {
    expect(
      parseSignal(null, { observedAt: OBSERVED_AT, defaultKind: undefined, place: 'edge' }),
    ).toMatchObject({
      rejection: { code: 'not-json' },
    })
  })

  test('a time is accepted up to 10 minutes ahead', () => {
    expect(parse({ ...GOOD, occurredAt: '2026-01-05T12:09:59Z' })).toHaveProperty('signal')
    expect(parse({ ...GOOD, occurredAt: '2026-01-05T12:10:01Z' })).toHaveProperty('rejection')
  })

  test('an id and a quantity at their limits are accepted', () => {
    expect(parse({ ...GOOD, id: 'x'.repeat(SIGNAL_LIMITS.idLength) })).toHaveProperty('signal')
    expect(parse({ ...GOOD, quantity: SIGNAL_LIMITS.quantity })).toHaveProperty('signal')
  })
})

describe('an override', () => {
  const DECIDED = { reason: 'Merger', author: 'dana', expiresAt: '2026-02-01T00:00:00Z' }
  const override = (properties: unknown, more: object = {}) =>
    parse({ ...GOOD, kind: 'override', name: 'growth', properties, ...more })

  test.each([
    ['decides a score', { ...DECIDED, score: 40 }],
    ['decides a tier', { ...DECIDED, tier: 'hot' }],
    ['holds PQLs', { ...DECIDED, hold: true }],
    ['lifts the present override, and needs no end', { reason: 'Over', author: 'dana', lift: true }],
    ['lasts 400 days', { ...DECIDED, score: 1, expiresAt: '2027-02-09T10:11:12.345Z' }],
    ['carries other properties', { ...DECIDED, score: 1, ticket: 'CS-12' }],
  ])('%s', (_, properties) => {
    expect(override(properties)).toMatchObject({ signal: { kind: 'override', name: 'growth', properties } })
  })

  test('may be for every model, or for a model that is not active', () => {
    for (const name of ['*', 'not-yet'])
      expect(override({ ...DECIDED, hold: true }, { name })).toMatchObject({ signal: { name } })
  })

  test.each([
    ['no reason', { ...DECIDED, reason: undefined, score: 1 }, /^properties\.reason is missing; a text/],
    ['an empty reason', { ...DECIDED, reason: '', score: 1 }, /^properties\.reason is missing/],
    ['no author', { ...DECIDED, author: undefined, score: 1 }, /^properties\.author is missing; a text/],
    ['a text as score', { ...DECIDED, score: '40' }, /^properties\.score is not a number; a number/],
    ['a score of null', { ...DECIDED, score: null }, /^properties\.score is not a number/],
    ['a number as tier', { ...DECIDED, tier: 3 }, /^properties\.tier is not a text; the name of one/],
    ['a text as hold', { ...DECIDED, hold: 'yes' }, /^properties\.hold is neither true nor false/],
    ['a number as lift', { ...DECIDED, lift: 1 }, /^properties\.lift is neither true nor false/],
    [
      'a lift beside a score',
      { ...DECIDED, lift: true, score: 1 },
      /^properties has lift together with score/,
    ],
    [
      'a lift beside a hold',
      { ...DECIDED, lift: true, hold: true },
      /^properties has lift together with score/,
    ],
    ['no decision', DECIDED, /^properties decides nothing; one of score, tier, hold: true and lift: true/],
    ['only a hold of false', { ...DECIDED, hold: false }, /^properties decides nothing/],
    [
      'no end',
      { ...DECIDED, expiresAt: undefined, score: 1 },
      /^properties\.expiresAt is missing or is not a time/,
    ],
    ['a day as end', { ...DECIDED, expiresAt: '2026-02-01', score: 1 }, /an RFC 3339 time such as/],
    ['an end in the past', { ...DECIDED, expiresAt: GOOD.occurredAt, score: 1 }, /not within 400 days after/],
    [
      'an end after 400 days',
      { ...DECIDED, expiresAt: '2027-02-09T10:11:12.346Z', score: 1 },
      /not within 400 days after occurredAt/,
    ],
    ['a list', { ...DECIDED, score: 1, tags: [] }, /^properties\.tags is an array; a number, text/],
  ])('with %s is rejected', (_, properties, detail) => {
    expect(override(properties)).toEqual({
      rejection: { code: 'invalid-field', detail: expect.stringMatching(detail) },
    })
  })

  test('must have a name and properties', () => {
    const missing = (field: string) => ({
      rejection: { code: 'missing-field', detail: expect.stringMatching(`^${field} is missing`) },
    })
    expect(override({ ...DECIDED, score: 1 }, { name: undefined })).toEqual(missing('name'))
    expect(override(undefined)).toEqual(missing('properties'))
  })
})

describe('RFC 3339', () => {
  test.each([
    ['2026-01-05T10:11:12Z', '2026-01-05T10:11:12.000Z'],
    ['2026-01-05t10:11:12.3z', '2026-01-05T10:11:12.300Z'],
    ['2026-01-05 10:11:12.123456789Z', '2026-01-05T10:11:12.123Z'],
    ['2026-01-05T10:11:12+05:30', '2026-01-05T04:41:12.000Z'],
    ['2024-02-29T23:59:59-01:00', '2024-03-01T00:59:59.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(new Date(parseRfc3339(text)!).toISOString()).toBe(expected)
  })

  test.each([
    '2026-01-05',
    '2026-01-05T10:11Z',
    '2026-13-05T10:11:12Z',
    '2026-01-05T24:11:12Z',
    '2026-01-05T10:61:12Z',
    '0099-06-01T10:11:12Z',
    '2026-01-05T10:11:12+24:00',
    '2026-01-05T10:11:12+05:60',
    '1767607872',
    '',
  ])('%s is not a time', text => {
    expect(parseRfc3339(text)).toBeUndefined()
  })
})
