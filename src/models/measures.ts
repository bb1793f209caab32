import type { MeasureDefinition } from '../scoring/definition/population-definition.ts'
import { checkFeatureNames, checkNames } from './names.ts'
import type { Path } from './path.ts'
import type { RawMeasure } from './raw-model.ts'
import { listOf } from './read-selection.ts'
import type { Report } from './report.ts'
import { soundEntries } from './sound-entries.ts'

type Conditions = Extract<MeasureDefinition, { readonly where: unknown }>['where']

/** What is added up a month, by name. Formulas of metrics use these names. */
export function readMeasures(block: unknown, path: Path, report: Report): MeasureDefinition[] {
  checkFeatureNames(block, path, report)
  return soundEntries<RawMeasure>(block, path, report).map(([name, raw]) =>
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
    const message = `found where beside ${type}; it goes with count or sum, which read signals; take where away`
    report.add([...path, 'where'], message, 'key')
  }
  if (raw.fixed === undefined) return { name, type: raw.pqls === undefined ? 'accounts' : 'pqls', span }
  if (raw.over !== undefined) {
    const message = 'found over beside fixed; a fixed measure is the same in every month; take over away'
    report.add([...path, 'over'], message, 'key')
  }
  return { name, type: 'fixed', value: raw.fixed }
}

function readWhere(raw: RawMeasure['where'] = {}, path: Path, report: Report): Conditions {
  checkNames(raw, path, report)
  return Object.entries(raw).map(([property, values]) => ({ property, values: listOf(values) }))
}
