import type { RateDefinition, SegmentDefinition } from '../scoring/definition/population-definition.ts'
import { checkNames, titleOf } from './names.ts'
import type { Path } from './path.ts'
import type { RawRate } from './raw-model.ts'
import { readSelection } from './read-selection.ts'
import type { Report } from './report.ts'
import { soundEntries } from './sound-entries.ts'

const PATH = ['rates']
/** Where accounts go whose value is not listed, and those without one. */
const REST = ['other', 'unknown']
/** A segment's name is a parameter of the API's answer about the rate, beside these. */
const PARAMETERS = ['model', 'from', 'to', 'every', 'window', 'by']
/**
 * Each combination of segments has counters of its own, and may be a row of the answer. With 1,000 of them and 3 counters a day in each, all of 400 days are
 * 1.2 million counters, which are read in some seconds.
 */
const MAX_COMBINATIONS = 1000

export function readRates(block: unknown, report: Report): RateDefinition[] {
  checkNames(block, PATH, report)
  return soundEntries<RawRate>(block, PATH, report).map(([name, raw]) => {
    const segments = readSegments(raw.by, [...PATH, name, 'by'], report)
    return { name, title: raw.title ?? titleOf(name), select: readSelection(raw), segments }
  })
}

function readSegments(raw: RawRate['by'] = {}, path: Path, report: Report): SegmentDefinition[] {
  checkNames(raw, path, report)
  let combinations = 1
  for (const [name, { values }] of Object.entries(raw)) {
    if (PARAMETERS.includes(name)) {
      const message = `found the name "${name}", by which the API asks for something else; any other name is accepted; choose another`
      report.add([...path, name], message, 'key')
    }
    combinations *= values.length + REST.length
    values.forEach((value, index) => {
      if (!REST.includes(value)) return
      const message = `found "${value}", which is there anyway; any other value is accepted; take it away`
      report.add([...path, name, 'values', index], message)
    })
  }
  if (combinations > MAX_COMBINATIONS) {
    const found = `these segments make ${combinations} combinations, other and unknown counted`
    report.add(path, `${found}; at most ${MAX_COMBINATIONS} are accepted; list fewer values`, 'key')
  }
  return Object.entries(raw).map(([name, { of, values }]) => ({ name, key: of, values: [...values] }))
}
