import { compileExpression } from './conditions.ts'
import type { CounterBook } from './counters.ts'
import { type KpiPlace, measureBook, parsePlace, splitText } from './kpi-counts.ts'
import type { KpiDefinition, KpiSection, MeasureDefinition, MeasureSpan, Value } from './model-definition.ts'
import { roundTo6 } from './round.ts'

/** What counts can be split by. */
export const KPI_DIMENSIONS = ['motion', 'tier', 'csm'] as const
export type KpiDimension = (typeof KPI_DIMENSIONS)[number]

/** Left out: all. Null: those that belong to none. */
export type KpiFilter = { readonly [Dimension in KpiDimension]?: string | null | undefined }

/** A month's key figures of a group of accounts, motions and CSMs. */
export interface KpiAnswer {
  readonly definition: KpiDefinition
  /** Rounded to 10⁻⁶; undefined: not known, such as a division by 0. */
  readonly value: number | undefined
  /** Undefined: there is no target, or no value. */
  readonly isMet: boolean | undefined
}

/** The books that a section's measures are counted in. */
export function kpiBooks(modelId: string, { measures }: KpiSection): string[] {
  return [...new Set(measures.flatMap(measure => bookOf(modelId, measure) ?? []))]
}

function bookOf(modelId: string, measure: MeasureDefinition): string | undefined {
  return measure.type === 'fixed' ? undefined : measureBook(modelId, measure)
}

/** The value of every measure in a month (`YYYY-MM`), by name. `books`: those of `kpiBooks`, by name. */
export function readMeasures(
  modelId: string,
  { measures }: KpiSection,
  books: ReadonlyMap<string, CounterBook>,
  month: string,
  filter: KpiFilter,
): Map<string, number> {
  return new Map(measures.map(measure => [measure.name, readMeasure(modelId, measure, books, month, filter)]))
}

function readMeasure(
  modelId: string,
  measure: MeasureDefinition,
  books: ReadonlyMap<string, CounterBook>,
  month: string,
  filter: KpiFilter,
): number {
  if (measure.type === 'fixed') return measure.value
  let total = 0
  for (const [field, count] of books.get(measureBook(modelId, measure)) ?? []) {
    const place = parsePlace(field)
    if (!isIn(place.month, measure.span, month)) continue
    if (measure.type === 'accounts' || fits(place, filter)) total += count
  }
  return measure.type === 'sum' ? total / 1000 : total
}

/** Months as texts are in the order of time. */
function isIn(of: string, span: MeasureSpan, month: string): boolean {
  return span === 'month' ? of === month : span === 'before' ? of < month : of <= month
}

function fits(place: KpiPlace, filter: KpiFilter): boolean {
  return KPI_DIMENSIONS.every(dimension => {
    const asked = filter[dimension]
    return asked === undefined || place[dimension] === splitText(asked)
  })
}

/** The values of a dimension that any measure has counts for in the month's spans, ascending; null, for none, last. */
export function splitValues(
  modelId: string,
  { measures }: KpiSection,
  books: ReadonlyMap<string, CounterBook>,
  month: string,
  filter: KpiFilter,
  by: KpiDimension,
): (string | null)[] {
  const values = new Set<string | null>()
  for (const measure of measures) {
    if (measure.type === 'fixed' || measure.type === 'accounts') continue
    for (const field of books.get(measureBook(modelId, measure))?.keys() ?? []) {
      const place = parsePlace(field)
      if (isIn(place.month, measure.span, month) && fits(place, filter)) values.add(place[by])
    }
  }
  const named = [...values].filter(value => value !== null).sort()
  return values.has(null) ? [...named, null] : named
}

/** Every key figure over the measures' values. */
export function evaluateKpis(
  { kpis, measures }: KpiSection,
  values: ReadonlyMap<string, number>,
): KpiAnswer[] {
  const inputs: Value[] = measures.map(({ name }) => values.get(name))
  const slotOf = (name: string): number => measures.findIndex(measure => measure.name === name)
  return kpis.map(definition => {
    const found = compileExpression(definition.formula.expression, slotOf)(inputs)
    const value = typeof found === 'number' && Number.isFinite(found) ? roundTo6(found) : undefined
    return { definition, value, isMet: isMet(value, definition.target) }
  })
}

function isMet(value: number | undefined, target: KpiDefinition['target']): boolean | undefined {
  if (value === undefined || target === undefined) return undefined
  switch (target.operator) {
    case '>':
      return value > target.value
    case '>=':
      return value >= target.value
    case '<':
      return value < target.value
    case '<=':
      return value <= target.value
    default:
      return target.operator satisfies never
  }
}
