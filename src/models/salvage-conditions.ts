import { readAmount, readCondition, readFormula } from './conditions.ts'
import type { Scope } from './feature-scope.ts'
import type { Path } from './path.ts'
import type { Report } from './report.ts'
import { namesIn, valueAt } from './sound-entries.ts'

/**
 * Checks the conditions and formulas in a feature, rule, gate, trigger, alert or metric whose form is wrong elsewhere, so that their problems need not wait for
 * the next run. What they say is thrown away.
 */
export function salvageConditions(value: unknown, path: Path, scope: Scope, report: Report): void {
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      salvageConditions(item, [...path, index], scope, report)
    })
    return
  }
  for (const name of namesIn(value)) {
    const inner = valueAt(value, name)
    const innerPath = [...path, name]
    const read = readerOf(name, scope)
    if (read === undefined || typeof inner !== 'string') salvageConditions(inner, innerPath, scope, report)
    else if (report.isSound(innerPath)) read(inner, innerPath, scope, report)
  }
}

/** What reads the text under a key; undefined if it is no expression. */
function readerOf(key: string, { what }: Scope) {
  switch (key) {
    case 'when':
    case 'open':
      return readCondition
    case 'confidence':
    case 'value':
      return readAmount
    case 'formula':
      return what === 'feature' ? readFormula : readAmount
    default:
      return undefined
  }
}
