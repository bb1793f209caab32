import type { Value } from '../../../src/scoring/definition/expression.ts'
import { MOTIONS, type ModelDefinition } from '../../../src/scoring/definition/model-definition.ts'
import type {
  KpiDefinition,
  KpiSection,
  MeasureDefinition,
} from '../../../src/scoring/definition/population-definition.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import type { SlowResult } from './slow-evaluator.ts'
import { resultOf } from './slow-expressions.ts'
import { matchesAny } from './slow-features.ts'

/** Key figures of a month, from a scan of all outcome signals and PQLs. */

/** The requested split. Absent: not split. Null: no motion, or no CSM. */
export interface SlowSplit {
  readonly motion?: string | null
  readonly tier?: string
  readonly csm?: string | null
}

/**
 * A measure of a month (`2024-02`, UTC). Choice: a measure counts only from the first version of the model
 * that has it. Two measures that add up the same are one, whatever their names and spans.
 */
export function slowMeasure(
  result: SlowResult,
  modelId: string,
  measure: MeasureDefinition,
  month: string,
  split: SlowSplit = {},
): number {
  const isMeasured = (model: ModelDefinition) =>
    model.id === modelId &&
    (model.kpis?.measures ?? []).some(each => identityOf(each) === identityOf(measure))
  switch (measure.type) {
    case 'fixed':
      return measure.value
    case 'accounts':
      return result.arrivals.filter(({ model, at }) => isMeasured(model) && isIn(measure, at, month)).length
    case 'pqls':
      return result.leads.filter(
        ({ model, event, csm }) =>
          isMeasured(model) &&
          isIn(measure, event.at, month) &&
          isOf(split, { motion: event.motion, tier: event.tier, csm }),
      ).length
    case 'count':
    case 'sum': {
      const signals = result.outcomes
        .filter(
          ({ model, signal, inScope, tier, csm }) =>
            isMeasured(model) &&
            inScope &&
            isIn(measure, signal.occurredAt, month) &&
            isOf(split, { motion: motionOf(signal), tier, csm }),
        )
        .map(({ signal }) => signal)
        .filter(signal => isAskedFor(measure, signal))
      if (measure.type === 'count') return signals.length
      return signals.reduce((sum, signal) => sum + thousandthsOf(measure.property, signal), 0) / 1000
    }
  }
}

/**
 * A key figure of a month, over measures with the same split. Undefined: unknown. Choice: a value that is not
 * finite is unknown.
 */
export function slowKpi(
  result: SlowResult,
  modelId: string,
  section: KpiSection,
  { formula }: KpiDefinition,
  month: string,
  split: SlowSplit = {},
): number | undefined {
  const values = new Map<string, Value>(
    section.measures.map(measure => [measure.name, slowMeasure(result, modelId, measure, month, split)]),
  )
  const value = resultOf(formula.expression, values)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function identityOf(measure: MeasureDefinition): string {
  switch (measure.type) {
    case 'count':
      return JSON.stringify(['count', measure.names, measure.where])
    case 'sum':
      return JSON.stringify(['sum', measure.names, measure.property, measure.where])
    default:
      return measure.type
  }
}

/** Months as texts, such as `2024-02`, sort by time. */
function isIn({ span }: Exclude<MeasureDefinition, { type: 'fixed' }>, ms: number, month: string): boolean {
  const of = new Date(ms).toISOString().slice(0, 7)
  if (span === 'month') return of === month
  return span === 'before' ? of < month : of <= month
}

/** Choice: only the motions that triggers can have are motions. Any other text is none. */
function motionOf({ properties: { motion } }: Signal): string | undefined {
  return MOTIONS.some(known => known === motion) ? (motion as string) : undefined
}

function isOf(
  split: SlowSplit,
  of: { readonly motion: string | undefined; readonly tier: string; readonly csm: string | undefined },
): boolean {
  return (
    (split.motion === undefined || split.motion === (of.motion ?? null)) &&
    (split.tier === undefined || split.tier === of.tier) &&
    (split.csm === undefined || split.csm === (of.csm ?? null))
  )
}

function isAskedFor(
  { names, where }: Extract<MeasureDefinition, { type: 'count' | 'sum' }>,
  { name, properties }: Signal,
): boolean {
  const isOneOf = (property: string, values: readonly (string | number | boolean)[]) =>
    Object.hasOwn(properties, property) && values.some(value => value === properties[property])
  return matchesAny(names, name) && where.every(({ property, values }) => isOneOf(property, values))
}

/** Choice: each number is rounded to thousandths by itself, halves up. */
function thousandthsOf(property: string | undefined, { quantityThousandths, properties }: Signal): number {
  if (property === undefined) return quantityThousandths
  const value = Object.hasOwn(properties, property) ? properties[property] : undefined
  return typeof value === 'number' ? Math.round(value * 1000) : 0
}
