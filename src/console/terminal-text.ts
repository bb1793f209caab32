/** Text from outside made safe for a terminal, and measured in its columns. */

/**
 * Everything that moves the cursor, changes colours, breaks a line or turns the direction of writing: controls, format characters,
 * line and paragraph separators, and code points that no font has.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu
/** Escape sequences go whole, or their letters would stay behind. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ESCAPE_SEQUENCE = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c]*/g
/** More marks on one letter than any language needs would run over the lines around it. */
const PILED_MARKS = /(\p{M}{3})\p{M}+/gu

/** One line of plain text: control and format characters are taken out, runs of white space become one space. */
export function plainText(text: string): string {
  return text
    .toWellFormed()
    .replace(ESCAPE_SEQUENCE, '')
    .replace(/[^\S\ufeff]+/g, ' ')
    .replace(UNSAFE, '')
    .replace(PILED_MARKS, '$1')
    .trim()
}

const ONLY_ASCII = /^[ -~]*$/
const NO_COLUMN = /^\p{M}+$/u
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u
/** East Asian wide and full-width: Unicode's EastAsianWidth.txt, in its large blocks. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]/u

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

function graphemeWidth(grapheme: string): number {
  if (NO_COLUMN.test(grapheme)) return 0
  return EMOJI.test(grapheme) || WIDE.test(grapheme) ? 2 : 1
}

/** Columns that a text takes in a terminal. */
export function textWidth(text: string): number {
  if (ONLY_ASCII.test(text)) return text.length
  let width = 0
  for (const { segment } of segmenter.segment(text)) width += graphemeWidth(segment)
  return width
}

/** The text, or as much of it as fits in `width` columns with an ellipsis behind. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text
  if (width < 1) return ''
  let cut = ''
  let used = 0
  for (const { segment } of segmenter.segment(text)) {
    used += graphemeWidth(segment)
    if (used > width - 1) break
    cut += segment
  }
  return `${cut.trimEnd()}…`
}

/** Exactly `width` columns: cut, or filled with spaces behind (`left`) or in front (`right`). */
export function column(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const cut = cutText(text, width)
  const space = ' '.repeat(Math.max(0, width - textWidth(cut)))
  return align === 'left' ? cut + space : space + cut
}
