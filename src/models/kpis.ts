import type { KpiDefinition, KpiSection } from '../scoring/definition/population-definition.ts'
import { readAmount } from './conditions.ts'
import type { Scope } from './feature-scope.ts'
import { readMeasures } from './measures.ts'
import { checkNames, titleOf } from './names.ts'
import type { RawMetric } from './raw-model.ts'
import type { Report } from './report.ts'
import { salvageConditions } from './salvage-conditions.ts'
import { namesIn, soundEntries, soundValue, unsoundEntries, valueAt } from './sound-entries.ts'

const PATH = ['kpis']
const MEASURES = [...PATH, 'measures']
const METRICS = [...PATH, 'metrics']

/** @param features what expressions elsewhere may read: no metric may. */
export function readKpis(data: unknown, features: Scope, report: Report): KpiSection | undefined {
  const block = valueAt(data, 'kpis')
  if (block === undefined) return undefined
  const measureBlock = valueAt(block, 'measures')
  const metricBlock = valueAt(block, 'metrics')
  const measures = readMeasures(measureBlock, MEASURES, report)
  const names = namesIn(measureBlock)
  const scope: Scope = {
    what: 'measure',
    types: new Map(names.map(name => [name, 'number'])),
    isComplete: names.length > 0,
    tierNames: undefined,
    outOfReach: new Map(
      [...features.types.keys(), 'score', 'tier'].map(name => [name, describeFeature(name)]),
    ),
  }
  checkNames(metricBlock, METRICS, report)
  const kpis: KpiDefinition[] = []
  for (const [name, raw] of soundEntries<RawMetric>(metricBlock, METRICS, report)) {
    const formula = readAmount(raw.formula, [...METRICS, name, 'formula'], scope, report)
    if (formula === undefined) continue
    const { title = titleOf(name), unit, target } = raw
    kpis.push({ name, title, formula, unit, target: target === undefined ? undefined : readTarget(target) })
  }
  for (const [name, raw] of unsoundEntries(metricBlock, METRICS, report)) {
    salvageConditions(raw, [...METRICS, name], scope, report)
  }
  return { csmKey: soundValue<string>(block, 'csm', PATH, report), measures, kpis }
}

function describeFeature(name: string): string {
  const what =
    name === 'score' || name === 'tier' ? 'a variable of triggers and alerts' : 'a feature of one account'
  return `${name} is ${what}; a metric reads measures; define what it needs under measures`
}

/** Of a text that the schema has checked: `> 3`, `>= 0.25`. */
function readTarget(text: string): KpiDefinition['target'] {
  const operator = (['>=', '<=', '>', '<'] as const).find(each => text.startsWith(each))!
  return { operator, value: Number(text.slice(operator.length)) }
}
