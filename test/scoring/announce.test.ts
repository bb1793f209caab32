import { describe, expect, test } from 'vitest'
import { eventsToAnnounce } from '../../src/scoring/announce.ts'
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

/** How `acme` stands under these models after a history. */
function accountAfter(definitions: readonly ModelDefinition[], history: readonly HistoryRecord[]) {
  return foldHistory([[models(at(0), ...definitions), ...history]]).accounts.get('acme')!
}

/** What is told where a line with the first models is followed by one with the others; lines of `small-histories.ts`, without the ids of PQLs. */
function told(
  before: readonly ModelDefinition[],
  after: readonly ModelDefinition[],
  history: readonly HistoryRecord[],
): string[] {
  const account = accountAfter(after, history)
  return eventsToAnnounce(accountAfter(before, history).standings, account).map(event =>
    line(event).replaceAll(/[0-9a-f]{32}/g, 'pql'),
  )
}

const withTrigger = (change = {}) => seatsModel({ triggers: [trigger()], ...change })
const gated = (open: number) =>
  withTrigger({
    gates: [{ name: 'big', title: 'Big', open: atLeast('seats', open), missing: 'closed' }],
    triggers: [trigger({ gates: ['big'] })],
  })
const held = gated(100)
const released = gated(5)

describe('handing over an account', () => {
  const history = [facts(at(1), { seats: 12 }), signal(at(2))]

  test.each<[what: string, before: ModelDefinition[], after: ModelDefinition[], told: string[]]>([
    ['the same model: nothing', [withTrigger()], [withTrigger()], []],
    [
      'a model that was not there: its tier as from the lowest, its open PQLs',
      [],
      [withTrigger()],
      ['2 cold > hot 0 > 12, model', '2 pql qualified, model'],
    ],
    ['a model that is not there any more: its PQLs end', [withTrigger()], [], ['2 pql disqualified, model']],
    [
      'a lower tier and no PQL: both are told, the PQL first',
      [withTrigger()],
      [model({ version: 2 })],
      ['2 pql disqualified, model', '2 hot > cold 12 > 1, model'],
    ],
    [
      'another version: its PQL is another one',
      [withTrigger()],
      [withTrigger({ version: 2 })],
      ['2 pql disqualified, model', '2 pql qualified, model'],
    ],
    ['the same PQL, held now', [released], [held], ['2 pql held, model']],
    ['the same PQL, no longer held', [held], [released], ['2 pql released, model']],
    ['a PQL that is new, and held', [], [held], ['2 cold > hot 0 > 12, model', '2 pql held, model']],
    ['a held PQL that is gone', [held], [seatsModel()], ['2 pql disqualified, model']],
  ])('%s', (_, before, after, expected) => {
    expect(told(before, after, history)).toEqual(expected)
  })

  test('an account that the other line did not know is told of as a new one', () => {
    const account = accountAfter([withTrigger()], history)
    expect(eventsToAnnounce([], account).map(({ type }) => type)).toEqual(['tier-change', 'pql'])
  })

  test('it is told at the clock of the account, and leaves it as it is', () => {
    const account = accountAfter([withTrigger()], history)
    const copy = structuredClone(account.standings.map(({ tier, triggers }) => ({ tier, triggers })))
    for (const event of eventsToAnnounce([], account)) expect(event.at).toBe(account.activity.clock)
    expect(account.standings.map(({ tier, triggers }) => ({ tier, triggers }))).toEqual(copy)
  })
})
