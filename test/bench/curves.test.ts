import { expect, it } from 'vitest'
import { renderCurve } from '../../bench/curves/curve-report.ts'
import { curvesOf, FULL_CURVES, QUICK_CURVES } from '../../bench/curves/curves.ts'
import { renderResults } from '../../bench/report/results-page.ts'
import { OccurrenceTimes } from '../../bench/signals/occurrence-times.ts'
import { benchSignals, SIGNAL_STREAM } from '../../bench/signals/signals.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'

const DAY_MS = 86_400_000

it('the models of every point can be used together', () => {
  for (const curve of [...curvesOf(FULL_CURVES), ...curvesOf(QUICK_CURVES)])
    for (const { models } of curve.lines.flatMap(line => line.points)) {
      const compiled = new ModelLibrary().compileAll(models)
      expect(new Set(compiled.map(({ definition }) => definition.id)).size).toBe(models.length)
    }
})

it('the points of a curve differ in its variable', () => {
  for (const { lines } of curvesOf(FULL_CURVES)) {
    for (const { points } of lines) {
      const contents = points.map(({ x: _, ...point }) => JSON.stringify(point))
      expect(new Set(contents).size).toBe(points.length)
    }
  }
})

it('other streams have the requested number of accounts, users and days', () => {
  const signals = [
    ...benchSignals({ count: 20_000, seed: 1, accounts: 5, users: 1_000, spread: 'even', days: 400 }),
  ]
  const perAccount = new Map<string, number>()
  for (const { accountId } of signals) perAccount.set(accountId, (perAccount.get(accountId) ?? 0) + 1)
  expect(perAccount.size).toBe(5)
  expect(Math.min(...perAccount.values())).toBeGreaterThan(3_700)
  expect(new Set(signals.map(({ userId }) => userId)).size).toBeGreaterThan(1_000)
  const times = signals.map(({ occurredAt }) => occurredAt)
  const [first, last] = [Math.min(...times), Math.max(...times)]
  expect(last).toBeLessThan(SIGNAL_STREAM.start + SIGNAL_STREAM.spanMs)
  expect((last - first) / DAY_MS).toBeGreaterThan(399)
})

it('finds the time of a signal by the number in its id', () => {
  const times = new OccurrenceTimes(3)
  times.set('e-2', 17)
  expect(times.get('e-2')).toBe(17)
  for (const unknown of ['e-1', 'e-3', 'window']) expect(() => times.get(unknown)).toThrow('unknown signal')
})

it('the page of results has a picture for each curve', () => {
  const [curve] = curvesOf({ ...QUICK_CURVES, models: [] })
  const run = {
    signalsPerSecond: 1,
    cpuSecondsPerMillion: 2,
    redisCpuSecondsPerMillion: 3,
    peakRssBytes: 2 ** 20,
    redisPeakBytes: 2 ** 21,
    accounts: 2,
    storeBytes: 100,
  }
  const lines = curve!.lines.map(({ label, points }) => ({
    label,
    points: points.map(({ x }) => ({ x, runs: [run] })),
  }))
  const page = renderResults(
    [
      {
        title: 'Accounts',
        markdown: renderCurve({ curve: curve!, lines }),
        picture: { name: 'accounts', svg: '' },
      },
    ],
    'A machine.',
  )
  expect(page).toContain('![Accounts](results/accounts.svg)')
  expect(page).toMatch(/\| 1,000 +\| +even \| +1 \| +2\.0 \| +3\.0 \| +1 \| +2 \| +2 \| +50 \|/)
})
