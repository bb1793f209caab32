import type { KpiSection } from '../../src/scoring/definition/population-definition.ts'
import type { CounterBook } from '../../src/scoring/population/counters.ts'
import {
  compileFigures,
  createKpiTally,
  type KpiAnswer,
  type KpiDimension,
  type KpiFilter,
  type KpiQuery,
  type KpiTally,
  kpiBooks,
} from '../../src/scoring/population/read-kpis.ts'
import { createRateTally, type RateGroup, type RatePlan } from '../../src/scoring/population/read-rate.ts'

/** Rates and key figures from whole books in memory. The API reads the books in parts. */

/** The groups of a rate. `books`: the books that the plan names. */
export function answerRate(plan: RatePlan, books: readonly CounterBook[]): RateGroup[] {
  const tally = createRateTally(plan)
  for (const book of books) for (const [field, count] of book) tally.add(field, count)
  return tally.groups()
}

/** The value of each measure in a month (`YYYY-MM`), by name. `books`: the books in `kpiBooks`, by name. */
export function readMeasures(
  modelId: string,
  section: KpiSection,
  books: ReadonlyMap<string, CounterBook>,
  month: string,
  filter: KpiFilter,
): ReadonlyMap<string, number> {
  return tallyBooks(modelId, section, books, { month, filter, by: undefined }).measures(0).total
}

/** The values of a dimension with counts in the month's spans, ascending; null is the last. */
export function splitValues(
  modelId: string,
  section: KpiSection,
  books: ReadonlyMap<string, CounterBook>,
  month: string,
  filter: KpiFilter,
  by: KpiDimension,
): (string | null)[] {
  const { groups } = tallyBooks(modelId, section, books, { month, filter, by }).measures(
    Number.POSITIVE_INFINITY,
  )
  return groups.map(({ value }) => value)
}

function tallyBooks(
  modelId: string,
  section: KpiSection,
  books: ReadonlyMap<string, CounterBook>,
  query: KpiQuery,
): KpiTally {
  const tally = createKpiTally(modelId, section, query)
  for (const book of kpiBooks(modelId, section))
    for (const [field, count] of books.get(book) ?? []) tally.add(book, field, count)
  return tally
}

/** Each key figure over the measures' values. */
export function evaluateKpis(section: KpiSection, values: ReadonlyMap<string, number>): KpiAnswer[] {
  return compileFigures(section)(values)
}
