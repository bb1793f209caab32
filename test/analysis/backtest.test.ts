import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Backtest, type BacktestOptions } from '../../src/analysis/backtest.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import type { Account } from '../../src/scoring/account.ts'
import type { CompiledModel } from '../../src/scoring/definition/compile-model.ts'
import { createPartitionMemory, foldBatch, type LogEntry } from '../../src/scoring/fold.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { type Fact, slowBacktest } from '../support/slow/slow-backtest.ts'

const DAY_MS = 86_400_000
const time = (text: string): number => Date.parse(text.includes('T') ? `${text}:00Z` : text)

const TEXT = `id: small
version: 1
name: Small
score: { scale: 10, max: 100 }
features:
  used: { count: { of: usage, within: 30d } }
  asked: { count: { of: intent, within: 30d } }
  won: { count: { of: outcome, names: [deal.won], within: 30d } }
  health: { latest: health.score }
  test: { latest: traits.test, type: flag }
accounts: { exclude: { when: test == true } }
groups:
  usage: { weight: 1, max: 10, rules: { used: { when: used >= 3, points: 10 } } }
tiers: [{ name: cold, from: 0 }, { name: hot, from: 50 }]
gates:
  healthy: { open: health >= 60, missing: open }
triggers:
  busy: { motion: seat-expansion, when: used >= 3, cooldown: 1d, expiry: 60d, reason: x }
  asks: { motion: plan-upgrade, when: asked >= 1, gates: [], cooldown: 1d, expiry: 60d, reason: x }
  happy: { motion: renewal-upgrade, when: won >= 1, gates: [], cooldown: 1d, expiry: 60d, reason: x }
`
const MODEL: CompiledModel = new ModelLibrary().compile({ file: 'small.yaml', text: TEXT })
const OPTIONS: BacktestOptions = { won: ['deal.won'], horizonMs: 90 * DAY_MS }

let number = 0
function signal(accountId: string, at: string, change: Partial<Signal> = {}): Signal {
  return {
    id: `id-${++number}`,
    kind: 'usage',
    name: 'report.exported',
    accountId,
    userId: undefined,
    quantityThousandths: 1000,
    properties: {},
    occurredAt: time(at),
    ...change,
  }
}
const asks = (account: string, at: string): Signal =>
  signal(account, at, { kind: 'intent', name: 'pricing.viewed' })
const health = (account: string, at: string, score: number): Signal =>
  signal(account, at, { kind: 'health', name: 'updated', properties: { score } })
const wins = (account: string, at: string, motion?: string): Signal =>
  signal(account, at, {
    kind: 'outcome',
    name: 'deal.won',
    properties: motion === undefined ? {} : { motion },
  })
/** Three usage signals, the last one at 12:00. */
const busyOn = (account: string, day: string): Signal[] =>
  ['10:00', '11:00', '12:00'].map(hour => signal(account, `${day}T${hour}`))

function backtest(signals: readonly Signal[], until: string, options = OPTIONS) {
  const test = new Backtest(MODEL, options)
  for (const each of signals) test.receive(each, each.occurredAt)
  test.passTime(time(until))
  return test.finish()
}

describe('a history that was counted by hand', () => {
  // Hot on 1 February. Its PQL of 10 January ends on 9 February. The win comes 60 days after the PQL began.
  const a = [...busyOn('a', '2024-01-10'), wins('a', '2024-03-10T12:00', 'cross-sell')]
  // Never hot. Asks on 5 March, and wins as April begins: 27 days later, and 0 days after the month began.
  const b = [signal('b', '2024-02-20'), asks('b', '2024-03-05'), wins('b', '2024-04-01', 'plan-upgrade')]
  // Hot on 1 April, and again in May and June. Never wins.
  const c = [...busyOn('c', '2024-03-15'), ...busyOn('c', '2024-05-20')]
  // Its first signal is its win.
  const d = [wins('d', '2024-04-20')]
  // The log ends 90 days after 1 April: that month is judged, 1 May and 1 June are not.
  const report = backtest([...a, ...b, ...c, ...d], '2024-06-30')

  test('gives the counts of tiers', () => {
    expect(report.months).toEqual({
      accountMonths: 6,
      followed: 4,
      share: 0.666667,
      beyondEnd: 8,
      outOfScope: 0,
    })
    expect(report.tiers).toEqual([
      { tier: 'cold', accountMonths: 4, followed: 3, share: 0.75, lift: 1.125, wins: 3 },
      { tier: 'hot', accountMonths: 2, followed: 1, share: 0.5, lift: 0.75, wins: 0 },
    ])
  })

  test('gives the counts of PQLs by trigger', () => {
    const { pqls, triggers } = report
    const lead = (lowerQuartile: number, median: number, upperQuartile: number) => ({
      leadDays: { lowerQuartile, median, upperQuartile },
    })
    const third = 0.333333
    // `happy` opens with each win, so it precedes none. The PQLs of 10 March and 1 April are judged.
    expect(triggers).toEqual([
      {
        trigger: 'busy',
        motion: 'seat-expansion',
        opened: 3,
        judged: 2,
        followed: 1,
        precision: 0.5,
        preceded: 1,
        recall: third,
        ...lead(60, 60, 60),
      },
      {
        trigger: 'asks',
        motion: 'plan-upgrade',
        opened: 1,
        judged: 1,
        followed: 1,
        precision: 1,
        preceded: 1,
        recall: third,
        ...lead(27, 27, 27),
      },
      {
        trigger: 'happy',
        motion: 'renewal-upgrade',
        opened: 3,
        judged: 2,
        followed: 0,
        precision: 0,
        preceded: 0,
        recall: 0,
        leadDays: null,
      },
    ])
    expect(pqls).toEqual({
      opened: 7,
      judged: 5,
      followed: 2,
      precision: 0.4,
      preceded: 2,
      recall: 0.666667,
      ...lead(27, 27, 60),
    })
  })

  test('counts for a motion only wins that name it', () => {
    expect(report.wins).toEqual({ count: 3, outOfScope: 0, withMotion: 1 })
    expect(
      report.motions.map(({ motion, wins, followed, precision, recall }) => [
        motion,
        wins,
        followed,
        precision,
        recall,
      ]),
    ).toEqual([
      ['seat-expansion', 0, 0, 0, null],
      ['plan-upgrade', 1, 1, 1, 1],
      ['renewal-upgrade', 0, 0, 0, null],
    ])
  })

  test('gives the numbers of accounts, signals and wins', () => {
    expect(report).toMatchObject({
      accounts: 4,
      signals: 14,
      duplicates: 0,
      tooOld: 0,
      from: time('2024-01-10T10:00'),
      to: time('2024-06-30'),
    })
  })
})

describe('the rules of counting', () => {
  const busy = (report: ReturnType<typeof backtest>) =>
    report.triggers.find(({ trigger }) => trigger === 'busy')!

  test('a win at the last ms of the horizon counts, a win one ms later does not', () => {
    const options = { ...OPTIONS, horizonMs: 10 * DAY_MS }
    const winAt = (text: string, laterMs: number) => {
      const won = wins('a', text)
      return backtest(
        [...busyOn('a', '2024-01-10'), { ...won, occurredAt: won.occurredAt + laterMs }],
        '2024-03-01',
        options,
      )
    }
    expect(busy(winAt('2024-01-20T12:00', 0))).toMatchObject({ followed: 1, preceded: 1 })
    expect(busy(winAt('2024-01-20T12:00', 1))).toMatchObject({ followed: 0, preceded: 0 })
  })

  test('a PQL counts once, from when it opens; a held one from its release', () => {
    const released = [health('a', '2024-01-02', 90)].map(each => ({
      ...each,
      occurredAt: time('2024-01-20T12:00'),
    }))
    const history = [
      health('a', '2024-01-01', 30),
      ...busyOn('a', '2024-01-10'),
      ...released,
      health('a', '2024-01-21', 30),
      health('a', '2024-01-22', 90),
      wins('a', '2024-01-25T12:00'),
    ]
    const found = busy(backtest(history, '2024-06-30'))
    expect(found).toMatchObject({ opened: 1, preceded: 1, leadDays: { median: 5 } })
    const neverReleased = history.filter(({ properties }) => properties['score'] !== 90)
    expect(busy(backtest(neverReleased, '2024-06-30'))).toMatchObject({
      opened: 0,
      judged: 0,
      precision: null,
      preceded: 0,
    })
  })

  test('a win that is sent twice counts once', () => {
    const won = wins('a', '2024-01-20')
    const report = backtest([...busyOn('a', '2024-01-10'), won, won], '2024-06-30')
    expect(report).toMatchObject({ duplicates: 1, wins: { count: 1 } })
  })

  test('a win counts at its position in the log, however long ago it happened', () => {
    const late = { ...wins('a', '2024-01-05'), id: 'late' }
    const report = backtest([...busyOn('a', '2024-01-10'), late], '2024-06-30')
    expect(busy(report)).toMatchObject({ followed: 1, leadDays: { median: 0 } })
  })

  test('other outcomes are not wins; names may be prefixes', () => {
    const history = [
      ...busyOn('a', '2024-01-10'),
      signal('a', '2024-01-20', { kind: 'outcome', name: 'deal.lost' }),
    ]
    expect(backtest(history, '2024-06-30').wins.count).toBe(0)
    expect(backtest(history, '2024-06-30', { ...OPTIONS, won: ['x', 'deal.*'] }).wins.count).toBe(1)
  })

  test('an account out of scope has no month in a tier, and its wins do not count for recall', () => {
    const outside = signal('a', '2024-01-25', { kind: 'traits', name: 'updated', properties: { test: true } })
    const report = backtest([...busyOn('a', '2024-01-10'), outside, wins('a', '2024-02-10')], '2024-06-30')
    expect(report.wins).toEqual({ count: 1, outOfScope: 1, withMotion: 0 })
    expect(report.months).toMatchObject({ accountMonths: 0, outOfScope: 5, share: null })
    // The earlier PQL still counts as followed by it.
    expect(busy(report)).toMatchObject({ followed: 1, precision: 1, preceded: 0, recall: null })
    expect(report.tiers.map(({ wins, lift }) => [wins, lift])).toEqual([
      [0, null],
      [0, null],
    ])
  })

  test('ticks move the end of the log, so that more is judged', () => {
    const history = busyOn('a', '2024-01-10')
    expect(busy(backtest(history, '2024-01-11'))).toMatchObject({ opened: 1, judged: 0 })
    expect(busy(backtest(history, '2024-05-01'))).toMatchObject({ opened: 1, judged: 1 })
  })

  test('an empty log gives no numbers', () => {
    const report = new Backtest(MODEL, OPTIONS).finish()
    expect(report).toMatchObject({
      accounts: 0,
      from: undefined,
      to: undefined,
      pqls: { precision: null, recall: null },
    })
  })
})

/**
 * The facts from the service's own fold, account by account, with a tick as each month begins and before each
 * signal.
 */
function foldedFacts(signals: readonly Signal[], end: number): Fact[] {
  const facts: Fact[] = []
  for (const account of new Set(signals.map(({ accountId }) => accountId))) {
    const memory = createPartitionMemory()
    const accounts = new Map<string, Account>()
    const opened = new Set<string>()
    let offset = 0
    let clock = Number.NEGATIVE_INFINITY
    const fold = (entry: LogEntry) => {
      const { events, outcomes } = foldBatch([entry], memory, accounts)
      const found = events.flatMap(({ event }): Fact[] => {
        if (
          event.type !== 'pql' ||
          !['qualified', 'released'].includes(event.status) ||
          opened.has(event.pqlId)
        )
          return []
        opened.add(event.pqlId)
        const trigger = MODEL.definition.triggers.findIndex(({ name }) => name === event.trigger)
        return [{ account, type: 'pql', at: event.at, trigger }]
      })
      return { found, applied: outcomes.applied + outcomes.late > 0 }
    }
    const tick = (at: number): void => {
      const slice = { clock: 'event', slice: 0, of: 1, scope: 'all' } as const
      facts.push(...fold({ type: 'tick', offset: offset++, timestamp: at, ...slice }).found)
    }
    const passTo = (until: number): void => {
      if (accounts.size === 0) return
      for (let month = 0; month < 12; month++) {
        const at = Date.UTC(2024, month, 1)
        if (at <= clock || at > until) continue
        tick(at)
        const { inScope, tier } = accounts.get(account)!.standings[0]!
        facts.push({ account, type: 'month', at, tier: inScope ? tier : undefined })
      }
      tick(until)
    }
    fold({ type: 'models', offset: offset++, at: 0, models: [MODEL] })
    for (const each of signals.filter(({ accountId }) => accountId === account)) {
      passTo(each.occurredAt)
      clock = Math.max(clock, each.occurredAt)
      const before = accounts.get(account)?.standings[0]
      const { tier, inScope } = { tier: before?.tier ?? 0, inScope: before?.inScope ?? true }
      const { found, applied } = fold({
        type: 'signal',
        offset: offset++,
        timestamp: each.occurredAt,
        signal: each,
        history: true,
      })
      if (applied && each.kind === 'outcome')
        facts.push({ account, type: 'win', at: clock, tier, inScope, motion: each.properties['motion'] })
      facts.push(...found)
    }
    passTo(end)
  }
  return facts
}

test('gives what the fold of the service and a comparison of all pairs give', () => {
  const arbitrarySignal = fc
    .record({
      account: fc.constantFrom('a', 'b'),
      hours: fc.integer({ min: 0, max: 300 * 4 }).map(quarters => quarters * 6),
      what: fc.constantFrom('use', 'use', 'use', 'ask', 'sick', 'well', 'test', 'real', 'win', 'win'),
      id: fc.integer({ min: 0, max: 60 }),
    })
    .map(({ account, hours, what, id }): Signal => {
      const at = new Date(Date.UTC(2024, 0, 1) + hours * 3_600_000).toISOString().slice(0, 16)
      const made = {
        use: () => signal(account, at),
        ask: () => asks(account, at),
        sick: () => health(account, at, 20),
        well: () => health(account, at, 80),
        test: () => signal(account, at, { kind: 'traits', name: 'u', properties: { test: true } }),
        real: () => signal(account, at, { kind: 'traits', name: 'u', properties: { test: false } }),
        win: () => wins(account, at, id % 2 === 0 ? 'seat-expansion' : undefined),
      }[what as 'use']()
      return { ...made, id: `s-${id}` }
    })
  const history = fc.array(arbitrarySignal, { minLength: 1, maxLength: 80 }).chain(signals => {
    // Some records are out of the order of time.
    const sorted = [...signals].sort((a, b) => a.occurredAt - b.occurredAt)
    return fc.nat(sorted.length - 1).map(late => [...sorted.toSpliced(late, 1), sorted[late]!])
  })
  fc.assert(
    fc.property(history, fc.integer({ min: 5, max: 120 }), (signals, horizonDays) => {
      const end = Math.max(...signals.map(({ occurredAt }) => occurredAt)) + 20 * DAY_MS
      const options = { won: ['deal.won'], horizonMs: horizonDays * DAY_MS }
      const test = new Backtest(MODEL, options)
      for (const each of signals) test.receive(each, each.occurredAt)
      test.passTime(end)
      const { tiers, triggers } = MODEL.definition
      expect(test.finish()).toMatchObject(
        slowBacktest(foldedFacts(signals, end), { tiers, triggers, horizonMs: options.horizonMs, end }),
      )
    }),
    { numRuns: 150 },
  )
})
