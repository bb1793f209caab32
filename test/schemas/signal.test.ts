import { describe, expect, test } from 'vitest'
import { signalRecord } from '../../src/consumers/log-entries.ts'
import { SOURCE_TOPICS } from '../../src/consumers/topics.ts'
import { sampleHistory } from '../../src/sample/history.ts'
import { checkSignal } from '../../src/scoring/parse-signal.ts'
import { SIGNAL_KINDS, type SignalKind } from '../../src/scoring/signal.ts'
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
const GOOD = 'accepted'
const BAD = 'refused'

const CASES: readonly (readonly [name: string, value: unknown, verdict: typeof GOOD | typeof BAD])[] = [
  ['an event', EVENT, GOOD],
  ['facts', FACTS, GOOD],
  ['fields of others', { ...EVENT, source: 'web', context: { ip: '::1' } }, GOOD],
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
  ...SIGNAL_KINDS.map(kind => [`the kind ${kind}`, { ...EVENT, ...FACTS, name: 'n', kind }, GOOD] as const),

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
  ['facts with an empty name', { ...FACTS, name: '' }, BAD],
  ['a name of 201 characters', { ...EVENT, name: 'x'.repeat(201) }, BAD],
  ['an empty user', { ...EVENT, userId: '' }, BAD],
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

/** What only `checkSignal` can see; the schema says so in its comment. */
const BEYOND_A_SCHEMA: readonly [name: string, value: unknown][] = [
  ['an account of 400 two-byte letters', { ...EVENT, accountId: 'é'.repeat(400) }],
  ['an id of 300 characters of two code units', { ...EVENT, id: '🜁'.repeat(300) }],
  ['half a character', { ...EVENT, id: 'a\ud800' }],
  ['a far future', { ...EVENT, occurredAt: '2027-11-22T09:00:00Z' }],
  ['before 1970', { ...EVENT, occurredAt: '1969-12-31T23:59:59Z' }],
  ['deep nesting', { ...EVENT, properties: { deep: nested(9) } }],
  ['a key __proto__ further down', { ...EVENT, context: { traits: JSON.parse('{"__proto__":1}') } }],
]

describe('the schema of signals', () => {
  const isValid = compileSchema('signal.schema.json')

  test.each(CASES)('agrees with what is accepted: %s', (_, value, verdict) => {
    const checked = checkSignal(value, { observedAt: OBSERVED_AT, defaultKind: undefined })
    expect('signal' in checked ? GOOD : BAD).toBe(verdict)
    expect(isValid(value) ? GOOD : BAD).toBe(verdict)
  })

  test.each(BEYOND_A_SCHEMA)('cannot say everything: %s', (_, value) => {
    expect(checkSignal(value, { observedAt: OBSERVED_AT, defaultKind: undefined })).toHaveProperty(
      'rejection',
    )
    expect(isValid(value)).toBe(true)
  })

  test('accepts its own examples', () => {
    const { examples } = SCHEMAS.get('signal.schema.json') as { examples: unknown[] }
    expect(examples).toHaveLength(2)
    for (const example of examples) {
      expect(isValid(example)).toBe(true)
      expect(checkSignal(example, { observedAt: OBSERVED_AT, defaultKind: undefined })).toHaveProperty(
        'signal',
      )
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
      const checked = checkSignal(value, { observedAt: OBSERVED_AT, defaultKind })
      expect(isValid(value), name).toBe('signal' in checked)
    }
  })
})

function without<T extends object>(value: T, field: string): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== field)) as Partial<T>
}

function numbered(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, i]))
}

function nested(levels: number): unknown {
  return levels === 0 ? 1 : { inner: nested(levels - 1) }
}
