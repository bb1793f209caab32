import { describe, expect, test } from 'vitest'
import { RunComparison } from '../../src/analysis/compare-runs.ts'
import { choosePeriods } from '../../src/analysis/periods.ts'
import { isDifferent, type ModelRunDiff, type RunDiff, type RunSide } from '../../src/analysis/run-diff.ts'
import type { Motion } from '../../src/scoring/definition/model-definition.ts'
import type { PqlStatus } from '../../src/scoring/events.ts'
import { table } from '../support/table.ts'

// The tests read tables of events: tier changes (`what` is `low high`) and PQL events (`what` is `grows
// qualified`). The model is `seats` if the table names none. Times are whole days after 2026-01-01.
const DAY_MS = 86_400_000
const START = Date.parse('2026-01-01T00:00:00Z')
const day = (days: number): number => START + days * DAY_MS
const dayOf = (at: number | null): number | null => (at === null ? null : (at - START) / DAY_MS)
const SCORES: Readonly<Record<string, number>> = { low: 10, mid: 40, high: 80, cold: 5, hot: 90 }

interface Asked {
  readonly from?: number
  readonly to?: number
  /** The tiers of each model of the replay. Undefined: the replay takes its models from the log. */
  readonly replayModels?: Readonly<Record<string, readonly string[]>>
}

function diffOf(text: string, { from, to, replayModels }: Asked = {}): RunDiff {
  const window = { from: from === undefined ? null : day(from), to: to === undefined ? null : day(to) }
  const comparison = new RunComparison(window)
  for (const row of table(text)) {
    const [side, accountId] = [row['run'] as RunSide, String(row['account'])]
    const [first, second] = String(row['what']).split(' ') as [string, string]
    const modelId = String(row['model'] ?? 'seats')
    const modelVersion = Number(row['version'] ?? (side === 'live' ? 1 : 2))
    const known = { accountId, modelId, modelVersion, at: day(Number(row['day'])) }
    if (first in SCORES) {
      const scores = { previousScore: SCORES[first]!, score: SCORES[second]! }
      comparison.addTierChange(side, { ...known, from: first, to: second, ...scores })
    } else {
      const motion: Motion = first === 'asks' ? 'cross-sell' : 'seat-expansion'
      comparison.addPqlEvent(side, { ...known, trigger: first, motion, status: second as PqlStatus })
    }
  }
  const tiers = replayModels === undefined ? null : new Map(Object.entries(replayModels))
  return comparison.finish(window.to ?? day(100), { tiers })
}

function modelOf(text: string, asked: Asked = {}): ModelRunDiff {
  return diffOf(text, asked).models[0]!
}

const moved = ({ tiers }: ModelRunDiff): string[] =>
  tiers.movedAccounts.map(
    ({ accountId, tier, since }) =>
      `${accountId} ${tier.live}@${dayOf(since.live)} ${tier.replay}@${dayOf(since.replay)}`,
  )

describe('tiers', () => {
  test('lists accounts in different tiers at the end, the latest change first', () => {
    const model = modelOf(
      `run    | account | day | what
       live   | a       |   2 | low high
       live   | b       |   2 | low high
       live   | b       |   4 | high low
       live   | c       |   3 | low mid
       replay | a       |   5 | low high
       replay | b       |   2 | low high
       replay | d       |   9 | low mid`,
    )
    expect(model.tiers.names).toEqual(['low', 'mid', 'high'])
    expect([model.tiers.accounts, model.tiers.moved, model.tiers.apart]).toEqual([4, 3, 4])
    expect(moved(model)).toEqual(['d low@null mid@9', 'b low@4 high@2', 'c mid@3 low@null'])
    expect(model.tiers.cells).toEqual([
      { live: 'high', replay: 'high', accounts: 1 },
      { live: 'low', replay: 'high', accounts: 1 },
      { live: 'mid', replay: 'low', accounts: 1 },
      { live: 'low', replay: 'mid', accounts: 1 },
    ])
    expect(model.versions).toEqual({ live: [1], replay: [2] })
  })

  test('a change before the window decides the first tier; a change at its end does not count', () => {
    const text = `run    | account | day | what
                  live   | a       |   1 | low mid
                  live   | a       |   2 | mid high
                  live   | b       |  10 | low high
                  replay | a       |   5 | low high
                  replay | c       |   9 | low high`
    const model = modelOf(text, { from: 3, to: 10 })
    expect(moved(model)).toEqual(['c low@null high@9'])
    expect([model.tiers.accounts, model.tiers.apart]).toEqual([2, 2])
    expect(model.periods.rows.map(({ apart }) => apart)).toEqual([1, 1, 0, 0, 0, 0, 1])
    expect(moved(modelOf(text, { from: 3, to: 11 }))).toEqual(['b high@10 low@null', 'c low@null high@9'])
  })

  test('before its first change an account is in the tier that the change left', () => {
    const text = `run    | account | day | what
                  live   | a       |  20 | high mid
                  live   | b       |   1 | low high
                  replay | a       |   5 | low mid`
    expect(moved(modelOf(text, { from: 3, to: 10 }))).toEqual(['a high@null mid@5', 'b high@null low@null'])
  })

  test('the last of several changes at one moment counts', () => {
    const model = modelOf(
      `run    | account | day | what
       live   | a       |   2 | low high
       live   | a       |   2 | high mid
       replay | a       |   2 | low mid`,
    )
    expect([model.tiers.moved, model.tiers.apart]).toEqual([0, 0])
  })

  test('an account that only one run moved is in the lowest tier of the other', () => {
    const text = `run    | account | day | what
                  live   | a       |   2 | low high
                  replay | b       |   2 | cold hot`
    expect(moved(modelOf(text))).toEqual(['a high@2 cold@null', 'b low@null hot@2'])
    const onlyLive = `run  | account | day | what
                      live | a       |   2 | low high`
    const named = modelOf(onlyLive, { replayModels: { seats: ['cold', 'hot'] } })
    expect(moved(named)).toEqual(['a high@2 cold@null'])
    expect(named.tiers.names).toEqual(['cold', 'low', 'high'])
  })
})

const lifeText = ({ start, end, held }: { start: number; end: number | null; held: boolean }): string =>
  `${dayOf(start)}-${dayOf(end) ?? ''}${held ? ' held' : ''}`

function pqlsOf(text: string, asked: Asked = {}) {
  const { lists, continued } = modelOf(text, asked).pqls
  return {
    both: lists.both.map(
      ({ accountId, life, shiftMs }) =>
        `${accountId} ${lifeText(life.live)} ${lifeText(life.replay)} ${shiftMs / DAY_MS}`,
    ),
    onlyLive: lists.onlyLive.map(pql => `${pql.accountId} ${lifeText(pql)}`),
    onlyReplay: lists.onlyReplay.map(pql => `${pql.accountId} ${lifeText(pql)}`),
    continued,
  }
}

describe('PQLs', () => {
  test('are the same lead if they overlap, also while held', () => {
    expect(
      pqlsOf(
        `run    | account | day | what
         live   | a       |   2 | grows qualified
         live   | a       |   4 | grows held
         live   | a       |   5 | grows released
         live   | a       |   6 | grows disqualified
         live   | b       |   2 | grows qualified
         live   | b       |   3 | grows expired
         live   | c       |   7 | grows held
         replay | a       |   5 | grows qualified
         replay | a       |   9 | grows expired
         replay | b       |   3 | grows qualified
         replay | c       |   6 | grows qualified
         replay | a       |   8 | asks qualified`,
      ),
    ).toEqual({
      both: ['c 7- held 6- -1', 'a 2-6 5-9 3'],
      onlyLive: ['b 2-3'],
      onlyReplay: ['a 8-', 'b 3-'],
      continued: 0,
    })
  })

  test('are paired one to one, in their order', () => {
    const text = `run    | account | day | what
                  live   | a       |   2 | grows qualified
                  live   | a       |  20 | grows disqualified
                  replay | a       |   3 | grows qualified
                  replay | a       |   4 | grows disqualified
                  replay | a       |   9 | grows qualified`
    expect(pqlsOf(text)).toMatchObject({ both: ['a 2-20 3-4 1'], onlyReplay: ['a 9-'] })
  })

  test('exist at their beginning, even if they end at the same moment', () => {
    const text = `run    | account | day | what
                  live   | a       |   2 | grows qualified
                  live   | a       |   2 | grows disqualified
                  replay | a       |   1 | grows qualified
                  live   | b       |   2 | grows qualified
                  live   | b       |   2 | grows disqualified
                  replay | b       |   1 | grows qualified
                  replay | b       |   2 | grows expired`
    expect(pqlsOf(text)).toMatchObject({ both: ['a 2-2 1- -1'], onlyLive: ['b 2-2'], onlyReplay: ['b 1-2'] })
  })

  test('that live had before the window are paired with the replay, and do not count on their own', () => {
    const text = `run    | account | day | what
                  live   | a       |   1 | grows qualified
                  live   | b       |   1 | grows qualified
                  live   | c       |   1 | grows qualified
                  live   | c       |   3 | grows disqualified
                  live   | d       |  12 | grows qualified
                  replay | a       |   4 | grows qualified
                  replay | c       |   3 | grows qualified`
    expect(pqlsOf(text, { from: 3, to: 10 })).toEqual({
      both: [],
      onlyLive: [],
      onlyReplay: ['c 3-'],
      continued: 1,
    })
    const { live, replay } = modelOf(text, { from: 3, to: 10 }).pqls
    expect([live, replay]).toEqual([0, 2])
  })

  test('with an unknown beginning are older than the window', () => {
    const text = `run    | account | day | what
                  live   | a       |   5 | grows disqualified
                  live   | b       |   5 | grows released
                  replay | a       |   4 | grows qualified
                  replay | b       |   6 | grows qualified`
    expect(pqlsOf(text)).toEqual({ both: [], onlyLive: [], onlyReplay: [], continued: 2 })
  })

  test('ignore events at the end of the window or later', () => {
    const text = `run    | account | day | what
                  live   | a       |   2 | grows held
                  live   | a       |  10 | grows released
                  replay | a       |   2 | grows qualified
                  replay | a       |  10 | grows expired`
    const known = { both: ['a 2- held 2- 0'] }
    expect(pqlsOf(text, { to: 10 })).toMatchObject(known)
    expect(modelOf(text, { to: 10 }).pqls.heldOnly).toEqual({ live: 1, replay: 0 })
    expect(isDifferent(diffOf(text, { to: 10 }))).toBe(true)
  })

  test('have shifts by trigger, by motion and in total', () => {
    const { pqls } = modelOf(
      `run    | account | day | what
       live   | a       |   5 | grows qualified
       live   | b       |   5 | grows qualified
       live   | c       |   5 | grows qualified
       live   | d       |   5 | swells qualified
       live   | d       |   5 | asks qualified
       replay | a       |   1 | grows qualified
       replay | b       |   5 | grows qualified
       replay | c       |   7 | grows qualified
       replay | d       |   8 | swells qualified`,
    )
    const spanOf = ({ shift: { earlier, same, later, span } }: (typeof pqls.triggers)[0] | typeof pqls) => [
      earlier,
      same,
      later,
      ...(span === null ? [] : [span.leastMs, span.medianMs, span.mostMs].map(ms => ms / DAY_MS)),
    ]
    expect(spanOf(pqls)).toEqual([1, 1, 2, -4, 0, 3])
    expect(pqls.triggers.map(each => [each.trigger, each.live, each.replay, ...spanOf(each)])).toEqual([
      ['asks', 1, 0, 0, 0, 0],
      ['grows', 3, 3, 1, 1, 1, -4, 0, 2],
      ['swells', 1, 1, 0, 0, 1, 3, 3, 3],
    ])
    expect(pqls.motions.map(({ motion, both, onlyLive }) => [motion, both, onlyLive])).toEqual([
      ['cross-sell', 0, 1],
      ['seat-expansion', 4, 0],
    ])
  })
})

describe('models', () => {
  const TEXT = `run    | model | account | day | what
                live   | old   | a       |   2 | low high
                live   | old   | a       |   2 | grows qualified
                live   | old   | b       |   3 | grows qualified
                live   | seats | a       |   2 | low high
                replay | seats | a       |   2 | low high
                replay | new   | a       |   2 | low high`

  test('that only one run has are counted', () => {
    const replayModels = { seats: ['low', 'high'], new: ['low', 'high'] }
    const { models, oneSided } = diffOf(TEXT, { replayModels })
    expect(models.map(({ modelId }) => modelId)).toEqual(['seats'])
    expect(oneSided).toEqual({
      live: [{ modelId: 'old', versions: [1], accounts: 2, tierChanges: 1, pqls: 2 }],
      replay: [{ modelId: 'new', versions: [2], accounts: 1, tierChanges: 1, pqls: 0 }],
    })
  })

  test('of a replay that published nothing are compared too, from its own models or from the log', () => {
    const ids = (asked: Asked) => diffOf(TEXT, asked).models.map(({ modelId }) => modelId)
    expect(ids({ replayModels: { seats: ['low', 'high'], old: ['low', 'high'] } })).toEqual(['old', 'seats'])
    expect(ids({})).toEqual(['old', 'seats'])
    // A model that was given up before the window is no longer among the models of the log.
    expect(ids({ from: 4 })).toEqual(['seats'])
  })

  test('without events there is no difference', () => {
    const diff = new RunComparison({ from: null, to: null }).finish(null, { tiers: null })
    expect([diff.models, diff.oneSided, isDifferent(diff)]).toEqual([[], { live: [], replay: [] }, false])
  })
})

test.each([
  ['2026-01-30T10:00:00Z', '2026-02-01T00:00:00Z', 'day', ['2026-01-30T10', '2026-01-31T00']],
  ['2026-01-01T00:00:00Z', '2026-02-15T00:00:00Z', 'week', ['2026-01-01T00', '2026-01-05T00']],
  [
    '2025-11-20T00:00:00Z',
    '2026-12-31T00:00:00Z',
    'month',
    ['2025-11-20T00', '2025-12-01T00', '2026-01-01T00'],
  ],
  [
    '2021-05-01T00:00:00Z',
    '2026-12-31T00:00:00Z',
    'quarter',
    ['2021-05-01T00', '2021-07-01T00', '2021-10-01T00'],
  ],
  ['1990-05-01T00:00:00Z', '2026-12-31T00:00:00Z', 'year', ['1990-05-01T00', '1991-01-01T00']],
])('from %s to %s the periods are each a %s', (from, to, unit, begun) => {
  const found = choosePeriods(Date.parse(from), Date.parse(to))
  expect(found.unit).toBe(unit)
  const starts = found.periods.map(period => new Date(period.from).toISOString().slice(0, 13))
  expect(starts.slice(0, begun.length)).toEqual(begun)
})
