import { expect, test } from 'vitest'
import type { Account } from '../../src/scoring/account.ts'
import { compileModel } from '../../src/scoring/definition/compile-model.ts'
import type { ModelDefinition, TierDefinition } from '../../src/scoring/definition/model-definition.ts'
import { foldBatch } from '../../src/scoring/fold.ts'
import type { LogEntry } from '../../src/scoring/log-entry.ts'
import { createPartitionMemory } from '../../src/scoring/partition-memory.ts'
import { foldHistory } from '../support/fold-history.ts'
import { type HistoryRecord, slowEvaluate, withoutIds } from '../support/slow/slow-evaluator.ts'
import {
  at,
  DAY_MS,
  endsAt,
  facts,
  line,
  model,
  models,
  override,
  seatsModel,
  signal,
  tick,
  trigger,
} from '../support/small-histories.ts'

/** `cold:0 warm:5`: tiers and where they begin. */
function tiers(text: string): TierDefinition[] {
  return text.split(' ').map(each => {
    const [name, from] = each.split(':')
    return { name: name!, title: '', from: Number(from), action: '', queue: undefined }
  })
}

const version = (number: number, text: string, change: Partial<ModelDefinition> = {}) =>
  seatsModel({ version: number, tiers: tiers(text), ...change })
const other = model({ id: 'other' })
const dwell = { tierPolicy: { margin: 0, dwellMs: 3 * DAY_MS } }
const margin = { tierPolicy: { margin: 10, dwellMs: 0 } }
const forAcme = { scope: { include: { ids: ['nobody'], when: undefined }, exclude: undefined } }

/** The events of `acme` after the first day, from both evaluators. */
function eventsAfterFirstDay(history: readonly HistoryRecord[]): string[] {
  const { events } = slowEvaluate(history)
  // One batch for each record: between two of them only bytes are kept.
  for (const batches of [[history], history.map(record => [record])])
    expect(withoutIds(foldHistory(batches).events)).toEqual(withoutIds(events))
  return events.filter(event => event.at >= at(1)).map(line)
}

const before = version(1, 'cold:0 warm:5')

test.each<[what: string, history: HistoryRecord[], events: string[]]>([
  [
    'a renamed tier that the score does not reach any more: down to the lowest',
    [models(at(0), before), facts(at(0), { seats: 6 }), models(at(1), version(2, 'cold:0 hot:50'))],
    ['1 warm > cold 6 > 6, model'],
  ],
  [
    'a renamed tier that the score still reaches',
    [models(at(0), before), facts(at(0), { seats: 60 }), models(at(1), version(2, 'cold:0 hot:50'))],
    ['1 warm > hot 60 > 60, model'],
  ],
  [
    'the lowest tier renamed, and an account that never was in another',
    [models(at(0), before), facts(at(0), { seats: 1 }), models(at(1), version(2, 'cool:0 warm:5'))],
    ['1 cold > cool 1 > 1, model'],
  ],
  [
    'a tier that is gone is left in spite of margin and dwell',
    [
      models(at(0), version(1, 'cold:0 warm:5', dwell)),
      facts(at(0), { seats: 6 }),
      tick(at(3)),
      models(at(4), version(2, 'cold:0 hot:8', { tierPolicy: { margin: 10, dwellMs: 3 * DAY_MS } })),
    ],
    ['3 cold > warm 6 > 6, window', '4 warm > cold 6 > 6, model'],
  ],
  [
    'the dwell in the new tier begins at the switch',
    [
      models(at(0), before),
      facts(at(0), { seats: 6 }),
      models(at(1), version(2, 'cold:0 hot:5', dwell)),
      facts(at(2), { seats: 1 }),
      tick(at(9)),
    ],
    ['1 warm > hot 6 > 6, model', '4 hot > cold 1 > 1, window'],
  ],
  [
    'a tier whose name stays keeps its margin, though its place among the tiers changes',
    [
      models(at(0), version(1, 'cold:0 warm:5 hot:50')),
      facts(at(0), { seats: 6 }),
      models(at(1), version(2, 'cold:0 hot:5 warm:12', margin)),
    ],
    [],
  ],
  [
    'a version that goes back: each change names the tier before',
    [
      models(at(0), before),
      facts(at(0), { seats: 6 }),
      models(at(1), version(2, 'cool:0 hot:5')),
      models(at(2), before),
    ],
    ['1 warm > hot 6 > 6, model', '2 hot > warm 6 > 6, model'],
  ],
  [
    'the account is out of the scope of the new version',
    [models(at(0), before), facts(at(0), { seats: 6 }), models(at(1), version(2, 'cool:0 hot:5', forAcme))],
    ['1 warm > cool 6 > 0, model'],
  ],
  [
    'an override names a tier of the new version only',
    [
      models(at(0), before),
      facts(at(0), { seats: 6 }),
      override(at(0, 1), 'o', { tier: 'hot', ...endsAt(3) }),
      models(at(1), version(2, 'cold:0 hot:50')),
      tick(at(4)),
    ],
    ['1 warm > hot 6 > 6, model', '3 hot > cold 6 > 6, override o'],
  ],
  [
    'an override names a tier of the old version only',
    [
      models(at(0), before),
      facts(at(0), { seats: 1 }),
      override(at(0, 1), 'o', { tier: 'warm', ...endsAt(3) }),
      models(at(1), version(2, 'cold:0 hot:50')),
      tick(at(4)),
    ],
    ['1 warm > cold 1 > 1, model'],
  ],
  [
    'a model that is removed: its lowest tier, then its PQLs',
    [
      models(at(0), version(1, 'cold:0 warm:5', { triggers: [trigger()] }), other),
      facts(at(0), { seats: 12 }),
      models(at(1), other),
    ],
    ['1 warm > cold 12 > 0, model', '1 upgrade#1 disqualified, model'],
  ],
  [
    'a model that is removed: no event for an account in its lowest tier',
    [models(at(0), before), facts(at(0), { seats: 1 }), models(at(1))],
    [],
  ],
  [
    'a model that comes back with another lowest tier',
    [
      models(at(0), before),
      facts(at(0), { seats: 6 }),
      models(at(1)),
      models(at(2), version(2, 'cool:0 hot:50')),
    ],
    ['1 warm > cold 6 > 0, model', '2 cold > cool 0 > 6, model'],
  ],
  [
    'a model that comes back, and its old lowest tier is now a higher one',
    [
      models(at(0), before),
      facts(at(0), { seats: 6 }),
      models(at(1)),
      models(at(2), version(2, 'none:0 cold:5 warm:50')),
    ],
    ['1 warm > cold 6 > 0, model'],
  ],
  [
    'a model that comes back as it was',
    [models(at(0), before), facts(at(0), { seats: 6 }), models(at(1)), models(at(2), before)],
    ['1 warm > cold 6 > 0, model', '2 cold > warm 0 > 6, model'],
  ],
  [
    'a model that goes and comes back twice',
    [
      models(at(0), before),
      facts(at(0), { seats: 1 }),
      models(at(1)),
      models(at(2), version(2, 'cool:0 hot:50')),
      models(at(3)),
      models(at(4), version(3, 'chilly:0 hot:50')),
      models(at(5)),
      models(at(6), version(3, 'chilly:0 hot:50')),
    ],
    ['2 cold > cool 0 > 1, model', '4 cool > chilly 0 > 1, model'],
  ],
  [
    'an account that is created while the model is away starts silently',
    [models(at(0), before), models(at(0, 1)), signal(at(1)), models(at(2), version(2, 'cool:0 hot:50'))],
    [],
  ],
])('%s', (_, history, expected) => {
  expect(eventsAfterFirstDay(history)).toEqual(expected)
})

test('an account that was idle over several switches makes the same events, each at its own moment', () => {
  const versions = [before, version(2, 'cool:0 hot:5'), undefined, version(3, 'chilly:0 hot:5')]
  const { signal: seats } = facts(at(0), { seats: 6 })
  const entries = versions.map((definition, day): LogEntry => {
    const compiled = definition === undefined ? [] : [compileModel(definition, String(day))]
    return { type: 'models', offset: 2 * day, at: at(day), models: compiled }
  })
  entries.splice(1, 0, { type: 'signal', offset: 1, timestamp: at(0), signal: seats, history: false })
  const tickAll = { slice: 0, of: 1, scope: 'all', clock: 'wall' } as const
  // Between them no record is about the account.
  entries.push({ type: 'tick', offset: 9, timestamp: at(3), ...tickAll })
  const { events } = foldBatch(entries, createPartitionMemory(), new Map())
  expect(events.map(({ event }) => line(event)).slice(1)).toEqual([
    '1 warm > hot 6 > 6, model',
    '2 hot > cool 6 > 0, model',
    '3 cool > hot 0 > 6, model',
  ])
})

test('an account remembers the tiers of 64 removed models', () => {
  const ids = Array.from({ length: 70 }, (_, i) => `m${i + 100}`)
  const all = (change: Partial<ModelDefinition>) => ids.map(id => seatsModel({ id, ...change }))
  const cool = all({ version: 2, tiers: tiers('cool:0 hot:50') })
  const history = [models(at(0), ...all({})), signal(at(0)), models(at(1)), models(at(2), ...cool)]
  expect(foldHistory([history]).events.map(line)).toEqual(
    ids.slice(0, 64).map(() => '2 cold > cool 0 > 0, model'),
  )
})

test('a model that is removed in the moment of its start makes the same move twice, with two ids', () => {
  const { events } = foldHistory([
    [
      models(at(0), before),
      facts(at(0), { seats: 6 }),
      models(at(1), version(2, 'cold:0 warm:8')),
      facts(at(1), { seats: 9 }, { id: 'more' }),
      models(at(1)),
    ],
  ])
  expect(events.slice(1).map(line)).toEqual([
    '1 warm > cold 6 > 6, model',
    '1 cold > warm 6 > 9, signal more',
    '1 warm > cold 9 > 0, model',
  ])
  expect(new Set(events.map(({ id }) => id)).size).toBe(4)
})

test('a model that comes back to an account of version 0.1.0 does not count it as new', () => {
  const kpis = {
    csmKey: undefined,
    measures: [{ name: 'accounts', type: 'accounts' as const, span: 'month' as const }],
    kpis: [],
  }
  const compiled = compileModel(seatsModel({ kpis }), 'text')
  const memory = createPartitionMemory()
  const accounts = new Map<string, Account>()
  const counts = [[compiled], [], [compiled]].map((of, day) => {
    // That version knew the models that an account had left, but not the tiers.
    for (const { activity } of accounts.values()) activity.formerTiers = new Map()
    const { signal: one } = signal(at(day))
    return foldBatch(
      [
        { type: 'models', offset: 2 * day, at: at(day), models: of },
        { type: 'signal', offset: 2 * day + 1, timestamp: at(day), signal: one, history: false },
      ],
      memory,
      accounts,
    ).counts.map(({ delta }) => delta)
  })
  expect(counts).toEqual([[1], [], []])
})
