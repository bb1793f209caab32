import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../../src/app/config.ts'

/** Reads the tables of docs/values.md. */

/** A row: a field with a value, and what happens. */
export interface ValueRow {
  /** The heading above the table. */
  readonly section: string
  readonly field: string
  /** JSON text; undefined: the field is left out. */
  readonly example: string | undefined
  readonly expected: Expected
  /** Whether the JSON Schemas cannot refuse it. */
  readonly beyondSchema: boolean
  /** In the topic `signals`; undefined: a code of a rejection. */
  readonly inLog: { readonly accepted: boolean; readonly code: string | undefined }
  readonly title: string
}

export interface Expected {
  readonly outcome: 'accepted' | 'refused' | 'no value' | 'stays as it was'
  /** The code of a refusal. */
  readonly code: string | undefined
  /** The value after `as`; undefined: the page does not say it. */
  readonly value: unknown
  /** The codes in `notCounted`. */
  readonly listed: readonly string[]
}

const COLUMNS = '| field | value | example | what happens | in the log already |'

export function readValuesPage(): ValueRow[] {
  const lines = readFileSync(join(PACKAGE_ROOT, 'docs/values.md'), 'utf8').split('\n')
  let section = ''
  let isTable = false
  return lines.flatMap(line => {
    if (line.startsWith('## ')) section = line.slice(3)
    if (line === COLUMNS) isTable = true
    if (!line.startsWith('|')) isTable = false
    if (!isTable || line === COLUMNS || line.startsWith('| ---')) return []
    const cells = line
      .slice(1, -1)
      .split(' | ')
      .map(cell => cell.trim())
    if (cells.length !== 5) throw new Error(`docs/values.md: this row has not 5 cells: ${line}`)
    return [readRow(section, cells as [string, string, string, string, string])]
  })
}

function readRow(
  section: string,
  [field, value, example, happens, inLog]: [string, string, string, string, string],
): ValueRow {
  const expected = readExpected(happens)
  const accepted = expected.outcome !== 'refused'
  return {
    section,
    field: field.replaceAll('`', ''),
    example: example === '—' ? undefined : repeated(codeIn(example)),
    expected,
    beyondSchema: value.endsWith('†'),
    inLog:
      inLog === ''
        ? { accepted, code: expected.code }
        : {
            accepted: inLog.startsWith('accepted'),
            code: inLog.startsWith('refused') ? codeIn(inLog) : undefined,
          },
    title: `${section}: ${field} ${value} (${example.slice(0, 40)})`,
  }
}

function readExpected(happens: string): Expected {
  const match =
    /^(accepted|no value|stays as it was|refused: `(?<code>[a-z-]+)`)( as `(?<value>.+?)`)?(; listed: `(?<listed>[a-z-]+)`)?/.exec(
      happens,
    )
  if (match === null) throw new Error(`docs/values.md: this does not say what happens: ${happens}`)
  const { code, value, listed } = match.groups!
  return {
    outcome: code === undefined ? (match[1] as Expected['outcome']) : 'refused',
    code,
    value: value === undefined ? undefined : JSON.parse(value),
    listed: listed === undefined ? [] : [listed],
  }
}

/** The text between the first and the last backtick, and what follows: `"x"` × 513. */
function codeIn(cell: string): string {
  const match = /`(.*)`(.*)$/.exec(cell)
  if (match === null) throw new Error(`docs/values.md: there is no code in ${cell}`)
  return match[1]! + match[2]!
}

/** `"x" × 3` → `"xxx"` */
function repeated(text: string): string {
  return text.replace(/"([^"]+)" × (\d+)/gu, (_, letter: string, times: string) =>
    JSON.stringify(letter.repeat(Number(times))),
  )
}
