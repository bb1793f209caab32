import type { Value } from '../../src/scoring/definition/expression.ts'

export type Row = Record<string, Value>

/**
 * Reads a table in text. The first line has names; the others have numbers, words, `true`, `false`, and `-`
 * for unknown.
 */
export function table(text: string): Row[] {
  const [names, ...rows] = text
    .trim()
    .split('\n')
    .map(line => line.split('|').map(cell => cell.trim()))
  return rows.map(cells => Object.fromEntries(names!.map((name, i) => [name, readCell(cells[i]!)])))
}

function readCell(cell: string): Value {
  if (cell === '-') return undefined
  if (cell === 'true' || cell === 'false') return cell === 'true'
  return Number.isNaN(Number(cell)) ? cell : Number(cell)
}
