import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../src/app/config.ts'
import { LIMIT_NAMES, LIMITS } from '../src/scoring/activity/activity.ts'
import { SIGNAL_LIMITS } from '../src/signals/signal-limits.ts'

const read = (file: string) => readFileSync(join(PACKAGE_ROOT, file), 'utf8')

/** A row of docs/limits.md that names its place in the code. */
interface Row {
  readonly limit: string
  readonly number: string
  readonly file: string
  readonly constant: string
}

const PAGE = read('docs/limits.md')
const ROWS: readonly Row[] = PAGE.split('\n').flatMap(line => {
  const cells = line.split('|').map(cell => cell.trim())
  const place = /^`(src\/[^`]+)` `([^`]+)`$/.exec(cells.at(-2) ?? '')
  return place === null ? [] : [{ limit: cells[1]!, number: cells[2]!, file: place[1]!, constant: place[2]! }]
})

/** The value of `const NAME = …` or of `name: …` in a source file; a product or power of plain numbers. */
function valueIn({ file, constant }: Row): number | undefined {
  const source = read(file)
  // A sum is in thousandths.
  if (constant === 'Number.MAX_SAFE_INTEGER')
    return source.includes(constant) ? Number.MAX_SAFE_INTEGER / 1000 : undefined
  const found = new RegExp(
    `^\\s*(?:(?:export )?const ${constant} =|${constant}:) ([\\d_e.* ]+),?$`,
    'm',
  ).exec(source)
  if (found === null) return undefined
  return found[1]!
    .split('*')
    .map(factor => Number(factor.trim().replaceAll('_', '')))
    .reduce((product, factor) => product * factor, 1)
}

test.each(ROWS)('docs/limits.md has the number of the code: $limit', row => {
  expect(valueIn(row)?.toLocaleString('en-US', { maximumFractionDigits: 4 })).toBe(row.number)
})

test('docs/limits.md has a row for each limit of accounts and signals', () => {
  const constants = (file: string) => ROWS.filter(row => row.file === file).map(({ constant }) => constant)
  expect(constants('src/scoring/activity/activity.ts').sort()).toEqual(Object.keys(LIMITS).sort())
  expect(constants('src/signals/signal-limits.ts')).toEqual(
    expect.arrayContaining(Object.keys(SIGNAL_LIMITS)),
  )
  expect(ROWS.length).toBeGreaterThan(45)
})

test('docs/limits.md names each label of the metric', () => {
  for (const name of LIMIT_NAMES) expect(PAGE).toContain(`\`limit\`: \`${name}\``)
})
