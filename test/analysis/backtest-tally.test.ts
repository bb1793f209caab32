import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BacktestNumbers, createBacktestReport } from '../../src/analysis/backtest-report.ts'
import { type AccountTally, BacktestTally, createAccountTally } from '../../src/analysis/backtest-tally.ts'
import type { ModelDefinition } from '../../src/scoring/definition/model-definition.ts'
import { parse } from '../models/model-text.ts'
import { type Fact, slowBacktest } from '../support/slow/slow-backtest.ts'

const HOUR_MS = 3_600_000
const MODEL: ModelDefinition = parse({
  rest: `triggers:
  grows: { motion: seat-expansion, when: users >= 3, cooldown: 30d, expiry: 90d, reason: x }
  asks: { motion: plan-upgrade, when: users >= 4, cooldown: 30d, expiry: 90d, reason: x }
  swells: { motion: seat-expansion, when: users >= 5, cooldown: 30d, expiry: 90d, reason: x }`,
})
const NUMBERS: BacktestNumbers = { accounts: 3, signals: 0, duplicates: 0, tooOld: 0, from: 0, to: 0 }

function tallied(facts: readonly Fact[], horizonMs: number, end: number) {
  const tally = new BacktestTally(MODEL, horizonMs)
  const accounts = new Map<string, AccountTally>()
  for (const fact of facts) {
    const account = accounts.get(fact.account) ?? createAccountTally()
    accounts.set(fact.account, account)
    if (fact.type === 'month') tally.beginMonth(account, fact.at, fact.tier)
    else if (fact.type === 'pql') tally.openPql(account, fact.at, fact.trigger)
    else tally.win(account, fact)
  }
  for (const account of accounts.values()) tally.close(account, end)
  const {
    accounts: _,
    signals: __,
    duplicates,
    tooOld,
    from,
    to,
    ...counted
  } = createBacktestReport(MODEL, NUMBERS, tally.counts)
  return counted
}

/** Few different moments, so that wins often fall exactly on the end of a horizon. */
const arbitraryFact: fc.Arbitrary<Fact> = fc
  .record({ account: fc.constantFrom('a', 'b', 'c'), hours: fc.integer({ min: 0, max: 40 }) })
  .chain(({ account, hours }) => {
    const at = hours * 6 * HOUR_MS
    return fc.oneof(
      fc.constantFrom(0, 1, undefined).map((tier): Fact => ({ account, at, type: 'month', tier })),
      fc.constantFrom(0, 1, 2).map((trigger): Fact => ({ account, at, type: 'pql', trigger })),
      fc
        .record({
          tier: fc.constantFrom(0, 1),
          inScope: fc.boolean(),
          motion: fc.constantFrom('seat-expansion', 'plan-upgrade', 'cross-sell', undefined, 1),
        })
        .map((win): Fact => ({ account, at, type: 'win', ...win })),
    )
  })

test('counts in one pass what a comparison of all pairs counts', () => {
  const history = fc.array(arbitraryFact, { maxLength: 60 }).map(facts => facts.sort((a, b) => a.at - b.at))
  fc.assert(
    fc.property(
      history,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 20 }),
      (facts, length, rest) => {
        const horizonMs = length * 6 * HOUR_MS
        const end = (facts.at(-1)?.at ?? 0) + rest * 6 * HOUR_MS
        expect(tallied(facts, horizonMs, end)).toEqual(
          slowBacktest(facts, { tiers: MODEL.tiers, triggers: MODEL.triggers, horizonMs, end }),
        )
      },
    ),
    { numRuns: 500 },
  )
})

test('keeps nothing that is older than the horizon', () => {
  const tally = new BacktestTally(MODEL, 10)
  const account = createAccountTally()
  for (let at = 0; at < 1000; at++) {
    tally.beginMonth(account, at, 0)
    tally.openPql(account, at, at % 3)
  }
  expect(account.months.length).toBeLessThanOrEqual(11)
  expect(account.pqls.length).toBeLessThanOrEqual(11)
})
