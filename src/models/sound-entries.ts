import type { Path } from './path.ts'
import type { Report } from './report.ts'

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
