import { readCondition } from './conditions.ts'
import type { Scope } from './feature-scope.ts'
import type { Path } from './path.ts'
import type { Report } from './report.ts'
import { namesIn, valueAt } from './sound-entries.ts'

/**
 * Checks the conditions in a rule, gate or trigger whose form is wrong elsewhere, so that their problems need not wait for
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
    const isCondition = (name === 'when' || name === 'open') && typeof inner === 'string'
    if (!isCondition) salvageConditions(inner, innerPath, scope, report)
    else if (report.isSound(innerPath)) readCondition(inner, innerPath, scope, report)
  }
}
