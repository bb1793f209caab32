import type { Scalar } from 'yaml'

// Three ways to name a position in a model file:
//
// | name       | what it is                                         | who uses it          |
// | ---------- | -------------------------------------------------- | -------------------- |
// | Path       | keys and list indexes in the data                  | checks of the data   |
// | offset     | UTF-16 units from the start of the file            | the parsers          |
// | LineColumn | line and column in the file                        | people, in a message |
//
// A text offset counts from the start of one value instead; `sourceOffset` turns it into an offset.

/** A line and a column, both from 1. Columns are UTF-16 units, as editors count them. */
export interface LineColumn {
  readonly line: number
  readonly column: number
}

/**
 * Returns a function from an offset in the text to its line and column. (The yaml package's own line counter
 * loses lines in a file that does not parse, and that is when they are needed.)
 */
export function lineColumnsIn(text: string): (offset: number) => LineColumn {
  const starts = [0]
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) starts.push(end + 1)
  return offset => {
    let [low, high] = [0, starts.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - starts[low]! + 1 }
  }
}

// How a text offset finds its source offset. YAML folds lines and strips indentation, but it never adds or
// removes a visible character. So the n-th visible character of the text is the n-th one of the source, in
// every style. Two things need care: in quotes, `''` and backslash escapes are one character of the text; and
// a block scalar's header is no part of the text.

/**
 * Finds a character of a YAML scalar's text in the source, so that an error in a condition points at its
 * word.
 *
 * @returns the offset in the source. At white space or at the end of the text: the offset just after the
 *   visible character before it.
 */
export function sourceOffset(source: string, node: Scalar, offset: number): number {
  const [start, end] = [node.range?.[0] ?? 0, node.range?.[1] ?? 0]
  const text = typeof node.value === 'string' ? node.value : ''
  const wanted = countVisible(text.slice(0, offset))
  const atVisible = offset < text.length && isVisible(text[offset]!)
  let seen = 0
  let afterLast = contentStart(source, node, start, end)
  for (const unit of unitsOf(source, node, afterLast, end)) {
    if (unit.visible === 0) continue
    if (atVisible && seen + unit.visible > wanted) return unit.from
    if (!atVisible && seen >= wanted) break
    seen += unit.visible
    afterLast = unit.to
  }
  return afterLast
}

/** One character or escape sequence. `visible`: the number of visible UTF-16 units that it makes. */
interface Unit {
  readonly from: number
  readonly to: number
  readonly visible: number
}

function* unitsOf(source: string, node: Scalar, start: number, end: number): Generator<Unit> {
  let at = start
  const last = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? end - 1 : end
  while (at < last) {
    const length = unitLength(source, node, at)
    yield { from: at, to: at + length, visible: countVisible(unitText(source, node, at, length)) }
    at += length
  }
}

function unitLength(source: string, node: Scalar, at: number): number {
  if (node.type === 'QUOTE_SINGLE' && source[at] === "'") return 2
  if (node.type !== 'QUOTE_DOUBLE' || source[at] !== '\\') return 1
  const digits = { x: 2, u: 4, U: 8 }[source[at + 1] ?? ''] ?? 0
  return 2 + digits
}

function unitText(source: string, node: Scalar, at: number, length: number): string {
  if (length === 1 || node.type === 'QUOTE_SINGLE') return source[at]!
  if (length > 2) return codePointText(source.slice(at + 2, at + length))
  // Escapes for white space, and a backslash at the end of a line, which joins it with the next.
  return 'tnr \t\n\rvfNLP_'.includes(source[at + 1] ?? '\n') ? ' ' : 'x'
}

function codePointText(digits: string): string {
  const code = Number.parseInt(digits, 16)
  return code <= 0x10ffff ? String.fromCodePoint(code) : 'x'
}

function contentStart(source: string, node: Scalar, start: number, end: number): number {
  if (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') return start + 1
  if (node.type !== 'BLOCK_LITERAL' && node.type !== 'BLOCK_FOLDED') return start
  const headerEnd = source.indexOf('\n', start)
  return headerEnd === -1 || headerEnd > end ? end : headerEnd + 1
}

function countVisible(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) if (isVisible(text[i]!)) count++
  return count
}

function isVisible(unit: string): boolean {
  return !/\s/.test(unit) && unit !== '\u0085'
}
