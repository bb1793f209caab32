import { describe, expect, test } from 'vitest'
import type { RateDefinition } from '../../src/scoring/definition/population-definition.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { slowEvaluate } from '../support/slow/slow-evaluator.ts'
import { earliestFrom, slowRate, slowRateBySegment } from '../support/slow/slow-rates.ts'
import { at, atLeast, DAY_MS, facts, models, seatsModel, signal } from '../support/small-histories.ts'

const RATE: RateDefinition = {
  name: 'interest',
  title: 'Interest',
  select: { kinds: ['intent'], names: ['pricing.*'], except: ['pricing.internal'] },
  segments: [{ name: 'plan', key: 'traits.plan', values: ['pro', '5', 'true'] }],
}
const day = (days: number) => at(days) / DAY_MS

const intent = (accountId: string, days: number, change: Partial<Signal> = {}) =>
  signal(at(10), { kind: 'intent', name: 'pricing.viewed', accountId, occurredAt: at(days), ...change })

const { accounts } = slowEvaluate([
  models(
    at(0),
    seatsModel({ scope: { include: undefined, exclude: { ids: ['own'], when: atLeast('seats', 100) } } }),
  ),
  ...[intent('a', 2), intent('a', 3), intent('b', 5), intent('own', 5), intent('big', 5)],
  intent('c', 6, { name: 'pricing.internal' }),
  intent('d', 6, { kind: 'usage' }),
  intent('e', 9),
  facts(at(10), { seats: 100 }, { accountId: 'big' }),
  facts(at(10), { plan: 'pro' }, { accountId: 'a' }),
  facts(at(10), { plan: 5 }, { accountId: 'b' }),
  facts(at(10), { plan: 'unknown' }, { accountId: 'c' }),
  facts(at(10), { plan: null }, { accountId: 'd' }),
])
const rateOf = (from: number, to: number, segments = {}) =>
  slowRate(accounts.values(), 'growth', RATE, day(from), day(to), segments)

describe('a rate', () => {
  test.each([
    { from: 0, to: 10, accounts: 5, exhibiting: 3 },
    { from: 3, to: 5, accounts: 2, exhibiting: 2 },
    { from: 4, to: 5, accounts: 2, exhibiting: 1 },
    { from: 6, to: 6, accounts: 4, exhibiting: 0 },
    { from: 9, to: 9, accounts: 5, exhibiting: 1 },
  ])('of the days $from to $to is $exhibiting of $accounts', ({ from, to, ...counts }) => {
    expect(rateOf(from, to)).toEqual({ ...counts, rate: (100 * counts.exhibiting) / counts.accounts })
  })

  test('is unknown without accounts', () => {
    expect(rateOf(0, 1)).toEqual({ accounts: 0, exhibiting: 0, rate: undefined })
    expect(slowRate(accounts.values(), 'other', RATE, day(0), day(9)).accounts).toBe(0)
  })

  test('is broken down by the present values of the accounts', () => {
    const segments = slowRateBySegment(accounts.values(), 'growth', RATE, day(0), day(10))
    expect(
      Object.fromEntries(
        [...segments].map(([key, { accounts, exhibiting }]) => [key, [exhibiting, accounts]]),
      ),
    ).toEqual({
      '["pro"]': [1, 1],
      '["5"]': [1, 1],
      '["other"]': [0, 1],
      '["unknown"]': [1, 2],
    })
    expect(rateOf(0, 10, { plan: 'unknown' })).toEqual({ accounts: 2, exhibiting: 1, rate: 50 })
  })

  test('refuses a period that not all accounts hold', () => {
    const earliest = earliestFrom(accounts.values())
    expect(earliest).toBe(day(10) - 399)
    expect(() => slowRate(accounts.values(), 'growth', RATE, earliest - 1, earliest)).toThrow(
      'Not all accounts hold day',
    )
    expect(() => slowRate(accounts.values(), 'growth', RATE, earliest, earliest + 400)).toThrow('no period')
  })
})
