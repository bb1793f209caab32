import type { Report } from './problems.ts'
import type { Path } from './yaml/path.ts'

// A block is a YAML mapping of names. A value is well-formed if it and everything in it has the form that the
// schema asks for. Malformed values are reported and left out, so that the rest of the file is checked in the
// same run.

/** The value under a key, unchecked; undefined if there is none. */
export function valueAt(holder: unknown, key: string): unknown {
  return isBlock(holder) ? holder[key] : undefined
}

/** All names in a block, in the order of the file, also if their values are malformed. */
export function namesIn(block: unknown): string[] {
  return isBlock(block) ? Object.keys(block) : []
}

/** The well-formed entries of a block. Here (and in `wellFormedValue`) checked data gets its type. */
export function wellFormedEntries<Entry>(
  block: unknown,
  path: Path,
  report: Report,
): [name: string, entry: Entry][] {
  return namesIn(block)
    .filter(name => report.isWellFormed([...path, name]))
    .map(name => [name, valueAt(block, name) as Entry])
}

/** The malformed entries of a block. */
export function malformedEntries(
  block: unknown,
  path: Path,
  report: Report,
): [name: string, entry: unknown][] {
  return namesIn(block)
    .filter(name => !report.isWellFormed([...path, name]))
    .map(name => [name, valueAt(block, name)])
}

/** The value under a key; undefined if there is none or it is malformed. */
export function wellFormedValue<Value>(
  holder: unknown,
  key: string,
  path: Path,
  report: Report,
): Value | undefined {
  return report.isWellFormed([...path, key]) ? (valueAt(holder, key) as Value | undefined) : undefined
}

function isBlock(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Words with another meaning in a condition: CEL's reserved words, our own variables, and our own function.
 */
const RESERVED_IN_CONDITIONS = new Set(
  (
    'true false null in as break const continue else for function if import let loop package namespace return var void ' +
    'while prototype score tier known'
  ).split(' '),
)

/**
 * Reports names that every JavaScript object has as a property: a look-up by name could find that property.
 */
export function checkNames(block: unknown, path: Path, report: Report): void {
  for (const name of namesIn(block)) checkName(name, [...path, name], 'key', report)
}

/** Checks one name as `checkNames` does. The name is the key or the value at the path. */
export function checkName(name: string, path: Path, part: 'key' | 'value', report: Report): void {
  if (name in Object.prototype) report.add(path, taken(name), part)
}

/** Checks names that expressions use: as `checkNames`, and reports words that are reserved in expressions. */
export function checkFeatureNames(block: unknown, path: Path, report: Report): void {
  checkNames(block, path, report)
  for (const name of namesIn(block)) {
    if (RESERVED_IN_CONDITIONS.has(name)) report.add([...path, name], taken(name), 'key')
  }
}

/** Makes a title of a name: `seats-nearly-full` and `seatsNearlyFull` become `Seats nearly full`. */
export function titleOf(name: string): string {
  const words = name
    .replaceAll('-', ' ')
    .replace(/([a-z0-9])([A-Z])/g, (_, before: string, letter: string) => `${before} ${letter.toLowerCase()}`)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function taken(name: string): string {
  return `found the name ${JSON.stringify(name)}, which is a reserved word; any other name is accepted; choose another`
}
