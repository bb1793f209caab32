import { describe, expect, test } from 'vitest'
import { parseModel } from '../../src/models/parse-model.ts'
import { type Account, advance, createAccount, receiveSignal } from '../../src/scoring/account.ts'
import { decodeAccount, encodeAccount } from '../../src/scoring/codec/codec.ts'
import { compileModel } from '../../src/scoring/definition/compile-model.ts'
import type { CompiledModel } from '../../src/scoring/definition/compiled-model.ts'
import type { ScoringEvent } from '../../src/scoring/events.ts'
import { switchModels } from '../../src/scoring/switch-models.ts'
import type { Signal } from '../../src/signals/signal.ts'

// Cases that random histories seldom reach. Each was a mistake once, or would be a costly one.

const DAY_MS = 86_400_000

function modelOf(feature: string): CompiledModel {
  const text = `
id: edge
version: 1
name: Edge
score: { scale: 1, max: 1000 }
features:
  a: { growth: { of: traits.a, within: 1d } }
  b: { growth: { of: traits.b, within: 1d } }
  read: ${feature}
groups:
  one: { weight: 1, max: 1000, rules: { read: { line: { of: read, corners: [[0, 0], [1000, 1000]] } } } }
tiers: [{ name: all, from: 0 }]
`
  return compileModel(parseModel(text, 'edge.yaml'))
}

let ids = 0
function signal(occurredAt: number, parts: Partial<Signal>): Signal {
  return {
    id: `s${ids++}`,
    kind: 'usage',
    name: 'used',
    accountId: 'acme',
    userId: undefined,
    quantityThousandths: 1000,
    properties: {},
    occurredAt,
    ...parts,
  }
}

/** Passes time up to `at` (ms), then receives the signal. Returns the events of both. */
function receive(account: Account, each: Signal, at: number, isNew = false): readonly ScoringEvent[] {
  const before = advance(account, at)
  return [...before, ...receiveSignal(account, each, at, isNew).events]
}

function send(model: CompiledModel, signals: readonly Signal[]): Account {
  const [first] = signals
  const models = { offset: 0, at: 0, models: [model] }
  const account = createAccount('acme', first!.occurredAt, models, { type: 'signal', signalId: first!.id })
  for (const [i, each] of signals.entries()) receive(account, each, each.occurredAt, i === 0)
  return account
}

function readOf(account: Account): unknown {
  const { model, values } = account.standings[0]!
  return values[model.features.findIndex(({ name }) => name === 'read')]
}

function utc(text: string): number {
  return Date.parse(`${text}T12:00:00Z`)
}

describe('29 February, every year', () => {
  test.each([
    ['2027-07-01', '2028-02-28', 90],
    ['2027-07-01', '2028-02-29', 0],
    ['2027-07-01', '2028-03-01', 1],
    ['2026-07-01', '2027-02-28', 90],
    ['2026-07-01', '2027-03-01', 0],
  ])('from %s to %s it is %i days since, and the account wakes in time', (from, to, days) => {
    const model = modelOf('{ daysSince: { date: traits.date, every: year, to: 90 } }')
    const facts = { kind: 'traits', properties: { date: '2024-02-29' } } as const
    const account = send(model, [signal(utc(from), facts)])
    advance(account, utc(to))
    expect(readOf(account)).toBe(days)
  })
})

describe('numbers beyond what a double holds', () => {
  test('make a ratio unknown, and the score stays a number', () => {
    const facts = (a: number, b: number) => ({ kind: 'traits', properties: { a, b } }) as const
    const account = send(modelOf('{ ratio: [a, b] }'), [
      signal(utc('2026-01-01'), facts(-1e308, -1e308)),
      signal(utc('2026-01-05'), facts(1e308, 1e308)),
    ])
    expect(readOf(account)).toBeUndefined()
    expect(account.standings[0]!.score).toBe(0)
  })

  test('make a quotient by a tiny number unknown', () => {
    const account = send(modelOf('{ daysSustained: { of: traits.used, per: traits.limit, above: 1 } }'), [
      signal(utc('2026-01-01'), { kind: 'traits', properties: { used: 1e10, limit: 5e-324 } }),
    ])
    expect(readOf(account)).toBe(0)
  })
})

test('amounts beyond 2⁵³ add up to the same before and after a reload, in whatever order the names came', () => {
  const model = modelOf('{ sum: { of: usage, within: 30d } }')
  const at = utc('2026-01-01')
  const large = (name: string) => signal(at, { name, quantityThousandths: 5e15 })
  const account = send(model, [
    large('z'),
    large('a'),
    large('k'),
    signal(at, { name: 'b', quantityThousandths: 1 }),
  ])
  const models = { offset: 0, at: 0, models: [model] }
  const again = decodeAccount('acme', encodeAccount(account), [models])
  for (const each of [account, again]) receive(each, signal(at, { id: 'same', name: 'q' }), at)
  expect(readOf(again)).toBe(readOf(account))
  expect(readOf(again)).toBe(Number.MAX_SAFE_INTEGER / 1000)
  expect(encodeAccount(again)).toEqual(encodeAccount(account))
})

describe('an account is woken only when time may change something', () => {
  /** How often an account is evaluated within a year without signals. */
  function wakes(feature: string, signals: readonly Signal[]): number {
    const account = send(modelOf(feature), signals)
    let count = 0
    for (const end = account.activity.clock + 365 * DAY_MS; account.dueAt <= end; count++)
      advance(account, account.dueAt)
    return count
  }
  const start = utc('2026-01-01')
  const used = signal(start, {})

  test.each([
    ['{ count: { of: intent, within: 90d, halfLife: 14d } }', 0],
    ['{ count: { of: usage, within: 90d, halfLife: 14d } }', 90],
    ['{ periodsSustained: { count: { of: intent }, every: 30d, above: 0.5, to: 3 } }', 0],
    ['{ periodsSustained: { count: { of: usage }, every: 30d, above: 0.5, to: 3 } }', 3],
    ['{ count: { of: usage, within: 30d } }', 1],
  ])('%s: %i times', (feature, expected) => {
    expect(wakes(feature, [used])).toBe(expected)
  })

  test('a date long ago: once a year, and daily until the limit', () => {
    const fiscal = signal(start, { kind: 'traits', properties: { date: '2025-09-01' } })
    // At first it is more than 90 days ago. In September the next year begins, and it counts up to 90 again.
    expect(wakes('{ daysSince: { date: traits.date, every: year, to: 90 } }', [fiscal])).toBe(91)
  })
})

test('a model that goes and comes back at the same moment causes events with other ids', () => {
  const model = modelOf('{ count: { of: usage, within: 30d } }')
  const tiered = compileModel({
    ...model.definition,
    tiers: [
      { name: 'none', title: 'None', from: 0, action: '', queue: undefined },
      { name: 'some', title: 'Some', from: 1, action: '', queue: undefined },
    ],
  })
  const at = utc('2026-01-01')
  const account = send(tiered, [signal(at, {})])
  const ids: string[] = []
  for (const [offset, models] of [[], [tiered], [], [tiered]].entries()) {
    const copy = decodeAccount('acme', encodeAccount(account), [
      { offset: account.modelsOffset, at, models: account.standings.map(standing => standing.model) },
    ])
    const set = { offset: offset + 1, at, models }
    const events = switchModels(account, set)
    expect(switchModels(copy, set)).toEqual(events)
    ids.push(...events.map(({ id }) => id))
  }
  expect(ids).toHaveLength(4)
  expect(new Set(ids).size).toBe(4)
})

test('a late day of a user whose other days are forgotten leaves no gap', () => {
  const model = modelOf('{ powerUsers: { days: 3, within: 30d } }')
  const models = { offset: 0, at: 0, models: [model] }
  const today = utc('2026-03-01')
  const onDay = (daysAgo: number) => signal(today - daysAgo * DAY_MS, { userId: 'kim' })
  const account = send(model, [onDay(41), onDay(40)])
  // Time passes: the account, and so the stored account, remembers only the last of the user's days.
  receive(account, signal(today, {}), today)
  const again = decodeAccount('acme', encodeAccount(account), [models])
  for (const [name, chunk] of account.users.chunks) again.users.chunks.set(name, chunk)
  receive(again, onDay(45), today)
  receive(again, signal(today + DAY_MS, { userId: 'kim' }), today + DAY_MS)
  expect(decodeAccount('acme', encodeAccount(again), [models]).activity.userDays.count(0)).toBe(1)
  expect(readOf(again)).toBe(0)
})

describe('a standing that changed at a deadline', () => {
  const text = `
id: edge
version: 1
name: Edge
score: { scale: 1, max: 10 }
features: { read: { latest: traits.a } }
groups:
  one: { weight: 1, max: 10, rules: { read: { line: { of: read, corners: [[0, 0], [10, 10]] } } } }
tiers: [{ name: all, from: 0 }]
triggers:
  high: { motion: plan-upgrade, when: 'read > 1', cooldown: 1h, expiry: 1h, reason: high }
`
  const definition = parseModel(text, 'edge.yaml')

  test('is decided again with the next signal, even if that changes no feature', () => {
    const triggers = definition.triggers.map(trigger => ({ ...trigger, cooldownMs: 0 }))
    const account = send(compileModel({ ...definition, triggers }), [
      signal(DAY_MS, { kind: 'traits', name: 'set', properties: { a: 5 } }),
    ])
    const statuses = (at: number): unknown[] =>
      receive(account, signal(at, {}), at).map(event => 'status' in event && event.status)
    expect(statuses(DAY_MS + 1)).toEqual([])
    expect(statuses(DAY_MS + DAY_MS / 12)).toEqual(['expired', 'qualified'])
    expect(statuses(DAY_MS + DAY_MS / 12 + 1)).toEqual([])
  })
})
