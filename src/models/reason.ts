import { featuresRead } from '../scoring/definition/compile-expression.ts'
import type { Condition } from '../scoring/definition/expression.ts'
import { type Scope, typeOfFeature } from './feature-scope.ts'
import type { Path } from './path.ts'
import type { Report } from './report.ts'

/**
 * Reports placeholders of a trigger's reason that stand for nothing. `{feature}` and `{feature%}` stand for what the
 * trigger's condition has read, as that is the evidence that a PQL keeps.
 *
 * @param when undefined if it could not be read.
 */
export function checkReason(
  text: string,
  when: Condition | undefined,
  path: Path,
  scope: Scope,
  report: Report,
): void {
  const read = when && featuresRead(when.expression)
  for (const match of text.matchAll(/\{([^{}]*)\}|[{}]/g)) {
    const inside = match[1]
    if (inside === undefined) {
      const message = `found a single ${match[0]}; accepted: {feature} and {feature%}; close it or take it away`
      report.addInText(path, match.index, message)
      continue
    }
    const isPercent = inside.endsWith('%')
    const name = isPercent ? inside.slice(0, -1) : inside
    const type = typeOfFeature(name, scope, message => report.addInText(path, match.index + 1, message))
    if (type !== undefined && read !== undefined && !read.includes(name)) {
      const advice = `put it there, as in && known(${name}), or take it away`
      report.addInText(
        path,
        match.index + 1,
        `${name} is not in when; a reason tells what when has read; ${advice}`,
      )
    }
    if (isPercent && (type === 'text' || type === 'flag')) {
      report.addInText(
        path,
        match.index + 1,
        `${name} is not a number; {feature%} takes one; write {${name}}`,
      )
    }
  }
}
