import { describe, expect, test } from 'vitest'
import { signalRecord } from '../../src/log/signals-topic-records.ts'
import { SOURCE_TOPICS } from '../../src/log/topic-names.ts'
import { sampleHistory } from '../../src/sample/past-signals.ts'
import { checkSignal } from '../../src/signals/parse-signal.ts'
import { SIGNAL_KINDS, type SignalKind } from '../../src/signals/signal.ts'
import { compileSchema, SCHEMAS } from './published-schemas.ts'

const OBSERVED_AT = Date.parse('2026-11-22T10:00:00Z')
const EVENT = {
  id: 'e-1',
  kind: 'usage',
  name: 'report.exported',
  accountId: 'acme',
  occurredAt: '2026-11-22T09:00:00Z',
}
const FACTS = {
  id: 'f-1',
  kind: 'contract',
  accountId: 'acme',
  properties: { seats: 50 },
  occurredAt: '2026-11-22T09:00:00Z',
}
const DECIDED = { reason: 'Merger', author: 'dana', expiresAt: '2027-01-01T00:00:00Z' }
const OVERRIDE = {
  id: 'o-1',
  kind: 'override',
  name: 'growth',
  accountId: 'acme',
  properties: { ...DECIDED, score: 40 },
  occurredAt: '2026-11-22T09:00:00Z',
}
const GOOD = 'accepted'
const BAD = 'refused'

const CASES: readonly Case[] = [
  ['an event', EVENT, GOOD],
  ['facts', FACTS, GOOD],
  ['fields of others', { ...EVENT, source: 'web', context: { ip: '::1' } }, BAD],
  ['all fields', { ...EVENT, userId: 'u', quantity: 0.5, properties: { team: 'Sales' } }, GOOD],
  ['nulls for what may be left out', { ...EVENT, userId: null, quantity: null, properties: null }, GOOD],
  ['facts with a null name', { ...FACTS, name: null }, GOOD],
  ['facts with no value left', { ...FACTS, properties: { seats: null } }, GOOD],
  ['facts without any', { ...FACTS, properties: {} }, GOOD],
  ['an event with a list among its properties', { ...EVENT, properties: { cart: [1, { a: 2 }] } }, GOOD],
  ['a quantity of 0', { ...EVENT, quantity: 0 }, GOOD],
  ['the largest quantity', { ...EVENT, quantity: 1e12 }, GOOD],
  ['an id of 512 characters', { ...EVENT, id: 'x'.repeat(512) }, GOOD],
  ['a name of 200 characters', { ...EVENT, name: 'x'.repeat(200) }, GOOD],
  ['a text of 1,000 characters', { ...EVENT, properties: { note: 'x'.repeat(1000) } }, GOOD],
  ['200 properties', { ...FACTS, properties: numbered(200) }, GOOD],
  ['a time with an offset', { ...EVENT, occurredAt: '2026-11-22T09:00:00.123456789+05:30' }, GOOD],
  ['a time in small letters', { ...EVENT, occurredAt: '2026-11-22t09:00:00z' }, GOOD],
  ...SIGNAL_KINDS.map(
    kind => [`the kind ${kind}`, { ...EVENT, ...OVERRIDE, name: 'n', kind }, GOOD] as const,
  ),
  ...overrides([
    ['a score', { ...DECIDED, score: 40.5 }, GOOD],
    ['a negative score', { ...DECIDED, score: -1 }, GOOD],
    ['a tier', { ...DECIDED, tier: 'hot' }, GOOD],
    ['a hold', { ...DECIDED, hold: true }, GOOD],
    ['all of them', { ...DECIDED, score: 4, tier: 'hot', hold: true, lift: false }, GOOD],
    ['a score and no hold', { ...DECIDED, score: 4, hold: false }, GOOD],
    ['a note', { ...DECIDED, score: 4, ticket: 'CS-12', note: null }, GOOD],
    ['a lift', { reason: 'r', author: 'a', lift: true }, GOOD],
    ['a lift that ends', { ...DECIDED, lift: true }, GOOD],
    ['a lift that holds nothing', { ...DECIDED, lift: true, hold: false }, GOOD],
    ['no reason', { author: 'a', expiresAt: DECIDED.expiresAt, score: 1 }, BAD],
    ['an empty reason', { ...DECIDED, reason: '', score: 1 }, BAD],
    ['no author', { reason: 'r', expiresAt: DECIDED.expiresAt, score: 1 }, BAD],
    ['a number as author', { ...DECIDED, author: 7, score: 1 }, BAD],
    ['no end', { reason: 'r', author: 'a', score: 1 }, BAD],
    ['an end of null', { ...DECIDED, expiresAt: null, score: 1 }, BAD],
    ['a day as end', { ...DECIDED, expiresAt: '2027-01-01', score: 1 }, BAD],
    ['a number as the end of a lift', { ...DECIDED, expiresAt: 7, lift: true }, BAD],
    ['nothing', DECIDED, BAD],
    ['no hold', { ...DECIDED, hold: false }, BAD],
    ['no lift', { ...DECIDED, lift: false }, BAD],
    ['a text as score', { ...DECIDED, score: '40' }, BAD],
    ['a score of null', { ...DECIDED, score: null, hold: true }, BAD],
    ['an empty tier', { ...DECIDED, tier: '' }, BAD],
    ['a number as tier', { ...DECIDED, tier: 1 }, BAD],
    ['a text as hold', { ...DECIDED, hold: 'true' }, BAD],
    ['a text as lift', { ...DECIDED, score: 1, lift: 'false' }, BAD],
    ['a lift with a score', { ...DECIDED, lift: true, score: 1 }, BAD],
    ['a lift with a tier', { ...DECIDED, lift: true, tier: 'hot' }, BAD],
    ['a lift with a hold', { ...DECIDED, lift: true, hold: true }, BAD],
    ['a list', { ...DECIDED, score: 1, tags: ['x'] }, BAD],
  ]),
  ['an override of every model', { ...OVERRIDE, name: '*' }, GOOD],
  ['an override without a name', without(OVERRIDE, 'name'), BAD],
  ['an override with a null name', { ...OVERRIDE, name: null }, BAD],
  ['an override without properties', without(OVERRIDE, 'properties'), BAD],

  ['null', null, BAD],
  ['a text', 'hello', BAD],
  ['a list', [EVENT], BAD],
  ['no kind', without(EVENT, 'kind'), BAD],
  ['a kind of null', { ...EVENT, kind: null }, BAD],
  ['an unknown kind', { ...EVENT, kind: 'usages' }, BAD],
  ['the kind of another record', { ...EVENT, kind: 'tick' }, BAD],
  ['no id', without(EVENT, 'id'), BAD],
  ['an id of null', { ...EVENT, id: null }, BAD],
  ['an empty id', { ...EVENT, id: '' }, BAD],
  ['a number as id', { ...EVENT, id: 7 }, BAD],
  ['an id of 513 characters', { ...EVENT, id: 'x'.repeat(513) }, BAD],
  ['an id of 10,000 characters', { ...EVENT, id: 'x'.repeat(10_000) }, BAD],
  ['an id with a NUL', { ...EVENT, id: 'a\u0000b' }, BAD],
  ['no account', without(EVENT, 'accountId'), BAD],
  ['an account of 513 characters', { ...EVENT, accountId: 'x'.repeat(513) }, BAD],
  ['an account with a NUL', { ...EVENT, accountId: '\u0000' }, BAD],
  ['an event without a name', without(EVENT, 'name'), BAD],
  ['an event with a null name', { ...EVENT, name: null }, BAD],
  ['an empty name', { ...EVENT, name: '' }, BAD],
  ['facts with an empty name', { ...FACTS, name: '' }, GOOD],
  ['a name of 201 characters', { ...EVENT, name: 'x'.repeat(201) }, BAD],
  ['an empty user', { ...EVENT, userId: '' }, GOOD],
  ['a number as user', { ...EVENT, userId: 5 }, BAD],
  ['a negative quantity', { ...EVENT, quantity: -1 }, BAD],
  ['too large a quantity', { ...EVENT, quantity: 1.1e12 }, BAD],
  ['a text as quantity', { ...EVENT, quantity: '1' }, BAD],
  ['facts without properties', without(FACTS, 'properties'), BAD],
  ['facts with null for properties', { ...FACTS, properties: null }, BAD],
  ['a list for properties', { ...EVENT, properties: [1] }, BAD],
  ['facts with a list', { ...FACTS, properties: { seats: [1] } }, BAD],
  ['facts with an object', { ...FACTS, properties: { seats: { value: 1 } } }, BAD],
  ['201 properties', { ...EVENT, properties: numbered(201) }, BAD],
  ['a property without a name', { ...EVENT, properties: { '': 1 } }, BAD],
  ['a property with a name of 201 characters', { ...EVENT, properties: { ['x'.repeat(201)]: 1 } }, BAD],
  ['a text of 1,001 characters', { ...EVENT, properties: { note: 'x'.repeat(1001) } }, BAD],
  ['a key __proto__', JSON.parse('{"__proto__":1}'), BAD],
  ['a key constructor', { ...EVENT, constructor: 1 }, BAD],
  ['a property __proto__', { ...EVENT, properties: JSON.parse('{"__proto__":1}') }, BAD],
  ['no time', without(EVENT, 'occurredAt'), BAD],
  ['a number as time', { ...EVENT, occurredAt: OBSERVED_AT }, BAD],
  ['yesterday', { ...EVENT, occurredAt: 'yesterday' }, BAD],
  ['a day', { ...EVENT, occurredAt: '2026-11-22' }, BAD],
  ['a time without a zone', { ...EVENT, occurredAt: '2026-11-22T09:00:00' }, BAD],
  ['no such day', { ...EVENT, occurredAt: '2026-02-30T09:00:00Z' }, BAD],
]

/** Errors that only `checkSignal` can see; the schema's comment lists them. */
const BEYOND_A_SCHEMA: readonly [name: string, value: unknown][] = [
  ['an account of 400 two-byte letters', { ...EVENT, accountId: 'é'.repeat(400) }],
  ['an id of 300 characters of two code units', { ...EVENT, id: '🜁'.repeat(300) }],
  ['half a character', { ...EVENT, id: 'a\ud800' }],
  ['a far future', { ...EVENT, occurredAt: '2027-11-22T09:00:00Z' }],
  [
    'an override of more than 400 days',
    { ...OVERRIDE, properties: { ...DECIDED, score: 1, expiresAt: '2028-01-01T00:00:00Z' } },
  ],
  [
    'an override that is over',
    { ...OVERRIDE, properties: { ...DECIDED, score: 1, expiresAt: OVERRIDE.occurredAt } },
  ],
  ['before 1970', { ...EVENT, occurredAt: '1969-12-31T23:59:59Z' }],
  ['deep nesting', { ...EVENT, properties: { deep: nested(9) } }],
  ['a key __proto__ further down', { ...EVENT, properties: { traits: JSON.parse('{"__proto__":1}') } }],
]

describe('the schema of signals', () => {
  const isValid = compileSchema('signal.schema.json')

  test.each(CASES)('agrees with what is accepted: %s', (_, value, verdict) => {
    const checked = checkSignal(value, { observedAt: OBSERVED_AT, defaultKind: undefined, place: 'edge' })
    expect('signal' in checked ? GOOD : BAD).toBe(verdict)
    expect(isValid(value) ? GOOD : BAD).toBe(verdict)
  })

  test.each(BEYOND_A_SCHEMA)('leaves to checkSignal: %s', (_, value) => {
    expect(
      checkSignal(value, { observedAt: OBSERVED_AT, defaultKind: undefined, place: 'edge' }),
    ).toHaveProperty('rejection')
    expect(isValid(value)).toBe(true)
  })

  test('accepts its own examples', () => {
    const { examples } = SCHEMAS.get('signal.schema.json') as { examples: unknown[] }
    expect(examples).toHaveLength(3)
    for (const example of examples) {
      expect(isValid(example)).toBe(true)
      expect(
        checkSignal(example, { observedAt: OBSERVED_AT, defaultKind: undefined, place: 'edge' }),
      ).toHaveProperty('signal')
    }
  })

  test('accepts what is written to the log', () => {
    const signals = sampleHistory({ seed: 5, accounts: 10, days: 30, until: OBSERVED_AT })
    expect(signals.length).toBeGreaterThan(500)
    for (const signal of signals) {
      const { value } = signalRecord('signals', signal, OBSERVED_AT)
      isValid(JSON.parse(String(value)))
      expect(isValid.errors ?? [], String(value)).toEqual([])
    }
  })
})

describe('the schema of the records of source topics', () => {
  const isEvent = compileSchema('signal.schema.json#/$defs/sourceEvent')
  const isFacts = compileSchema('signal.schema.json#/$defs/sourceFacts')
  const FACT_KINDS: readonly SignalKind[] = ['traits', 'health', 'contract']
  const values = [
    ...CASES,
    ['an event without a kind', without(EVENT, 'kind')],
    ['facts without a kind', without(FACTS, 'kind')],
    ['both without a kind', { ...without(FACTS, 'kind'), name: 'n' }],
    ['neither, without a kind', without(without(EVENT, 'kind'), 'name')],
  ] as const

  test.each(Object.entries(SOURCE_TOPICS))('agrees with what is accepted from %s', (_, defaultKind) => {
    const isValid = FACT_KINDS.includes(defaultKind) ? isFacts : isEvent
    for (const [name, value] of values) {
      const checked = checkSignal(value, { observedAt: OBSERVED_AT, defaultKind, place: 'edge' })
      expect(isValid(value), name).toBe('signal' in checked)
    }
  })
})

type Case = readonly [name: string, value: unknown, verdict: typeof GOOD | typeof BAD]

/** Makes one case for each value of the properties. */
function overrides(cases: readonly Case[]): Case[] {
  return cases.map(([name, properties, verdict]) => [
    `an override with ${name}`,
    { ...OVERRIDE, properties },
    verdict,
  ])
}

function without<T extends object>(value: T, field: string): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== field)) as Partial<T>
}

function numbered(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, i]))
}

function nested(levels: number): unknown {
  return levels === 0 ? 1 : { inner: nested(levels - 1) }
}
