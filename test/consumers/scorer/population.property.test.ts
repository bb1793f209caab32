import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ModelDefinition } from '../../../src/scoring/definition/model-definition.ts'
import type { RateDefinition } from '../../../src/scoring/definition/population-definition.ts'
import { monthOf } from '../../../src/scoring/population/kpi-counts.ts'
import { rateBook } from '../../../src/scoring/population/rate-cells.ts'
import { kpiBooks } from '../../../src/scoring/population/read-kpis.ts'
import { planRate, type RateGroup, type RateQuery } from '../../../src/scoring/population/read-rate.ts'
import { DAY_MS, dayOf } from '../../../src/signals/time.ts'
import { arbitraryBatches } from '../../support/histories.ts'
import type { MemoryStore } from '../../support/memory-store.ts'
import { answerRate, evaluateKpis, readMeasures } from '../../support/population-answers.ts'
import { type Mishap, PopulationRun } from '../../support/population-run.ts'
import { type HistoryRecord, type SlowResult, slowEvaluate } from '../../support/slow/slow-evaluator.ts'
import { type SlowSplit, slowKpi, slowMeasure } from '../../support/slow/slow-kpis.ts'
import { earliestFrom, slowRate, slowRateBySegment } from '../../support/slow/slow-rates.ts'

const RUNS = 100
const arbitraryMishaps = fc.array(fc.constantFrom<Mishap>('none', 'none', 'restart', 'crash', 'empty'), {
  minLength: 9,
  maxLength: 9,
})
/**
 * How many days before the newest one a period ends, and how many days it has: mostly few, since most
 * histories span few.
 */
const arbitraryDays = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 6 }) },
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 399 }),
)
const arbitraryPeriods = fc.array(fc.tuple(arbitraryDays, arbitraryDays), { minLength: 6, maxLength: 6 })

async function readRate(
  store: MemoryStore,
  modelId: string,
  rate: RateDefinition,
  query: RateQuery,
): Promise<RateGroup[]> {
  const [totals] = await store.readCounters([rateBook(modelId, rate)])
  const plan = planRate(modelId, rate, query, totals!)
  return answerRate(plan, await store.readCounters(plan.books))
}

function activeModels(history: readonly HistoryRecord[]): readonly ModelDefinition[] {
  return history.flatMap(record => ('models' in record ? [record.models] : [])).at(-1) ?? []
}

async function compareRates(
  store: MemoryStore,
  slow: SlowResult,
  history: readonly HistoryRecord[],
  periods: readonly (readonly [number, number])[],
): Promise<number> {
  const accounts = [...slow.accounts.values()]
  if (accounts.length === 0) return 0
  let seen = 0
  const earliest = earliestFrom(accounts)
  const latest = Math.max(...accounts.map(({ clock }) => dayOf(clock)))
  for (const model of activeModels(history)) {
    for (const rate of model.rates) {
      for (const [before, length] of periods) {
        const to = Math.max(earliest, latest - before)
        const from = Math.max(earliest, to - length)
        const days = to - from + 1
        const ends = [to, ...[3, 10, 200].map(more => to + more)]
        const by = rate.segments.map(({ name }) => name)
        const query = { windows: [{ days, ends }], where: new Map(), by }
        const groups = await readRate(store, model.id, rate, query)
        ends.forEach((end, i) => {
          const found = new Map(
            groups.map(({ values, rates }) => [JSON.stringify(values), { ...rates[0]![i]! }] as const),
          )
          // The scan omits segments that have had no account yet.
          for (const [key, { accounts }] of found) if (accounts === 0 && by.length > 0) found.delete(key)
          const expected = new Map(
            [...slowRateBySegment(accounts, model.id, rate, end - days + 1, end)].map(([key, of]) => [
              key,
              rounded(of),
            ]),
          )
          if (by.length === 0 && expected.size === 0)
            expected.set('[]', { accounts: 0, exhibiting: 0, rate: undefined })
          expect(found, `${model.id} ${rate.name} ${end - days + 1}…${end}`).toEqual(expected)
          for (const { exhibiting } of expected.values()) seen += exhibiting
        })
        const [whole] = await readRate(store, model.id, rate, { ...query, by: [] })
        expect(whole!.rates[0]![0]).toEqual(rounded(slowRate(accounts, model.id, rate, from, to)))
      }
    }
  }
  return seen
}

function rounded<Rate extends { readonly rate: number | undefined }>(of: Rate): Rate {
  return { ...of, rate: of.rate === undefined ? undefined : Math.round(of.rate * 100) / 100 }
}

async function compareKpis(
  store: MemoryStore,
  slow: SlowResult,
  history: readonly HistoryRecord[],
): Promise<number> {
  let seen = 0
  const times = history.map(record => ('signal' in record ? record.signal.occurredAt : record.timestamp))
  if (times.length === 0) return 0
  const months = [...new Set([...times, Math.max(...times) + 40 * DAY_MS].map(monthOf))].slice(-4)
  for (const model of activeModels(history)) {
    const section = model.kpis
    if (section === undefined) continue
    const names = kpiBooks(model.id, section)
    const books = await store.readCounters(names)
    const byName = new Map(names.map((name, i) => [name, books[i]!]))
    const splits: SlowSplit[] = [
      {},
      { motion: null },
      { motion: 'seat-expansion' },
      { motion: 'unheard-of' },
      { tier: model.tiers[0]!.name },
      { tier: model.tiers.at(-1)!.name },
      { csm: null },
      { csm: 'kim' },
    ]
    for (const month of months) {
      for (const split of splits) {
        const found = readMeasures(model.id, section, byName, month, split)
        for (const measure of section.measures) {
          const expected = slowMeasure(slow, model.id, measure, month, split)
          expect(found.get(measure.name), `${model.id} ${JSON.stringify([measure, month, split])}`).toBe(
            expected + 0,
          )
          if (measure.type !== 'fixed') seen += expected
        }
        for (const { definition, value } of evaluateKpis(section, found)) {
          const expected = slowKpi(slow, model.id, section, definition, month, split)
          if (expected === undefined) expect(value).toBeUndefined()
          else expect(value).toBe(Math.round(expected * 1e6) / 1e6)
        }
      }
    }
  }
  return seen
}

describe('the counters of the population', () => {
  test('give the same rates and key figures as a scan of all signals, whatever the batches and mishaps', async () => {
    let exhibiting = 0
    let counted = 0
    await fc.assert(
      fc.asyncProperty(
        arbitraryBatches({ accounts: 5, length: 70 }),
        arbitraryMishaps,
        arbitraryPeriods,
        async (batches, mishaps, periods) => {
          const run = new PopulationRun(2)
          const history: HistoryRecord[] = []
          for (const [i, batch] of batches.entries()) {
            history.push(...batch)
            await run.score(batch, mishaps[i]!)
            // The scan is slow, so it does not run after every batch.
            if (i % 4 !== 0 && i !== batches.length - 1) continue
            const slow = slowEvaluate(history)
            exhibiting += await compareRates(run.store, slow, history, periods)
            counted += await compareKpis(run.store, slow, history)
          }
          expect(run.rejected).toBe(0)
        },
      ),
      // Shrinking a failing run would take longer than a test may.
      { numRuns: RUNS, endOnFailure: true },
    )
    // Random models that select nothing would prove nothing.
    expect(exhibiting).toBeGreaterThan(RUNS)
    expect(counted).toBeGreaterThan(RUNS)
  }, 120_000)
})
