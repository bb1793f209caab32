import { describe, expect, test } from 'vitest'
import type { Account } from '../../../src/scoring/account.ts'
import { LIMITS, NOTHING_DROPPED } from '../../../src/scoring/activity/activity.ts'
import { compileModel } from '../../../src/scoring/definition/compile-model.ts'
import type { FeatureDefinition, Selection } from '../../../src/scoring/definition/feature-definition.ts'
import type { ModelDefinition } from '../../../src/scoring/definition/model-definition.ts'
import { foldBatch } from '../../../src/scoring/fold.ts'
import type { LogEntry } from '../../../src/scoring/log-entry.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import { foldHistory } from '../../support/fold-history.ts'
import type { HistoryRecord } from '../../support/slow/slow-evaluator.ts'
import { at, endsAt, facts, model, models, override, signal, USED } from '../../support/small-histories.ts'

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))
const pages = (count: number, change: Partial<Signal> = {}) =>
  times(count, index => signal(at(0), { name: `page.viewed./docs/${index}`, ...change }))
const reading = (kind: 'usage' | 'intent', names?: string[], except: string[] = []): Selection => ({
  kinds: [kind],
  names,
  except,
})
const window = { unit: 'day', length: 30 } as const
const counting = (name: string, select: Selection): FeatureDefinition => ({
  name,
  type: 'count',
  select,
  window,
})

function folded(definitions: readonly ModelDefinition[], ...history: HistoryRecord[]): Account {
  return foldHistory([[models(at(0), ...definitions), ...history]]).accounts.get('acme')!
}

function valuesOf({ standings: [standing] }: Account) {
  return Object.fromEntries(
    standing!.model.definition.features.map(({ name }, i) => [name, standing!.values[i]] as const),
  )
}

const keysOf = ({ activity }: Account) => activity.series.list.map(({ key }) => key)

describe('many names', () => {
  test('leave room for a name that a model reads', () => {
    const intent = { kind: 'intent', name: 'pricing.viewed' } as const
    const features = [counting('asked', reading('intent', ['pricing.viewed']))]
    const account = folded([model({ features, groups: [] })], ...pages(256), signal(at(1), intent))
    expect(valuesOf(account)).toEqual({ asked: 1 })
    expect(account.activity.dropped).toEqual(NOTHING_DROPPED)
  })

  test('count in full, whichever selection reads them', () => {
    const features = [
      USED,
      counting('pages', reading('usage', ['page.*'])),
      counting('docs', reading('usage', ['page.viewed./docs/*'])),
      counting('others', reading('usage', undefined, ['page.viewed.*'])),
      counting('intents', reading('intent')),
      { name: 'names', type: 'distinctNames', select: reading('usage'), window } as const,
      { name: 'since', type: 'daysSinceSignal', select: reading('usage', ['page.*']), max: 90 } as const,
    ]
    const account = folded(
      [model({ features })],
      ...pages(600),
      ...times(5, index => signal(at(0), { name: `file.opened.${index}` })),
      signal(at(2), { name: 'page.left' }),
    )
    expect(valuesOf(account)).toEqual({
      used: 606,
      pages: 601,
      docs: 600,
      others: 6,
      intents: 0,
      names: 256 + 3,
      since: 0,
    })
    expect(keysOf(account).filter(key => key.endsWith('*'))).toEqual([
      'usage:*',
      'usage:page.*',
      'usage:page.viewed./docs/*',
    ])
    expect(account.activity.dropped.names).toBe(600 + 5 + 1 - 256)
  })

  test('count under a pattern of their own kind', () => {
    const features = [counting('asked', reading('intent', ['page.*']))]
    const account = folded([model({ features, groups: [] })], ...pages(300))
    expect(keysOf(account)).toContain('usage:*')
    expect(keysOf(account)).not.toContain('usage:page.*')
  })

  test('keep apart a name that a selection leaves out, and names under a pattern that it leaves out', () => {
    const features = [counting('pages', reading('usage', ['page.*'], ['page.home', 'page.admin.*']))]
    const left = ['page.home', 'page.admin.a', 'page.admin.b', 'page.a'].map(name => signal(at(1), { name }))
    const account = folded([model({ features, groups: [] })], ...pages(300), ...left)
    expect(valuesOf(account)).toEqual({ pages: 301 })
  })

  test('count with a name that is written like a pattern', () => {
    const features = [counting('pages', reading('usage', ['page.*'])), USED]
    const starred = signal(at(0), { name: 'page.*' })
    const account = folded([model({ features, groups: [] })], starred, ...pages(299))
    expect(valuesOf(account)).toEqual({ pages: 300, used: 300 })
    expect(keysOf(account)).toHaveLength(256)
  })

  test('stay where they were counted when a later model reads one of them', () => {
    const later = model({
      version: 2,
      features: [counting('one', reading('usage', ['page.viewed./docs/299'])), USED],
      groups: [],
    })
    const again = signal(at(2), { name: 'page.viewed./docs/299' })
    const account = folded([model()], ...pages(300), models(at(1), later), again)
    expect(valuesOf(account)).toEqual({ one: 1, used: 301 })
  })

  test('count for rates', () => {
    const rates = [{ name: 'r', title: '', select: reading('usage', ['exported.*', 'opened']), segments: [] }]
    const sent = ['exported.csv', 'opened'].map(name => signal(at(0), { name }))
    const account = folded([model({ features: [], groups: [], rates })], ...pages(256), ...sent)
    expect(keysOf(account)).toContain('usage:opened')
    expect(keysOf(account)).toContain('usage:exported.*')
  })
})

describe('many keys', () => {
  const many = (count: number, from = 0) =>
    facts(at(0), Object.fromEntries(times(count, index => [`key-${from + index}`, index])))
  const renewal = facts(at(0), { renewalDate: '2024-02-01' }, { kind: 'contract' })
  const untilRenewal: FeatureDefinition = {
    name: 'daysToRenewal',
    type: 'daysUntil',
    key: 'contract.renewalDate',
    everyYear: false,
    min: 0,
    max: 90,
  }

  test('leave room for a key that a model reads', () => {
    const account = folded(
      [model({ features: [untilRenewal], groups: [] })],
      many(150),
      many(150, 150),
      renewal,
    )
    expect(valuesOf(account)).toEqual({ daysToRenewal: 31 })
    expect(account.activity.latest.size).toBe(LIMITS.keys + 1)
    expect(account.activity.dropped.keys).toBe(300 - LIMITS.keys)
  })

  test.each<{ part: string; change: Partial<ModelDefinition>; key: string }>([
    { part: 'a facet', change: { facets: [{ name: 'plan', key: 'traits.plan' }] }, key: 'traits.plan' },
    {
      part: 'a segment',
      change: {
        rates: [
          {
            name: 'r',
            title: '',
            select: reading('usage'),
            segments: [{ name: 's', key: 'traits.plan', values: ['pro'] }],
          },
        ],
      },
      key: 'traits.plan',
    },
    {
      part: 'the CSM of the key figures',
      change: { kpis: { csmKey: 'traits.csm', measures: [], kpis: [] } },
      key: 'traits.csm',
    },
    {
      part: 'a divisor',
      change: {
        features: [
          {
            name: 'full',
            type: 'daysSustained',
            key: 'traits.used',
            per: 'traits.seats',
            level: { edge: 'from', limit: 1 },
            max: 5,
          },
        ],
      },
      key: 'traits.seats',
    },
  ])('leave room for the key of $part', ({ change, key }) => {
    const property = key.slice('traits.'.length)
    const sent = [many(256), facts(at(0), { [property]: 'x', other: 'x' })]
    const { latest } = folded([model({ features: [], groups: [], ...change })], ...sent).activity
    expect([latest.has(key), latest.has('traits.other')]).toEqual([true, false])
  })

  test('that match a pattern are kept up to 512 keys in all', () => {
    const known: FeatureDefinition = {
      name: 'owned',
      type: 'knownKeys',
      pattern: 'traits.owns.*',
      maxAgeDays: undefined,
    }
    const owned = (count: number, from = 0) =>
      facts(at(0), Object.fromEntries(times(count, index => [`owns.${from + index}`, true])))
    const account = folded(
      [model({ features: [known], groups: [] })],
      many(256),
      owned(150),
      owned(150, 150),
      facts(at(0), { other: 1 }),
    )
    expect(valuesOf(account)).toEqual({ owned: LIMITS.matchedKeys - LIMITS.keys })
    expect(account.activity.dropped.keys).toBe(300 - (LIMITS.matchedKeys - LIMITS.keys) + 1)
  })
})

test('many overrides leave room for one of an active model, and for one of all models', () => {
  const named = (name: string) => override(at(0), `o ${name}`, { score: 50, ...endsAt(9) }, { name })
  const full = times(33, index => named(`model-${index}`))
  const account = folded([model()], ...full, named('growth'), named('*'))
  expect(account.standings[0]!.score).toBe(50)
  expect(account.activity.overrides.has('*')).toBe(true)
  expect(account.activity.overrides.has('model-32')).toBe(false)
  expect(account.activity.dropped).toEqual({ ...NOTHING_DROPPED, overrides: 1 })
})

test('a model that comes back after many others never repeats an event id', () => {
  const seats = model({ features: [USED], groups: model().groups })
  const history: HistoryRecord[] = [models(at(0), seats), signal(at(0))]
  for (let version = 2; version < 70; version++) history.push(models(at(0), model({ version })))
  const moves = () => [signal(at(0)), signal(at(0)), signal(at(0)), signal(at(0))]
  // The same two versions again and again at the same moment: only the generation differs.
  for (let round = 0; round < 3; round++) {
    for (const version of [80, 81]) {
      const id = version === 80 ? 'other' : 'growth'
      history.push(models(at(0), model({ id, version: 80 })), ...moves())
    }
  }
  const { events, accounts } = foldHistory([history])
  const ids = events.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  const { dropped, endedModels } = accounts.get('acme')!.activity
  expect(dropped['ended-models']).toBeGreaterThan(0)
  expect([...endedModels.keys()].filter(key => key.endsWith('@*')).sort()).toEqual(['growth@*', 'other@*'])
})

test('a batch reports the ends of model versions that an account counts together', () => {
  const set = (offset: number): LogEntry => ({
    type: 'models',
    offset,
    at: at(0),
    models: [compileModel(model({ version: offset + 1 }), String(offset))],
  })
  const applied = (offset: number): LogEntry => ({
    type: 'signal',
    offset,
    timestamp: at(0),
    history: false,
    signal: signal(at(0)).signal,
  })
  const memory = createPartitionMemory()
  const accounts = new Map<string, Account>()
  foldBatch([set(0), applied(1)], memory, accounts)
  const { limits } = foldBatch([...times(70, i => set(2 + i)), applied(72)], memory, accounts)
  expect(limits).toEqual([{ name: 'ended-models', count: 70 - LIMITS.endedModels, accountId: 'acme' }])
})

test('counts the removed models whose last tier is not remembered, and a place is free when one comes back', () => {
  const set = (...ids: string[]) => models(at(0), ...ids.map(id => model({ id })))
  const others = times(LIMITS.formerTiers, index => `other-${index}`)
  const full = [set('growth', ...others, 'one', 'two'), signal(at(0)), set('growth')]
  const counted = (...history: HistoryRecord[]) => {
    const { accounts } = foldHistory([[...full, ...history, signal(at(0))]])
    const { dropped, formerTiers } = accounts.get('acme')!.activity
    return { dropped: dropped['former-tiers'], remembered: formerTiers.size }
  }
  expect(counted()).toEqual({ dropped: 2, remembered: LIMITS.formerTiers })
  // The first one is forgotten, and takes its place again.
  const comesAndGoes = [set('growth', 'other-0'), signal(at(0)), set('growth')]
  expect(counted(...comesAndGoes)).toEqual({ dropped: 2, remembered: LIMITS.formerTiers })
})

test('counts a signal whose quantity does not fit into the sum of its day', () => {
  const large = { quantityThousandths: 1e15 }
  const sum: FeatureDefinition = { name: 'sum', type: 'sum', select: reading('usage'), window }
  const account = folded([model({ features: [sum], groups: [] })], ...times(11, () => signal(at(0), large)))
  expect(valuesOf(account)).toEqual({ sum: Number.MAX_SAFE_INTEGER / 1000 })
  expect(account.activity.dropped).toEqual({ ...NOTHING_DROPPED, sums: 2 })
})

test('an account that reached no limit spends no byte on them', () => {
  const bytesOf = (...history: HistoryRecord[]) =>
    foldHistory([[models(at(0), model()), ...history]]).bytes.get('acme')!.length
  const once = signal(at(0), { id: 'a' })
  const old = signal(at(0), { id: 'b', occurredAt: at(-500) })
  expect(bytesOf(once, old) - bytesOf(once)).toBe(2)
})
