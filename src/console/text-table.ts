import type { Segment } from './render-line.ts'
import { column, plainText, textWidth } from './terminal-text.ts'

export type Cell = Segment

const WIDEST = 40

/** Lines of aligned columns, the first to the left, the others to the right, two spaces in. */
export function table(rows: readonly (readonly Cell[])[]): Segment[][] {
  const columns = Math.max(0, ...rows.map(row => row.length))
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.min(WIDEST, Math.max(...rows.map(row => textWidth(textOf(row[i]))))),
  )
  return rows.map(row =>
    row.map((cell, i) => {
      const aligned = `  ${column(textOf(cell), widths[i]!, i === 0 ? 'left' : 'right')}`
      return typeof cell === 'string' ? aligned : { ...cell, text: aligned }
    }),
  )
}

function textOf(cell: Cell | undefined): string {
  return plainText(typeof cell === 'object' ? cell.text : (cell ?? ''))
}
