import { expect, test, vi } from 'vitest'
import type { Account } from '../../../src/scoring/account.ts'
import { compileModel } from '../../../src/scoring/definition/compile-model.ts'
import type { ModelDefinition } from '../../../src/scoring/definition/model-definition.ts'
import type { MeasureDefinition } from '../../../src/scoring/definition/population-definition.ts'
import { foldBatch } from '../../../src/scoring/fold.ts'
import type { LogEntry } from '../../../src/scoring/log-entry.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import type { CounterChange } from '../../../src/scoring/population/counters.ts'
import {
  keptCsm,
  keptMotion,
  kpiField,
  measureBook,
  parseKpiField,
} from '../../../src/scoring/population/kpi-counts.ts'
import { createKpiTally, kpiBooks } from '../../../src/scoring/population/read-kpis.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import { DAY_MS } from '../../../src/signals/time.ts'

const NOW = Date.UTC(2026, 0, 31, 12)

type OutcomeMeasure = Extract<MeasureDefinition, { type: 'count' | 'sum' }>
const measure = (parts: Partial<OutcomeMeasure> & Pick<OutcomeMeasure, 'name' | 'type'>): OutcomeMeasure => ({
  names: ['deal.won'],
  property: undefined,
  where: [],
  span: 'month',
  ...parts,
})
const WON = measure({ name: 'won', type: 'count' })
const WON_BEFORE = measure({ name: 'wonBefore', type: 'count', span: 'before' })
const AMOUNT = measure({ name: 'amount', type: 'sum', property: 'amount' })
const PQLS: MeasureDefinition = { name: 'pqls', type: 'pqls', span: 'month' }
const ACCOUNTS: MeasureDefinition = { name: 'accounts', type: 'accounts', span: 'month' }

/** Each invitation is a point, up to 10. From 2 points on, the tier is hot and there is a PQL. */
const MODEL: ModelDefinition = {
  id: 'growth',
  version: 1,
  name: 'Growth',
  score: { scale: 1, min: 0, max: 10, decimals: 0 },
  features: [
    {
      name: 'invites',
      type: 'count',
      select: { kinds: ['usage'], names: undefined, except: [] },
      window: { unit: 'day', length: 30 },
    },
  ],
  groups: [
    {
      name: 'all',
      title: 'All',
      weight: 1,
      max: 10,
      rules: [
        {
          name: 'invites',
          title: 'Invites',
          max: 10,
          missing: { type: 'points', points: 0 },
          type: 'line',
          line: {
            of: 'invites',
            corners: [
              [0, 0],
              [10, 10],
            ],
          },
        },
      ],
    },
  ],
  tiers: [
    { name: 'cold', title: 'Cold', from: 0, action: '', queue: undefined },
    { name: 'hot', title: 'Hot', from: 2, action: '', queue: undefined },
  ],
  tierPolicy: { margin: 0, dwellMs: 0 },
  gates: [],
  triggers: [
    {
      name: 'inviting',
      motion: 'seat-expansion',
      when: {
        text: 'invites >= 2',
        expression: {
          type: 'compare',
          operator: '>=',
          left: { type: 'feature', name: 'invites' },
          right: { type: 'literal', value: 2 },
        },
      },
      gates: [],
      cooldownMs: DAY_MS,
      expiryMs: 400 * DAY_MS,
      reason: '',
      play: [],
      decisionTimeline: '',
      offer: undefined,
      confidence: undefined,
      estimatedValue: undefined,
    },
  ],
  alerts: [],
  scope: { include: undefined, exclude: undefined },
  facets: [],
  rates: [],
  kpis: { csmKey: 'traits.csm', measures: [WON, WON_BEFORE, AMOUNT, PQLS, ACCOUNTS], kpis: [] },
}

class Log {
  readonly #memory = createPartitionMemory()
  readonly #accounts = new Map<string, Account>()
  #offset = 0

  models(...definitions: ModelDefinition[]): CounterChange[] {
    const models = definitions.map(each => compileModel(each, JSON.stringify(each)))
    const changes = this.#fold({ type: 'models', at: NOW - 400 * DAY_MS, models } as never)
    const tick = { type: 'tick', timestamp: 0, slice: 0, of: 1, scope: 'all', clock: 'wall' }
    return [...changes, ...this.#fold(tick as never)]
  }

  signal(id: string, parts: Partial<Signal>, timestamp = NOW): CounterChange[] {
    const signal: Signal = {
      id,
      kind: 'outcome',
      name: 'deal.won',
      accountId: 'acme',
      userId: undefined,
      quantityThousandths: 1000,
      properties: {},
      occurredAt: timestamp,
      ...parts,
    }
    return this.#fold({ type: 'signal', timestamp, signal, history: false } as never)
  }

  #fold(entry: LogEntry): CounterChange[] {
    const { counts } = foldBatch(
      [{ ...entry, offset: this.#offset++ } as LogEntry],
      this.#memory,
      this.#accounts,
    )
    return [...counts]
  }
}

/** The counts of a measure, as [month, motion, tier, csm, delta]. */
function countsOf(changes: readonly CounterChange[], of: MeasureDefinition): unknown[] {
  const book = measureBook('growth', of as Exclude<MeasureDefinition, { type: 'fixed' }>)
  return changes
    .filter(change => change.book === book)
    .map(({ field, delta }) => {
      const { month, motion, tier, csm } = parseKpiField(field)
      return [month, motion, tier, csm, delta]
    })
}

test('an outcome counts in its month, under motion, tier and CSM', () => {
  const log = new Log()
  log.models(MODEL)
  log.signal('csm', { kind: 'traits', properties: { csm: 'kim' } })
  for (const i of [1, 2]) log.signal(`invite-${i}`, { kind: 'usage', name: 'seat.invited' })
  const late = log.signal('won', {
    properties: { amount: 12.3456, motion: 'cross-sell' },
    occurredAt: NOW - 40 * DAY_MS,
  })
  expect(countsOf(late, WON)).toEqual([['2025-12', 'cross-sell', 'hot', 'kim', 1]])
  expect(countsOf(late, AMOUNT)).toEqual([['2025-12', 'cross-sell', 'hot', 'kim', 12346]])
})

test('measures that add up the same are counted once, whatever their months', () => {
  const log = new Log()
  log.models(MODEL)
  expect(countsOf(log.signal('won', {}), WON_BEFORE)).toEqual([['2026-01', null, 'cold', null, 1]])
})

test('duplicates, too old signals and signals of other kinds do not count', () => {
  const log = new Log()
  log.models(MODEL)
  log.signal('won', {})
  expect(log.signal('won', {})).toEqual([])
  expect(log.signal('old', { occurredAt: NOW - 400 * DAY_MS })).toEqual([])
  expect(countsOf(log.signal('used', { kind: 'usage' }), WON)).toEqual([])
})

test('an amount that is no number is 0, a refund is subtracted, and a huge amount is cut', () => {
  const log = new Log()
  log.models(MODEL)
  expect(countsOf(log.signal('a', { properties: { amount: '5' } }), AMOUNT)).toEqual([])
  expect(countsOf(log.signal('b', { properties: { amount: -5 } }), AMOUNT)[0]).toContain(-5000)
  expect(countsOf(log.signal('c', { properties: { amount: 1e300 } }), AMOUNT)[0]).toContain(1e15)
})

test('an outcome counts under the tier before its signal, after all earlier boundaries', () => {
  const log = new Log()
  log.models(MODEL)
  for (const i of [1, 2]) log.signal(`invite-${i}`, { kind: 'usage', name: 'seat.invited' })
  const won = log.signal('won', {}, NOW + 31 * DAY_MS)
  expect(countsOf(won, WON)).toEqual([['2026-03', null, 'cold', null, 1]])
})

test('a PQL counts when it begins, under its motion', () => {
  const log = new Log()
  log.models(MODEL)
  expect(countsOf(log.signal('i1', { kind: 'usage' }), PQLS)).toEqual([])
  expect(countsOf(log.signal('i2', { kind: 'usage' }), PQLS)).toEqual([
    ['2026-01', 'seat-expansion', 'hot', null, 1],
  ])
  expect(countsOf(log.signal('i3', { kind: 'usage' }), PQLS)).toEqual([])
})

test('an account counts when it is created, or first comes under the model', () => {
  const other = { ...MODEL, id: 'other', kpis: undefined }
  const log = new Log()
  log.models(other)
  expect(log.signal('i1', { kind: 'usage' })).toEqual([])
  expect(countsOf(log.models(other, MODEL), ACCOUNTS)).toEqual([['2026-01', null, '', null, 1]])
  expect(countsOf(log.models(other, { ...MODEL, version: 2 }), ACCOUNTS)).toEqual([])
  const newcomer = log.signal('i2', { kind: 'usage', accountId: 'beta' }, NOW + DAY_MS)
  expect(countsOf(newcomer, ACCOUNTS)).toEqual([['2026-02', null, '', null, 1]])
})

test('an account out of scope counts only as an account', () => {
  const log = new Log()
  log.models({ ...MODEL, scope: { include: undefined, exclude: { ids: ['acme'], when: undefined } } })
  const won = log.signal('won', {})
  expect(countsOf(won, WON)).toEqual([])
  expect(countsOf(won, ACCOUNTS)).toHaveLength(1)
})

test.each([
  ['kim', 'kim'],
  ['', ''],
  ['x'.repeat(101), 'x'.repeat(100)],
  [`${'x'.repeat(98)}😀😀`, `${'x'.repeat(98)}😀`],
  [`${'x'.repeat(99)}😀`, 'x'.repeat(99)],
  [7, null],
  [undefined, null],
])('a CSM is a text of at most 100 units, cut between characters: %j', (value, kept) => {
  expect(keptCsm(value)).toBe(kept)
})

test('a text that is no motion of a trigger counts under none', () => {
  expect(['cross-sell', 'Cross-sell', 'renewal', '', 3, undefined].map(keptMotion)).toEqual([
    'cross-sell',
    ...Array(5).fill(null),
  ])
})

test('a counter is parsed once at most, however many groups and measures there are', () => {
  const months = ['2026-01', '2026-02', '2026-03']
  const section = MODEL.kpis!
  const tally = createKpiTally('growth', section, { month: '2026-02', filter: {}, by: 'csm' })
  const parse = vi.spyOn(JSON, 'parse')
  const fields = months.flatMap(month =>
    Array.from({ length: 200 }, (_, i) => kpiField({ month, motion: null, tier: 'hot', csm: `csm-${i}` })),
  )
  const books = kpiBooks('growth', section)
  for (const book of books) for (const field of fields) tally.add(book, field, 1000)
  const { groups, total } = tally.measures(500)
  const parsed = parse.mock.calls.length
  parse.mockRestore()
  expect(groups).toHaveLength(200)
  expect(Object.fromEntries(total)).toEqual({
    won: 200_000,
    wonBefore: 200_000,
    amount: 200,
    pqls: 200_000,
    accounts: 200_000,
  })
  // Two measures share a book with two months; the other books have one.
  expect(parsed).toBe((books.length + 1) * 200)
})

test('the largest groups stay if there are more than asked for, in the order of their names', () => {
  const tally = createKpiTally('growth', MODEL.kpis!, { month: '2026-01', filter: {}, by: 'csm' })
  const counts = [
    ['ada', 2],
    ['ben', -9],
    ['cid', 1],
    ['dee', 5],
    [null, 3],
  ] as const
  for (const [csm, count] of counts)
    tally.add(
      measureBook('growth', WON),
      kpiField({ month: '2026-01', motion: null, tier: 'hot', csm }),
      count,
    )
  const { groups, groupsLeftOut } = tally.measures(3)
  expect(groups.map(({ value }) => value)).toEqual(['ben', 'dee', null])
  expect(groupsLeftOut).toBe(2)
})
