import { eastAsianWidth } from 'get-east-asian-width'

// Text from outside, made safe for a terminal and measured in its columns.

/**
 * Characters that move the cursor, change colours, break a line or turn the direction of writing: controls,
 * format characters, line and paragraph separators, and code points that no font has.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu
/**
 * Whole escape sequences; without this, their letters would stay. Node's `stripVTControlCharacters` (20.20)
 * leaves the letters of one-byte (`\u009b`) and unterminated sequences.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression looks for them
const ESCAPE_SEQUENCE = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c]*/g
/** No language needs more marks on one letter; more would run over the lines around it. */
const PILED_MARKS = /(\p{M}{3})\p{M}+/gu

/**
 * One line of plain text: control and format characters are removed, runs of white space become one space.
 */
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

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

function graphemeWidth(grapheme: string): number {
  if (NO_COLUMN.test(grapheme)) return 0
  return EMOJI.test(grapheme) ? 2 : eastAsianWidth(grapheme.codePointAt(0)!)
}

/** Columns that a text takes in a terminal. */
export function textWidth(text: string): number {
  if (ONLY_ASCII.test(text)) return text.length
  let width = 0
  for (const { segment } of segmenter.segment(text)) width += graphemeWidth(segment)
  return width
}

/** The text, or as much of it as fits in `width` columns with an ellipsis. Never cuts inside a character. */
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

/** Exactly `width` columns: cut, or filled with spaces after (`left`) or before (`right`) the text. */
export function column(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const cut = cutText(text, width)
  const space = ' '.repeat(Math.max(0, width - textWidth(cut)))
  return align === 'left' ? cut + space : space + cut
}
