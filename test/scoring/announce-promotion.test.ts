import { describe, expect, test } from 'vitest'
import type { Account } from '../../src/scoring/account.ts'
import { eventsToAnnounce } from '../../src/scoring/announce-promotion.ts'
import type { ModelDefinition } from '../../src/scoring/definition/model-definition.ts'
import { foldHistory } from '../support/fold-history.ts'
import type { HistoryRecord } from '../support/slow/slow-evaluator.ts'
import {
  at,
  atLeast,
  facts,
  line,
  model,
  models,
  seatsModel,
  signal,
  trigger,
} from '../support/small-histories.ts'

/** The account `acme` under these models after a history. */
function accountAfter(definitions: readonly ModelDefinition[], history: readonly HistoryRecord[]) {
  return foldHistory([[models(at(0), ...definitions), ...history]]).accounts.get('acme')!
}

/**
 * The announced events when a lineage with the models `after` replaces one with `before`, as lines of
 * `small-histories.ts`, without the ids of PQLs.
 */
function announced(
  before: readonly ModelDefinition[],
  after: readonly ModelDefinition[],
  history: readonly HistoryRecord[],
): string[] {
  const account = accountAfter(after, history)
  return eventsToAnnounce(known(accountAfter(before, history)), account, 'next').map(event =>
    line(event).replaceAll(/[0-9a-f]{32}/g, 'pql'),
  )
}

function known({ standings, activity: { formerTiers } }: Account) {
  return { standings, formerTiers }
}

const withTrigger = (change = {}) => seatsModel({ triggers: [trigger()], ...change })
const gated = (open: number) =>
  withTrigger({
    gates: [{ name: 'big', title: 'Big', open: atLeast('seats', open), missing: 'closed' }],
    triggers: [trigger({ gates: ['big'] })],
  })
const held = gated(100)
const released = gated(5)

describe('an account is announced when another lineage begins to serve', () => {
  const history = [facts(at(1), { seats: 12 }), signal(at(2))]

  test.each<[what: string, before: ModelDefinition[], after: ModelDefinition[], announced: string[]]>([
    ['the same model: no event', [withTrigger()], [withTrigger()], []],
    [
      'a new model: its tier, as if from the lowest, and its open PQLs',
      [],
      [withTrigger()],
      ['2 cold > hot 0 > 12, model', '2 pql qualified, model'],
    ],
    [
      'a model that is gone: its lowest tier, and its PQLs are disqualified',
      [withTrigger()],
      [],
      ['2 hot > cold 12 > 0, model', '2 pql disqualified, model'],
    ],
    [
      'a lower tier and no PQL: both are announced, the PQL first',
      [withTrigger()],
      [model({ version: 2 })],
      ['2 pql disqualified, model', '2 hot > cold 12 > 1, model'],
    ],
    [
      'another version: the old PQL is disqualified, the new one qualified',
      [withTrigger()],
      [withTrigger({ version: 2 })],
      ['2 pql disqualified, model', '2 pql qualified, model'],
    ],
    ['the same PQL, now held: held', [released], [held], ['2 pql held, model']],
    ['the same PQL, no longer held: released', [held], [released], ['2 pql released, model']],
    [
      'a new PQL that is held: the tier, and held',
      [],
      [held],
      ['2 cold > hot 0 > 12, model', '2 pql held, model'],
    ],
    ['a held PQL that is gone: disqualified', [held], [seatsModel()], ['2 pql disqualified, model']],
  ])('%s', (_, before, after, expected) => {
    expect(announced(before, after, history)).toEqual(expected)
  })

  test('an account that the earlier lineage did not know is announced as a new one', () => {
    const account = accountAfter([withTrigger()], history)
    expect(eventsToAnnounce(undefined, account, 'next').map(({ type }) => type)).toEqual([
      'tier-change',
      'pql',
    ])
  })

  test('a model that was removed before is announced from the tier that subscribers know', () => {
    const account = accountAfter([withTrigger()], history)
    const before = { standings: [], formerTiers: new Map([['growth', 'frozen']]) }
    expect(eventsToAnnounce(before, account, 'next').map(line)[0]).toBe('2 frozen > hot 0 > 12, model')
    const cold = accountAfter([seatsModel()], [signal(at(1))])
    expect(eventsToAnnounce(before, cold, 'next').map(line)).toEqual(['1 frozen > cold 0 > 0, model'])
    expect(
      eventsToAnnounce({ standings: [], formerTiers: new Map([['growth', 'cold']]) }, cold, 'next'),
    ).toEqual([])
  })

  test("the events have the time of the account's clock, and the account does not change", () => {
    const account = accountAfter([withTrigger()], history)
    const copy = structuredClone(account.standings.map(({ tier, triggers }) => ({ tier, triggers })))
    for (const event of eventsToAnnounce(undefined, account, 'next'))
      expect(event.at).toBe(account.activity.clock)
    expect(account.standings.map(({ tier, triggers }) => ({ tier, triggers }))).toEqual(copy)
  })

  test('a lineage goes back to the decisions of an earlier one with events of other ids', () => {
    // In history, the clock stays at the account's newest signal, whatever happens.
    const loaded = { ...facts(at(1), { seats: 12 }), loaded: true as const }
    const strict = model({ version: 2 })
    const first = foldHistory([[loaded, models(at(9), withTrigger())]])
    const [served, second] = [accountAfter([withTrigger()], [loaded]), accountAfter([strict], [loaded])]
    const events = [
      ...first.events,
      ...eventsToAnnounce(known(first.accounts.get('acme')!), second, 'second'),
      ...eventsToAnnounce(known(second), served, 'third'),
      ...eventsToAnnounce(known(served), second, 'fourth'),
      ...eventsToAnnounce(known(second), served, 'fifth'),
    ]
    expect(events.flatMap(event => (event.type === 'tier-change' ? [event.to] : []))).toEqual([
      'hot',
      'cold',
      'hot',
      'cold',
      'hot',
    ])
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  })
})
