import { expect, test } from 'vitest'
import type { AccountDiff } from '../../src/analysis/diff-account.ts'
import { formatModelDiff, type ModelDiff } from '../../src/console/print-model-diff.ts'
import type { Contribution } from '../../src/scoring/events.ts'
import { parse } from '../models/model-text.ts'

const AT = Date.parse('2026-05-20T12:00:00Z')
const PLAIN = { color: false, width: 120 }
const NO_CHANGE: AccountDiff = {
  accountId: 'acme',
  at: AT,
  tier: { before: 'low', after: 'low' },
  tierLater: null,
  score: { before: 10, after: 10 },
  coverage: { before: 1, after: 1 },
  inScope: { before: true, after: true },
  isSetByHand: false,
  pqls: [],
  alerts: [],
  rules: [],
}

function diffOf(...accounts: Partial<AccountDiff>[]): ModelDiff {
  const model = parse()
  return {
    at: AT,
    before: [
      {
        model,
        isActive: false,
        changes: [
          {
            part: 'tier-policy',
            name: undefined,
            status: 'changed',
            details: [{ field: 'margin', before: 0, after: 2 }],
          },
        ],
      },
    ],
    after: { model, file: 'second.yaml' },
    history: true,
    sums: {
      accounts: 1200,
      inScope: { before: 1200, after: 1100 },
      tiers: [
        { before: 'low', after: 'low', accounts: 1000 },
        { before: 'low', after: 'high', accounts: 200 },
      ],
      tierChanges: 200,
      tierChangesLater: 3,
      scores: { up: 200, down: 0, same: 1000, meanChange: 1.25 },
      pqls: [{ trigger: 'grows', qualified: 2, released: 0, held: 1, disqualified: 0, expired: 0 }],
      alerts: [{ alert: 'shrinks', sent: 4 }],
    },
    accounts: { shown: accounts.map(each => ({ ...NO_CHANGE, ...each })), count: 250 },
  }
}

function contribution(amount: number, inputs: Contribution['inputs']): Contribution {
  return { group: 'usage', rule: 'r', points: 1, max: 2, known: true, contribution: amount, inputs }
}

/** The lines about one account. */
function accountLines(account: Partial<AccountDiff>): string[] {
  const lines = formatModelDiff(diffOf(account), PLAIN).split('\n')
  return lines.slice(lines.findIndex(line => line.startsWith('Accounts that')) + 1)
}

test('prints the sums first', () => {
  expect(formatModelDiff(diffOf(), PLAIN)).toBe(
    [
      'Small: version 1 → 1 (second.yaml)',
      '1,200 accounts as of 2026-05-20T12:00:00.000Z; accounts in history as of their own time',
      'in scope: 1,200 → 1,100',
      'Both files say version 1, but they differ: give the new one a new version before it runs.',
      'Version 1 is not active: the comparison assumes that it scored these accounts all along, without dwell and cooldowns.',
      '',
      'Changed in the model',
      '  changed tier policy: margin 0 → 2',
      '',
      'Tiers: 200 of 1,200 accounts change; 3 may change when the dwell ends',
      '  before ↓ after →  High    Low',
      '  Low                200  1,000',
      '',
      'Scores: 200 up, 0 down, 1,000 the same; on average +1.25',
      '',
      'PQL events that would be published',
      '  trigger  qualified  held',
      '  grows            2     1',
      '',
      'Alerts that would be sent',
      '  shrinks  4',
      '',
      'Accounts that change a tier or a PQL (0 of 250; --limit lists more)',
    ].join('\n'),
  )
})

test('prints the reasons of an account: rules with the values that they read, the greatest change first', () => {
  const rule = { group: 'usage', rule: 'r', title: 'Users' } as const
  const rules: AccountDiff['rules'] = [
    {
      ...rule,
      status: 'changed',
      change: 12.345678,
      before: contribution(4, { users: 3, plan: null }),
      after: contribution(16.345678, { users: 4, plan: null }),
    },
    { ...rule, title: 'Seats', status: 'new', change: 4, before: null, after: contribution(4, { seats: 9 }) },
    { ...rule, title: 'Trial', status: 'gone', change: -0.001, before: contribution(0.001, {}), after: null },
    { ...rule, title: 'Nothing', status: 'new', change: 0, before: null, after: contribution(0, {}) },
  ]
  const moved = { tier: { before: 'low', after: 'high' }, score: { before: 4, after: 20.5 } }
  expect(accountLines({ ...moved, rules })).toEqual([
    '  acme  Low → High  score 4 → 20.5',
    '      Users        4 → 16.35        +12.35   users 3 → 4, plan unknown',
    '      new: Seats   none → 4             +4   seats 9',
    '      gone: Trial  0.001 → none     −0.001',
  ])
})

test('adds the reasons that no rule shows', () => {
  const moved = { tier: { before: 'low', after: 'high' } }
  const said = (account: Partial<AccountDiff>): string => accountLines(account)[1]!.trim()
  expect(said(moved)).toBe('its score stays the same; the tiers or the tier policy changed')
  expect(said({ ...moved, score: { before: 1, after: 2 } })).toBe(
    'its rules give the same points; the groups or the range of the score changed',
  )
  expect(said({ ...moved, inScope: { before: true, after: false } })).toBe('leaves the scope of the model')
  expect(said({ ...moved, inScope: { before: false, after: true } })).toBe(
    'comes into the scope of the model',
  )
  expect(said({ ...moved, isSetByHand: true })).toBe('a person has set its score or tier')
  expect(said({ tierLater: { tier: 'high', at: AT } })).toBe(
    '→ High when the dwell ends, 2026-05-20T12:00:00.000Z',
  )
  expect(said({ pqls: [{ trigger: 'grows', motion: 'cross-sell', status: 'held' }] })).toBe(
    'PQL held: grows (cross-sell)',
  )
  expect(said({ alerts: ['shrinks'] })).toBe('alert sent: shrinks')
})

test('makes names from outside safe for the terminal', () => {
  expect(accountLines({ accountId: 'a\u001b[2Jb' })[0]).toBe('  ab  Low  score 10')
})
