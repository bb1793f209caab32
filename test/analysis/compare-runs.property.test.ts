import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ComparedTierChange, RunComparison } from '../../src/analysis/compare-runs.ts'
import { choosePeriods } from '../../src/analysis/periods.ts'
import { isDifferent, type RunDiff } from '../../src/analysis/run-diff.ts'
import {
  motionOf,
  type SlowPqlEvent,
  type SlowRun,
  type SlowSetting,
  slowPqls,
  slowTiers,
} from '../support/slow/slow-run-diff.ts'

const SIX_HOURS_MS = 21_600_000
const ACCOUNTS = ['a', 'b', 'c']
const TIERS = ['low', 'mid', 'high']
const TRIGGERS = ['grows', 'asks']

/** Few different moments, so that events often fall on the same one; some steps take no time. */
const arbitraryGaps = fc.array(fc.constantFrom(0, 1, 1, 2, 3, 8), { maxLength: 8 })

function momentsOf(gaps: readonly number[]): number[] {
  let at = 0
  return gaps.map(gap => {
    at += gap
    return at * SIX_HOURS_MS
  })
}

const arbitraryChanges = (accountId: string): fc.Arbitrary<ComparedTierChange[]> =>
  fc
    .tuple(arbitraryGaps, fc.array(fc.constantFrom(...TIERS), { minLength: 8, maxLength: 8 }))
    .map(([gaps, tiers]) => {
      let tier = 'low'
      return momentsOf(gaps).map((at, i) => {
        const from = tier
        tier = tiers[i]!
        const [previousScore, score] = [TIERS.indexOf(from), TIERS.indexOf(tier)]
        return { accountId, modelId: 'm', modelVersion: 1, from, to: tier, score, previousScore, at }
      })
    })

/** The events of one trigger, in order. A PQL begins some time after the previous one has ended. */
const arbitraryPqls = (accountId: string, trigger: string, side: string): fc.Arbitrary<SlowPqlEvent[]> =>
  fc.tuple(arbitraryGaps, fc.array(fc.nat(2), { minLength: 8, maxLength: 8 })).map(([gaps, choices]) => {
    let state: 'idle' | 'open' | 'held' = 'idle'
    let [id, time] = [0, 0]
    return gaps.map((gap, i): SlowPqlEvent => {
      // An open or held PQL can end at the moment it began.
      time += state === 'idle' ? gap + 1 : gap
      const at = time * SIX_HOURS_MS
      const choice = choices[i]!
      if (state === 'idle') id++
      const status =
        state === 'idle'
          ? (['qualified', 'held', 'qualified'] as const)[choice]!
          : (['disqualified', 'expired', state === 'open' ? 'held' : 'released'] as const)[choice]!
      state = status === 'held' ? 'held' : status === 'qualified' || status === 'released' ? 'open' : 'idle'
      const pqlId = `${side} ${accountId} ${trigger} ${id}`
      return {
        accountId,
        modelId: 'm',
        modelVersion: 1,
        trigger,
        motion: motionOf(trigger),
        status,
        at,
        pqlId,
      }
    })
  })

function arbitraryRun(side: string): fc.Arbitrary<SlowRun> {
  return fc.record({
    changes: fc.tuple(...ACCOUNTS.map(arbitraryChanges)).map(all => all.flat()),
    pqls: fc
      .tuple(...ACCOUNTS.flatMap(account => TRIGGERS.map(trigger => arbitraryPqls(account, trigger, side))))
      .map(all => all.flat()),
  })
}

const arbitrarySetting = fc
  .record({
    runs: fc.record({ live: arbitraryRun('live'), replay: arbitraryRun('replay') }),
    from: fc.option(fc.integer({ min: 0, max: 12 }).map(time => time * SIX_HOURS_MS)),
    length: fc.integer({ min: 1, max: 30 }).map(time => time * SIX_HOURS_MS),
    isOpen: fc.boolean(),
  })
  .map(({ length, ...rest }) => ({ ...rest, to: (rest.from ?? 0) + length }))

function compared({ runs, from, to }: Omit<SlowSetting, 'periods' | 'lowest'>, isOpen: boolean): RunDiff {
  const comparison = new RunComparison({ from, to: isOpen ? null : to })
  for (const side of ['live', 'replay'] as const) {
    for (const change of runs[side].changes) comparison.addTierChange(side, change)
    for (const event of runs[side].pqls) comparison.addPqlEvent(side, event)
  }
  return comparison.finish(to, { tiers: new Map([['m', TIERS]]) })
}

test('gives what a comparison of every moment and every pair gives', { timeout: 60_000 }, () => {
  let compares = 0
  fc.assert(
    fc.property(arbitrarySetting, ({ isOpen, ...setting }) => {
      const diff = compared(setting, isOpen)
      const [model] = diff.models
      if (model === undefined) return
      compares++
      const { rows } = model.periods
      const slow = { ...setting, lowest: 'low', periods: rows }
      const { cells, movedAccounts, names: _, ...tiers } = model.tiers
      const { cells: slowCells, movedAccounts: slowMoved, apartByPeriod, ...expected } = slowTiers(slow)
      expect(tiers).toEqual(expected)
      expect(Object.fromEntries(cells.map(cell => [`${cell.live} ${cell.replay}`, cell.accounts]))).toEqual(
        slowCells,
      )
      expect(byText(movedAccounts)).toEqual(byText(slowMoved))
      expect(rows.map(({ apart }) => apart)).toEqual(apartByPeriod)

      const { lists, triggers, motions, heldOnly, both, onlyLive, onlyReplay, ...pqls } = model.pqls
      const {
        byPeriod,
        both: slowBoth,
        onlyLive: slowLive,
        onlyReplay: slowReplay,
        ...numbers
      } = slowPqls(slow)
      expect(pqls).toEqual(numbers)
      expect([both, onlyLive, onlyReplay]).toEqual([slowBoth.length, slowLive.length, slowReplay.length])
      expect(byText(lists.both)).toEqual(byText(slowBoth))
      expect(byText(lists.onlyLive)).toEqual(byText(slowLive))
      expect(byText(lists.onlyReplay)).toEqual(byText(slowReplay))
      expect(rows.map(row => row.pqls)).toEqual(byPeriod)
      for (const parts of [triggers, motions])
        for (const key of ['live', 'replay', 'both', 'onlyLive', 'onlyReplay', 'continued'] as const)
          expect(parts.reduce((sum, part) => sum + part[key], 0)).toBe(model.pqls[key])
      expect(heldOnly.live + heldOnly.replay).toBeLessThanOrEqual(both)
    }),
    { numRuns: 1000 },
  )
  expect(compares).toBeGreaterThan(800)
})

test('finds no difference between a run and itself', () => {
  fc.assert(
    fc.property(arbitrarySetting, ({ isOpen, ...setting }) => {
      const runs = { live: setting.runs.live, replay: setting.runs.live }
      const diff = compared({ ...setting, runs }, isOpen)
      expect(isDifferent(diff)).toBe(false)
    }),
    { numRuns: 300 },
  )
})

test('periods cover the window without gaps, at most 31 unless they are years', () => {
  const day = 86_400_000
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 1, max: 4_000 }), (first, days) => {
      const [from, to] = [first * day + 5, (first + days) * day + 5]
      const { unit, periods } = choosePeriods(from, to)
      expect([periods[0]!.from, periods.at(-1)!.to]).toEqual([from, to])
      for (const [i, period] of periods.slice(1).entries()) expect(period.from).toBe(periods[i]!.to)
      expect(unit === 'year' || periods.length <= 31).toBe(true)
    }),
  )
})

function byText(all: readonly object[]): string[] {
  return all.map(each => JSON.stringify(each)).sort()
}
