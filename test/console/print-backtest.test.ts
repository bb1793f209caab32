import { expect, test } from 'vitest'
import type { BacktestReport, PqlAccuracy } from '../../src/analysis/backtest-report.ts'
import { type BacktestHead, formatBacktest } from '../../src/console/print-backtest.ts'
import { parse } from '../models/model-text.ts'

const HEAD: BacktestHead = {
  model: parse(),
  file: 'small.yaml',
  source: '.upswell',
  horizonDays: 90,
  won: ['deal.won'],
  leftOut: 2,
}
const SCORE: PqlAccuracy = {
  opened: 1250,
  judged: 1000,
  followed: 255,
  precision: 0.255,
  preceded: 40,
  recall: 0.8,
  leadDays: { lowerQuartile: 7, median: 21, upperQuartile: 60 },
}
const NONE: PqlAccuracy = {
  opened: 0,
  judged: 0,
  followed: 0,
  precision: null,
  preceded: 0,
  recall: 0,
  leadDays: null,
}
const REPORT: BacktestReport = {
  accounts: 1200,
  signals: 81_204,
  duplicates: 3,
  tooOld: 0,
  from: Date.parse('2025-01-03T10:00:00Z'),
  to: Date.parse('2026-03-31T10:00:00Z'),
  wins: { count: 52, outOfScope: 2, withMotion: 12 },
  months: { accountMonths: 2000, followed: 100, share: 0.05, beyondEnd: 1200, outOfScope: 4 },
  tiers: [
    { tier: 'low', accountMonths: 2000, followed: 100, share: 0.05, lift: 1, wins: 50 },
    { tier: 'high', accountMonths: 0, followed: 0, share: null, lift: null, wins: 0 },
  ],
  pqls: SCORE,
  triggers: [
    { trigger: 'grows', motion: 'seat-expansion', ...SCORE },
    { trigger: 'asks', motion: 'plan-upgrade', ...NONE },
  ],
  motions: [
    { motion: 'seat-expansion', wins: 12, ...SCORE },
    { motion: 'plan-upgrade', wins: 0, ...NONE, recall: null },
  ],
}
const PLAIN = { color: false, width: 120 }

test('prints the numbers, the tiers with the best first, and PQLs by trigger and by motion', () => {
  expect(formatBacktest(HEAD, REPORT, PLAIN)).toMatchInlineSnapshot(`
    "Small: version 1 (small.yaml) on .upswell
    1,200 accounts, 81,204 signals, 52 wins (deal.won), 2025-01-03 to 2026-03-31
    left out: 3 duplicates, 2 not signals
    2 wins of accounts out of scope, not counted in the recall

    Tiers: as each month began, and whether a win came within 90 days
      tier  account-months  followed  share  lift  wins from it
      High               0         0      –     –             0
      Low            2,000       100   5.0%     1            50
      all            2,000       100   5.0%
      left out: 1,200 whose 90 days end after the log, 4 out of scope

    PQLs: followed by a win within 90 days, and wins preceded by one
      trigger  opened  judged  followed  precision  preceded  recall  lead days ¼   ½   ¾
      grows     1,250   1,000       255      25.5%        40   80.0%            7  21  60
      asks          0       0         0          –         0    0.0%            –   –   –
      all       1,250   1,000       255      25.5%        40   80.0%            7  21  60

    Motions: only wins of the same motion count; 12 of 52 wins name one of these motions
      motion          wins  opened  judged  followed  precision  preceded  recall  lead days ¼   ½   ¾
      seat-expansion    12   1,250   1,000       255      25.5%        40   80.0%            7  21  60
      plan-upgrade       0       0       0         0          –         0       –            –   –   –"
  `)
})

test('prints only the head when there are no wins', () => {
  const text = formatBacktest(HEAD, { ...REPORT, wins: { count: 0, outOfScope: 0, withMotion: 0 } }, PLAIN)
  expect(text.split('\n')).toEqual([
    'Small: version 1 (small.yaml) on .upswell',
    '1,200 accounts, 81,204 signals, 0 wins (deal.won), 2025-01-03 to 2026-03-31',
    'left out: 3 duplicates, 2 not signals',
  ])
})

test('prints only the tiers of a model without triggers and motions', () => {
  const text = formatBacktest(
    HEAD,
    { ...REPORT, triggers: [], motions: [], wins: { ...REPORT.wins, withMotion: 0 } },
    PLAIN,
  )
  expect(text).not.toMatch(/PQLs:|Motions/)
})

test('says that nothing is judged when the log is shorter than the horizon', () => {
  const months = { ...REPORT.months, accountMonths: 0, followed: 0, share: null }
  const text = formatBacktest(
    HEAD,
    { ...REPORT, months, pqls: { ...SCORE, judged: 0, precision: null } },
    PLAIN,
  )
  expect(text).toContain('No month and no PQL is 90 days older than the end of the log, so none is judged')
})

test('makes names from outside safe for the terminal', () => {
  expect(formatBacktest({ ...HEAD, won: ['a\u001b[2Jb'], source: 'x\ny' }, REPORT, PLAIN)).toContain(
    '52 wins (ab)',
  )
})
