import type { Report } from './problems.ts'
import type { Path } from './yaml/path.ts'

/** The value under a key, whatever it is; undefined if there is none. */
export function valueAt(holder: unknown, key: string): unknown {
  return isBlock(holder) ? holder[key] : undefined
}

/** The names in a block of keys, in the order of the file, whether or not what they stand for is sound. */
export function namesIn(block: unknown): string[] {
  return isBlock(block) ? Object.keys(block) : []
}

/**
 * The entries of a block of keys that have the form the schema gives them, typed as such: the one place where a checked
 * form becomes a type. The others have been reported; leaving them out lets everything else be checked at the same time.
 */
export function soundEntries<Entry>(
  block: unknown,
  path: Path,
  report: Report,
): [name: string, entry: Entry][] {
  return namesIn(block)
    .filter(name => report.isSound([...path, name]))
    .map(name => [name, valueAt(block, name) as Entry])
}

/** The entries of a block of keys whose form is wrong. */
export function unsoundEntries(block: unknown, path: Path, report: Report): [name: string, entry: unknown][] {
  return namesIn(block)
    .filter(name => !report.isSound([...path, name]))
    .map(name => [name, valueAt(block, name)])
}

/** The value under a key if it has the form the schema gives it. */
export function soundValue<Value>(
  holder: unknown,
  key: string,
  path: Path,
  report: Report,
): Value | undefined {
  return report.isSound([...path, key]) ? (valueAt(holder, key) as Value | undefined) : undefined
}

function isBlock(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

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
