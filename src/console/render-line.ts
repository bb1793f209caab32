import { styleText } from 'node:util'
import { cutText, textWidth } from './terminal-text.ts'

export type Style = Parameters<typeof styleText>[0]

/** A piece of a line in one style. Its text is plain: see `plainText`. */
export type Segment = string | { readonly text: string; readonly style: Style }

/** One line of at most `width` columns; what does not fit is cut. `color: false` gives plain text. */
export function renderLine(segments: readonly Segment[], width: number, color: boolean): string {
  let line = ''
  let left = width
  for (const segment of segments) {
    const { text, style } = typeof segment === 'string' ? { text: segment, style: undefined } : segment
    const cut = cutText(text, left)
    // The caller decided on colours: styleText must not look at a stream of its own choice.
    line += color && style !== undefined ? styleText(style, cut, { validateStream: false }) : cut
    left -= textWidth(cut)
    if (cut !== text) break
  }
  return line.trimEnd()
}

/** Columns that a line of segments takes. */
export function segmentsWidth(segments: readonly Segment[]): number {
  return segments.reduce(
    (width, segment) => width + textWidth(typeof segment === 'string' ? segment : segment.text),
    0,
  )
}
