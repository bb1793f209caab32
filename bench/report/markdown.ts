import { middle } from './statistics.ts'

/** `12,345.6` */
export function number(value: number, decimals = 0): string {
  return value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}

/** The median, and in brackets the range: `12 (10–17)`. */
export function spread(values: readonly number[], decimals = 0): string {
  if (values.length === 0) return ''
  const { median, least, most } = middle(values)
  const [m, a, b] = [median, least, most].map(value => number(value, decimals))
  return values.length === 1 ? m! : `${m} (${a}–${b})`
}

/** A table, padded so that it reads well in a terminal too. The first row is the header. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`
  const [header, ...body] = rows
  return [
    line(header!),
    line(widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))),
    ...body.map(line),
  ]
}

export const MIB = 2 ** 20
