import { CounterChanges } from '../../src/scoring/population/counters.ts'
import { compileRates, countShares, rateBook, rateShares } from '../../src/scoring/population/rate-cells.ts'
import type { KpiAnswer } from '../../src/scoring/population/read-kpis.ts'
import { planRate, type RateGroup, type RateQuery } from '../../src/scoring/population/read-rate.ts'
import { dayOf } from '../../src/signals/time.ts'
import { answerRate, evaluateKpis, readMeasures } from '../support/population-answers.ts'
import { bookMap, type ScoredSample } from './score-sample.ts'

/** A rate over the 30 days that end at `now`. */
export function rateOf(
  sample: ScoredSample,
  modelId: string,
  name: string,
  now: number,
  by: readonly string[],
): RateGroup[] {
  const changes = new CounterChanges()
  for (const account of sample.accounts.values()) countShares([], rateShares(account, compileRates), changes)
  const books = bookMap(changes)
  const definition = sample.model(modelId).definition.rates.find(rate => rate.name === name)!
  const query: RateQuery = { windows: [{ days: 30, ends: [dayOf(now)] }], where: new Map(), by }
  const plan = planRate(modelId, definition, query, books.get(rateBook(modelId, definition)) ?? new Map())
  return answerRate(
    plan,
    plan.books.map(book => books.get(book) ?? new Map()),
  )
}

/** The key figures of a month, `YYYY-MM`; none if the model has none. */
export function figuresOf(sample: ScoredSample, modelId: string, month: string): KpiAnswer[] {
  const { kpis } = sample.model(modelId).definition
  return kpis === undefined ? [] : evaluateKpis(kpis, readMeasures(modelId, kpis, sample.books(), month, {}))
}
