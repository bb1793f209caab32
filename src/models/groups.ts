import type { GroupDefinition, RuleDefinition } from '../scoring/definition/model-definition.ts'
import type { Scope } from './feature-scope.ts'
import { checkNames, titleOf } from './names.ts'
import { describePath, type Path } from './path.ts'
import type { RawGroup, RawRule } from './raw-model.ts'
import { readRule } from './read-rule.ts'
import type { Report } from './report.ts'
import { salvageConditions } from './salvage-conditions.ts'
import { namesIn, soundEntries, soundValue, unsoundEntries, valueAt } from './sound-entries.ts'

const PATH = ['groups']

/** The groups of a file with their rules. The rules of a group that is not sound are checked all the same. */
export function readGroups(block: unknown, scope: Scope, report: Report): GroupDefinition[] {
  checkNames(block, PATH, report)
  const seen = new Map<string, Path>()
  return namesIn(block).map(name =>
    readGroup(name, valueAt(block, name), [...PATH, name], scope, report, seen),
  )
}

function readGroup(
  name: string,
  raw: unknown,
  path: Path,
  scope: Scope,
  report: Report,
  seen: Map<string, Path>,
): GroupDefinition {
  const rulesPath = [...path, 'rules']
  const rawRules = valueAt(raw, 'rules')
  checkNames(rawRules, rulesPath, report)
  for (const rule of namesIn(rawRules)) checkUnique(rule, [...rulesPath, rule], seen, report)
  const rules: RuleDefinition[] = []
  for (const [rule, rawRule] of soundEntries<RawRule>(rawRules, rulesPath, report)) {
    const definition = readRule(rule, rawRule, [...rulesPath, rule], scope, report)
    if (definition !== undefined) rules.push(definition)
  }
  for (const [rule, rawRule] of unsoundEntries(rawRules, rulesPath, report)) {
    salvageConditions(rawRule, [...rulesPath, rule], scope, report)
  }
  if (rules.length === namesIn(rawRules).length && rules.length > 0 && rules.every(rule => rule.max === 0)) {
    const message = `no rule of ${name} can give more than 0 points; a group needs one that can; add points to a rule`
    report.add(path, message, 'key')
  }
  return {
    name,
    title: soundValue<RawGroup['title']>(raw, 'title', path, report) ?? titleOf(name),
    weight: soundValue<RawGroup['weight']>(raw, 'weight', path, report) ?? 0,
    max: soundValue<RawGroup['max']>(raw, 'max', path, report) ?? 0,
    rules,
  }
}

/** A contribution names its rule, and people speak of rules without their group. */
function checkUnique(rule: string, path: Path, seen: Map<string, Path>, report: Report): void {
  const first = seen.get(rule)
  if (first === undefined) {
    seen.set(rule, path)
    return
  }
  const message = `the rule ${rule} is also ${describePath(first)}; a rule's name is used once; choose another`
  report.add(path, message, 'key')
}
