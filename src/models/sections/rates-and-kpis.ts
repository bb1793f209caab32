import type {
  KpiDefinition,
  KpiSection,
  MeasureDefinition,
  RateDefinition,
  SegmentDefinition,
} from '../../scoring/definition/model-definition.ts'
import {
  checkFeatureNames,
  checkNames,
  malformedEntries,
  namesIn,
  titleOf,
  valueAt,
  wellFormedEntries,
  wellFormedValue,
} from '../blocks.ts'
import { checkExpressionsIn, readNumberFormula } from '../expressions/read-expression.ts'
import type { Scope } from '../expressions/scope.ts'
import type { Report } from '../problems.ts'
import type { RawMeasure, RawMetric, RawRate } from '../raw-model.ts'
import type { Path } from '../yaml/path.ts'
import { listOf, readSelection } from './shared-values.ts'

const RATES = ['rates']
/** The segments of accounts whose value is not listed (`other`), or that have none (`unknown`). */
const REST = ['other', 'unknown']
/** The API has a parameter for each segment, beside these. */
const PARAMETERS = ['model', 'from', 'to', 'every', 'window', 'by']
/**
 * Each combination of segments has its own counters, and can be a row of the API's answer. 1,000 combinations
 * with 3 counters a day make 1.2 million counters in 400 days. Reading all of them takes a few seconds.
 */
const MAX_COMBINATIONS = 1000

export function readRates(block: unknown, report: Report): RateDefinition[] {
  checkNames(block, RATES, report)
  return wellFormedEntries<RawRate>(block, RATES, report).map(([name, raw]) => {
    const segments = readSegments(raw.by, [...RATES, name, 'by'], report)
    return { name, title: raw.title ?? titleOf(name), select: readSelection(raw), segments }
  })
}

function readSegments(raw: RawRate['by'] = {}, path: Path, report: Report): SegmentDefinition[] {
  checkNames(raw, path, report)
  let combinations = 1
  for (const [name, { values }] of Object.entries(raw)) {
    if (PARAMETERS.includes(name)) {
      const message = `found the name "${name}", which the API uses as a parameter; any other name is accepted; choose another`
      report.add([...path, name], message, 'key')
    }
    combinations *= values.length + REST.length
    values.forEach((value, index) => {
      if (!REST.includes(value)) return
      const message = `found "${value}", which every segment has anyway; any other value is accepted; remove it`
      report.add([...path, name, 'values', index], message)
    })
  }
  if (combinations > MAX_COMBINATIONS) {
    const found = `these segments make ${combinations} combinations, including other and unknown`
    report.add(path, `${found}; at most ${MAX_COMBINATIONS} are accepted; list fewer values`, 'key')
  }
  return Object.entries(raw).map(([name, { of, values }]) => ({ name, key: of, values: [...values] }))
}

const KPIS = ['kpis']
const MEASURES = [...KPIS, 'measures']
const METRICS = [...KPIS, 'metrics']

/**
 * Reads the KPIs of a file.
 *
 * @param features the scope of other expressions. Metrics may not use its names.
 */
export function readKpis(data: unknown, features: Scope, report: Report): KpiSection | undefined {
  const block = valueAt(data, 'kpis')
  if (block === undefined) return undefined
  const measureBlock = valueAt(block, 'measures')
  const metricBlock = valueAt(block, 'metrics')
  const measures = readMeasures(measureBlock, MEASURES, report)
  const names = namesIn(measureBlock)
  const scope: Scope = {
    nameKind: 'measure',
    types: new Map(names.map(name => [name, 'number'])),
    isComplete: names.length > 0,
    tierNames: undefined,
    foreignNames: new Map(
      [...features.types.keys(), 'score', 'tier'].map(name => [name, describeFeature(name)]),
    ),
  }
  checkNames(metricBlock, METRICS, report)
  const kpis: KpiDefinition[] = []
  for (const [name, raw] of wellFormedEntries<RawMetric>(metricBlock, METRICS, report)) {
    const formula = readNumberFormula(raw.formula, [...METRICS, name, 'formula'], scope, report)
    if (formula === undefined) continue
    const { title = titleOf(name), unit, target } = raw
    kpis.push({ name, title, formula, unit, target: target === undefined ? undefined : readTarget(target) })
  }
  for (const [name, raw] of malformedEntries(metricBlock, METRICS, report)) {
    checkExpressionsIn(raw, [...METRICS, name], scope, report)
  }
  return { csmKey: wellFormedValue<string>(block, 'csm', KPIS, report), measures, kpis }
}

function describeFeature(name: string): string {
  const what =
    name === 'score' || name === 'tier' ? 'a variable of triggers and alerts' : 'a feature of one account'
  return `${name} is ${what}; a metric reads measures; define what it needs under measures`
}

/** Reads a target such as `> 3` or `>= 0.25`. The schema has checked its form. */
function readTarget(text: string): KpiDefinition['target'] {
  const operator = (['>=', '<=', '>', '<'] as const).find(each => text.startsWith(each))!
  return { operator, value: Number(text.slice(operator.length)) }
}

type Conditions = Extract<MeasureDefinition, { readonly where: unknown }>['where']

/** Reads the measures: numbers that are added up for each month. The formulas of metrics use their names. */
export function readMeasures(block: unknown, path: Path, report: Report): MeasureDefinition[] {
  checkFeatureNames(block, path, report)
  return wellFormedEntries<RawMeasure>(block, path, report).map(([name, raw]) =>
    readMeasure(name, raw, [...path, name], report),
  )
}

function readMeasure(name: string, raw: RawMeasure, path: Path, report: Report): MeasureDefinition {
  const { over: span = 'month', property } = raw
  const names = raw.count ?? raw.sum
  if (names !== undefined) {
    const type = raw.count === undefined ? 'sum' : 'count'
    const where = readWhere(raw.where, [...path, 'where'], report)
    return { name, type, names: listOf(names), property, where, span }
  }
  if (raw.where !== undefined) {
    const type = raw.fixed !== undefined ? 'fixed' : raw.pqls === undefined ? 'accounts' : 'pqls'
    const message = `found where beside ${type}; it goes with count or sum, which read signals; remove where`
    report.add([...path, 'where'], message, 'key')
  }
  if (raw.fixed === undefined) return { name, type: raw.pqls === undefined ? 'accounts' : 'pqls', span }
  if (raw.over !== undefined) {
    const message = 'found over beside fixed; a fixed measure is the same in every month; remove over'
    report.add([...path, 'over'], message, 'key')
  }
  return { name, type: 'fixed', value: raw.fixed }
}

function readWhere(raw: RawMeasure['where'] = {}, path: Path, report: Report): Conditions {
  checkNames(raw, path, report)
  return Object.entries(raw).map(([property, values]) => ({ property, values: listOf(values) }))
}
