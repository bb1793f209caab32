import { styleText } from 'node:util'
import { column, cutText, plainText, textWidth } from './terminal-text.ts'

export type Style = Parameters<typeof styleText>[0]

/** A piece of a line in one style. Its text must be plain: see `plainText`. */
export type Segment = string | { readonly text: string; readonly style: Style }

export type Line = readonly Segment[]

/** How lines are printed: in colour or not, in at most `width` columns. */
export interface LineLook {
  readonly color: boolean
  readonly width: number
}

/** One line of at most `width` columns; a longer line is cut. `color: false` gives plain text. */
export function renderLine(segments: Line, { color, width }: LineLook): string {
  let line = ''
  let left = width
  for (const segment of segments) {
    const { text, style } = typeof segment === 'string' ? { text: segment, style: undefined } : segment
    const cut = cutText(text, left)
    // The caller decides on colours; styleText must not look at a stream of its own choice.
    line += color && style !== undefined ? styleText(style, cut, { validateStream: false }) : cut
    left -= textWidth(cut)
    if (cut !== text) break
  }
  return line.trimEnd()
}

/** Sections with an empty line between them; empty sections are left out. No newline at the end. */
export function renderSections(sections: readonly (readonly Line[])[], look: LineLook): string {
  return sections
    .filter(lines => lines.length > 0)
    .map(lines => lines.map(line => renderLine(line, look)).join('\n'))
    .join('\n\n')
}

/** Columns that a line of segments takes. */
export function segmentsWidth(segments: Line): number {
  return segments.reduce((width, segment) => width + textWidth(textOf(segment)), 0)
}

const WIDEST_CELL = 40

/**
 * Rows of aligned cells: the first column to the left, the others to the right, all indented by two spaces.
 */
export function table(rows: readonly Line[]): Segment[][] {
  const columns = Math.max(0, ...rows.map(row => row.length))
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.min(WIDEST_CELL, Math.max(...rows.map(row => textWidth(plainText(textOf(row[i] ?? '')))))),
  )
  return rows.map(row =>
    row.map((cell, i) => {
      const aligned = `  ${column(plainText(textOf(cell)), widths[i]!, i === 0 ? 'left' : 'right')}`
      return typeof cell === 'string' ? aligned : { ...cell, text: aligned }
    }),
  )
}

function textOf(segment: Segment): string {
  return typeof segment === 'string' ? segment : segment.text
}
