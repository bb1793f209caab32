import { expect, test } from 'vitest'
import type { ModelRunDiff, PqlCounts, RunDiff } from '../../src/analysis/run-diff.ts'
import { formatShift } from '../../src/console/format.ts'
import { formatRunDiff, type RunDiffHead } from '../../src/console/print-run-diff.ts'
import { parse } from '../models/model-text.ts'

const at = (text: string): number => Date.parse(`${text}Z`)
const LOOK = { color: false, width: 120, limit: 2 }
const HEAD: RunDiffHead = {
  replay: 'v2',
  isCut: true,
  isBehind: true,
  models: [parse({ tiers: 'tiers: [{ name: low, title: Cold, from: 0 }, { name: high, from: 50 }]' })],
}
const COUNTS: PqlCounts = {
  live: 1250,
  replay: 1300,
  both: 1200,
  onlyLive: 50,
  onlyReplay: 97,
  continued: 3,
  heldOnly: { live: 0, replay: 4 },
  shift: {
    earlier: 700,
    same: 450,
    later: 50,
    span: { leastMs: -9 * 86_400_000, medianMs: -5_400_000, mostMs: 3 * 86_400_000 },
  },
}
const NO_PQLS: ModelRunDiff['pqls'] = {
  live: 0,
  replay: 0,
  both: 0,
  onlyLive: 0,
  onlyReplay: 0,
  continued: 0,
  heldOnly: { live: 0, replay: 0 },
  shift: { earlier: 0, same: 0, later: 0, span: null },
  triggers: [],
  motions: [],
  lists: { both: [], onlyLive: [], onlyReplay: [] },
}
const GROWS = { trigger: 'grows', motion: 'seat-expansion' } as const
const OPEN = { start: at('2026-02-03T08:30'), end: null, held: false }
const MODEL: ModelRunDiff = {
  modelId: 'small',
  versions: { live: [1, 2], replay: [3] },
  tiers: {
    names: ['low', 'high'],
    accounts: 1200,
    moved: 201,
    apart: 230,
    cells: [
      { live: 'low', replay: 'low', accounts: 999 },
      { live: 'low', replay: 'high', accounts: 201 },
    ],
    movedAccounts: [
      {
        accountId: 'acme',
        tier: { live: 'low', replay: 'high' },
        since: { live: null, replay: at('2026-02-03T08:30') },
      },
      {
        accountId: 'longer-name\u001b[2J',
        tier: { live: 'low', replay: 'high' },
        since: { live: at('2026-01-20T23:59'), replay: at('2026-01-03T08:30') },
      },
      { accountId: 'zeta', tier: { live: 'low', replay: 'high' }, since: { live: null, replay: null } },
    ],
  },
  periods: {
    unit: 'week',
    rows: [
      { from: at('2026-01-01T00:00'), to: at('2026-01-05T00:00'), apart: 0, pqls: { live: 650, replay: 0 } },
      {
        from: at('2026-01-05T00:00'),
        to: at('2026-01-12T00:00'),
        apart: 201,
        pqls: { live: 600, replay: 1300 },
      },
    ],
  },
  pqls: {
    ...COUNTS,
    triggers: [
      { ...GROWS, ...COUNTS },
      { ...NO_PQLS, trigger: 'asks', motion: 'cross-sell' },
    ],
    motions: [
      { ...NO_PQLS, motion: 'cross-sell' },
      { ...COUNTS, motion: 'seat-expansion' },
    ],
    lists: {
      both: [
        { accountId: 'acme', ...GROWS, life: { live: OPEN, replay: OPEN }, shiftMs: 0 },
        {
          accountId: 'beta',
          ...GROWS,
          life: {
            live: OPEN,
            replay: { start: at('2026-02-01T20:30'), end: at('2026-02-09T00:00'), held: true },
          },
          shiftMs: -1.5 * 86_400_000,
        },
      ],
      onlyLive: [{ accountId: 'acme', ...GROWS, ...OPEN }],
      onlyReplay: [
        { accountId: 'x', ...GROWS, ...OPEN },
        { accountId: 'y', ...GROWS, ...OPEN, end: at('2026-02-09T00:00') },
        { accountId: 'z', ...GROWS, ...OPEN },
      ],
    },
  },
}
const DIFF: RunDiff = {
  window: { from: null, to: at('2026-03-01T00:00') },
  models: [MODEL],
  oneSided: {
    live: [{ modelId: 'old', versions: [1, 2], accounts: 1200, tierChanges: 1, pqls: 3 }],
    replay: [],
  },
}

test('prints the tiers, periods and PQLs of a model, then the accounts and PQLs that differ', () => {
  expect(formatRunDiff(HEAD, DIFF, LOOK)).toMatchInlineSnapshot(`
    "Replay v2 against the live results: from the beginning to 2026-03-01T00:00:00.000Z, the time that both have reached
    The replay has not read all of its log up to that time yet: the rest is missing here.

    Small: live versions 1, 2; replay version 3
    Tiers: 201 of 1,200 accounts are in another tier at the end, 230 were at some time
      live ↓ replay →  High  Cold
      Cold              201   999

    Over time: accounts in another tier at the end of each period, and PQLs that began in it
      week from   other tier  PQLs live  PQLs replay
      2026-01-01           ·        650            ·
      2026-01-05         201        600        1,300

    PQLs: 1,200 in both, 50 only live, 97 only in the replay
      trigger          motion   live  replay   both  only live  only replay  earlier  same  later
      grows    seat-expansion  1,250   1,300  1,200         50           97      700   450     50
      asks         cross-sell      ·       ·      ·          ·            ·        ·     ·      ·
      all                      1,250   1,300  1,200         50           97      700   450     50
      PQLs in both began 1.5 hours earlier in the replay (median; from 9 days earlier to 3 days later)
      PQLs in both that were held all the time: 0 only live, 4 only in the replay
      and 3 that one of them had before the compared time began

    Accounts in another tier (2 of 3; --limit lists more)
      acme         Cold → High  live from before             replay since 2026-02-03 08:30
      longer-name  Cold → High  live since 2026-01-20 23:59  replay since 2026-01-03 08:30

    PQLs that only live has (1)
      acme  grows (seat-expansion)  2026-02-03 08:30 – open

    PQLs that only the replay has (2 of 3; --limit lists more)
      x  grows (seat-expansion)  2026-02-03 08:30 – open
      y  grows (seat-expansion)  2026-02-03 08:30 – 2026-02-09 00:00

    PQLs that both have, but not alike (1)
      beta  grows (seat-expansion)  1.5 days earlier  live 2026-02-03 08:30 – open  replay 2026-02-01 20:30 – 2026-02-09 00…

    Only live: a model
      old versions 1, 2: 1 tier change, 3 PQLs, 1,200 accounts"
  `)
})

test('prints one line for a model without a difference', () => {
  const { movedAccounts: _, ...tiers } = { ...MODEL.tiers, moved: 0, apart: 0 }
  const pqls = { ...MODEL.pqls, onlyLive: 0, onlyReplay: 0, lists: NO_PQLS.lists }
  const model = { ...MODEL, tiers: { ...tiers, movedAccounts: [] }, pqls }
  const text = formatRunDiff(HEAD, { ...DIFF, models: [model] }, LOOK)
  expect(text.split('\n').slice(3, 6)).toEqual([
    'Small: live versions 1, 2; replay version 3',
    'No difference: 1,200 accounts that changed tier, 1,200 PQLs',
    '',
  ])
})

test('prints no sum for a single trigger, and no line for what did not happen', () => {
  const pqls = {
    ...NO_PQLS,
    onlyLive: 1,
    triggers: [{ ...NO_PQLS, ...GROWS, onlyLive: 1 }],
    motions: [{ ...NO_PQLS, motion: GROWS.motion }],
  }
  const tiers = { ...MODEL.tiers, accounts: 0, moved: 0, apart: 0, cells: [], movedAccounts: [] }
  const model = { ...MODEL, tiers, pqls, versions: { live: [1], replay: [] } }
  const head = { replay: 'v2', isCut: false, isBehind: false, models: [] }
  const window = { from: at('2026-01-01T00:00'), to: at('2026-03-01T00:00') }
  const diff = { window, models: [model], oneSided: { live: [], replay: [] } }
  expect(formatRunDiff(head, diff, LOOK)).toMatchInlineSnapshot(`
    "Replay v2 against the live results: 2026-01-01T00:00:00.000Z to 2026-03-01T00:00:00.000Z
    The replay began without earlier signals: scores that need them differ for that reason alone.

    small: live version 1; replay nothing published
    Tiers: no account has changed its tier in either

    Over time: accounts in another tier at the end of each period, and PQLs that began in it
      week from   other tier  PQLs live  PQLs replay
      2026-01-01           ·        650            ·
      2026-01-05         201        600        1,300

    PQLs: 0 in both, 1 only live, 0 only in the replay
      trigger          motion  live  replay  both  only live  only replay  earlier  same  later
      grows    seat-expansion     ·       ·     ·          1            ·        ·     ·      ·"
  `)
})

test('says that nothing was published', () => {
  const diff = { window: { from: null, to: null }, models: [], oneSided: { live: [], replay: [] } }
  expect(formatRunDiff({ ...HEAD, isBehind: false }, diff, LOOK)).toMatchInlineSnapshot(`
    "Replay v2 against the live results: from the beginning to now
    Neither has published a tier change or a PQL in this time."
  `)
})

test.each([
  ['day', 'day', '2026-05-20'],
  ['month', 'month', '2026-05'],
  ['quarter', 'quarter', '2026 Q2'],
  ['year', 'year', '2026'],
] as const)('a %s has its name', (unit, title, name) => {
  const rows = [
    { from: at('2026-05-20T00:00'), to: at('2026-05-21T00:00'), apart: 1, pqls: { live: 0, replay: 2 } },
  ]
  const text = formatRunDiff(HEAD, { ...DIFF, models: [{ ...MODEL, periods: { unit, rows } }] }, LOOK)
  expect(text).toMatch(
    new RegExp(`^ {2}${title} +other tier +PQLs live +PQLs replay\n {2}${name} +1 +· +2$`, 'm'),
  )
})

test.each([
  [0, 'at the same time'],
  [40, '40 ms later'],
  [-1000, '1 second earlier'],
  [90_000, '1.5 minutes later'],
  [80_000_000, '22.2 hours later'],
  [86_400_000 - 1, '1 day later'],
  [-86_400_000 * 2.5, '2.5 days earlier'],
])('%i ms is %s', (ms, text) => {
  expect(formatShift(ms)).toBe(text)
})
