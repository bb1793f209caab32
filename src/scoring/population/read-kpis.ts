import { roundTo6 } from '../../lib/round.ts'
import { compileExpression } from '../definition/compile-expression.ts'
import type { Value } from '../definition/expression.ts'
import type {
  KpiDefinition,
  KpiSection,
  MeasureDefinition,
  MeasureSpan,
} from '../definition/population-definition.ts'
import { type KpiCell, keptCsm, measureBook, monthOfField, parseKpiField } from './kpi-counts.ts'

/** The dimensions by which counts can be split. */
export const KPI_DIMENSIONS = ['motion', 'tier', 'csm'] as const
export type KpiDimension = (typeof KPI_DIMENSIONS)[number]

/** An absent dimension matches all counts. Null matches the counts without a motion or CSM. */
export type KpiFilter = { readonly [Dimension in KpiDimension]?: string | null | undefined }

/** A month's key figure for a group of accounts, motions and CSMs. */
export interface KpiAnswer {
  readonly definition: KpiDefinition
  /** Rounded to 10⁻⁶. Undefined: not known, for example after a division by 0. */
  readonly value: number | undefined
  /** Undefined: there is no target, or no value. */
  readonly isMet: boolean | undefined
}

/** The books that hold the counts of a section's measures. */
export function kpiBooks(modelId: string, { measures }: KpiSection): string[] {
  return [...new Set(measures.flatMap(measure => bookOf(modelId, measure) ?? []))]
}

function bookOf(modelId: string, measure: MeasureDefinition): string | undefined {
  return measure.type === 'fixed' ? undefined : measureBook(modelId, measure)
}

/** A question for the key figures of a month. */
export interface KpiQuery {
  /** `YYYY-MM` */
  readonly month: string
  readonly filter: KpiFilter
  /** Undefined: no breakdown. */
  readonly by: KpiDimension | undefined
}

/** The value of each measure by name, in total and by group. */
export interface KpiMeasures {
  readonly total: ReadonlyMap<string, number>
  /** Ascending by value; null is the last. */
  readonly groups: readonly KpiGroup[]
  /** How many more groups there are. */
  readonly groupsLeftOut: number
}

/** The counts for one value of a dimension. */
export interface KpiGroup {
  readonly value: string | null
  readonly measures: ReadonlyMap<string, number>
}

/**
 * Adds up the counts of a section's books, in any order and in any parts. It looks at each counter once,
 * however many groups there are.
 */
export interface KpiTally {
  /** `book`: one of `kpiBooks`. */
  add(book: string, field: string, count: number): void
  /** The tiers of all counts in the month's spans, before the filter. */
  readonly tiers: ReadonlySet<string>
  /**
   * At most `maxGroups` groups, the largest ones. A group's size is the sum of its measures' amounts, without
   * fixed measures and accounts.
   */
  measures(maxGroups: number): KpiMeasures
}

export function createKpiTally(
  modelId: string,
  { measures }: KpiSection,
  { month, filter, by }: KpiQuery,
): KpiTally {
  const slotsOf = new Map<string, CountedSlot[]>()
  for (const [slot, measure] of measures.entries()) {
    if (measure.type === 'fixed') continue
    const book = measureBook(modelId, measure)
    const slots = slotsOf.get(book) ?? []
    slotsOf.set(book, slots)
    slots.push({ slot, span: measure.span, isSplit: measure.type !== 'accounts' })
  }
  const wanted = keptFilter(filter)
  const zeros = (): number[] => measures.map(() => 0)
  const total = zeros()
  const groups = new Map<string | null, number[]>()
  const tiers = new Set<string>()
  return {
    tiers,
    add: (book, field, count) => {
      const of = monthOfField(field)
      const slots = slotsOf.get(book)?.filter(({ span }) => isIn(of, span, month)) ?? []
      if (slots.length === 0) return
      const cell = parseKpiField(field)
      for (const { slot, isSplit } of slots) {
        if (!isSplit) {
          total[slot]! += count
          continue
        }
        tiers.add(cell.tier)
        if (!fits(cell, wanted)) continue
        total[slot]! += count
        if (by === undefined) continue
        const group = groups.get(cell[by]) ?? zeros()
        groups.set(cell[by], group)
        group[slot]! += count
      }
    },
    measures: maxGroups => {
      const found = [...groups].map(([value, counts]) => ({ value, counts, size: sizeOf(measures, counts) }))
      const largest = found
        .sort((a, b) => b.size - a.size || compareValues(a.value, b.value))
        .slice(0, maxGroups)
      return {
        total: valuesOf(measures, total, total),
        groups: largest
          .sort((a, b) => compareValues(a.value, b.value))
          .map(({ value, counts }) => ({ value, measures: valuesOf(measures, counts, total) })),
        groupsLeftOut: found.length - largest.length,
      }
    },
  }
}

interface CountedSlot {
  readonly slot: number
  readonly span: MeasureSpan
  readonly isSplit: boolean
}

/** Months as texts sort by time. */
function isIn(of: string, span: MeasureSpan, month: string): boolean {
  return span === 'month' ? of === month : span === 'before' ? of < month : of <= month
}

/** The filter in its stored form: the full name of a CSM finds the cut one. */
function keptFilter(filter: KpiFilter): KpiFilter {
  return typeof filter.csm === 'string' ? { ...filter, csm: keptCsm(filter.csm) } : filter
}

function fits(cell: KpiCell, filter: KpiFilter): boolean {
  return KPI_DIMENSIONS.every(
    dimension => filter[dimension] === undefined || cell[dimension] === filter[dimension],
  )
}

/** Fixed measures and accounts are the same in each group. */
function valuesOf(
  measures: readonly MeasureDefinition[],
  counts: readonly number[],
  total: readonly number[],
): Map<string, number> {
  return new Map(
    measures.map((measure, slot) => {
      if (measure.type === 'fixed') return [measure.name, measure.value]
      const count = (measure.type === 'accounts' ? total : counts)[slot]!
      return [measure.name, measure.type === 'sum' ? count / 1000 : count]
    }),
  )
}

function sizeOf(measures: readonly MeasureDefinition[], counts: readonly number[]): number {
  return counts.reduce(
    (size, count, slot) => size + Math.abs(measures[slot]!.type === 'sum' ? count / 1000 : count),
    0,
  )
}

function compareValues(a: string | null, b: string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * Computes each key figure from the measures' values by name. The formulas are compiled once, for many
 * groups.
 */
export function compileFigures({
  kpis,
  measures,
}: KpiSection): (values: ReadonlyMap<string, number>) => KpiAnswer[] {
  const slotOf = (name: string): number => measures.findIndex(measure => measure.name === name)
  const formulas = kpis.map(({ formula }) => compileExpression(formula.expression, slotOf))
  return values => {
    const inputs: Value[] = measures.map(({ name }) => values.get(name))
    return kpis.map((definition, i) => {
      const found = formulas[i]!(inputs)
      const value = typeof found === 'number' && Number.isFinite(found) ? roundTo6(found) : undefined
      return { definition, value, isMet: isMet(value, definition.target) }
    })
  }
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
