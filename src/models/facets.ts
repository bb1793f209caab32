import type { FacetDefinition } from '../scoring/definition/model-definition.ts'
import { checkNames } from './names.ts'
import type { Report } from './report.ts'
import { soundEntries } from './sound-entries.ts'

const PATH = ['facets']

export function readFacets(block: unknown, report: Report): FacetDefinition[] {
  checkNames(block, PATH, report)
  return soundEntries<string>(block, PATH, report).map(([name, key]) => ({ name, key }))
}
