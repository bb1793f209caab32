import type { Path } from './path.ts'
import type { Report } from './report.ts'
import { namesIn } from './sound-entries.ts'

/** Words that mean something else in a condition: CEL's reserved words, and our own variables and function. */
const WORDS_OF_CONDITIONS = new Set(
  (
    'true false null in as break const continue else for function if import let loop package namespace return var void ' +
    'while prototype score tier known'
  ).split(' '),
)

/** Reports names in a block that every JavaScript object has as a property, so that no look-up by name can go astray. */
export function checkNames(block: unknown, path: Path, report: Report): void {
  for (const name of namesIn(block)) checkName(name, [...path, name], 'key', report)
}

/** As `checkNames`, of one name that is the key or the value at the path. */
export function checkName(name: string, path: Path, part: 'key' | 'value', report: Report): void {
  if (name in Object.prototype) report.add(path, taken(name), part)
}

/** As `checkNames`, of names that stand in expressions: also reports the words that are reserved there. */
export function checkFeatureNames(block: unknown, path: Path, report: Report): void {
  checkNames(block, path, report)
  for (const name of namesIn(block)) {
    if (WORDS_OF_CONDITIONS.has(name)) report.add([...path, name], taken(name), 'key')
  }
}

/** `seats-nearly-full` and `seatsNearlyFull` as a title: `Seats nearly full`. */
export function titleOf(name: string): string {
  const words = name
    .replaceAll('-', ' ')
    .replace(/([a-z0-9])([A-Z])/g, (_, before: string, letter: string) => `${before} ${letter.toLowerCase()}`)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function taken(name: string): string {
  return `found the name ${JSON.stringify(name)}, which is a reserved word; any other name is accepted; choose another`
}
