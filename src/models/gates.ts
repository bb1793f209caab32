import type { GateDefinition } from '../scoring/definition/model-definition.ts'
import { readCondition } from './conditions.ts'
import type { Scope } from './feature-scope.ts'
import { checkNames, titleOf } from './names.ts'
import type { RawGate } from './raw-model.ts'
import type { Report } from './report.ts'
import { salvageConditions } from './salvage-conditions.ts'
import { soundEntries, unsoundEntries } from './sound-entries.ts'

const PATH = ['gates']

export function readGates(block: unknown, scope: Scope, report: Report): GateDefinition[] {
  checkNames(block, PATH, report)
  const gates: GateDefinition[] = []
  for (const [name, raw] of soundEntries<RawGate>(block, PATH, report)) {
    const open = readCondition(raw.open, [...PATH, name, 'open'], scope, report)
    if (open === undefined) continue
    gates.push({ name, title: raw.title ?? titleOf(name), open, missing: raw.missing })
  }
  for (const [name, raw] of unsoundEntries(block, PATH, report)) {
    salvageConditions(raw, [...PATH, name], scope, report)
  }
  return gates
}
