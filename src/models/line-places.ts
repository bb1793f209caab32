export interface LineColumn {
  readonly line: number
  readonly column: number
}

/**
 * Lines and columns of a text, from 1; columns are UTF-16 units, as editors count them. (The yaml package's own counter
 * loses lines in a file that does not parse, which is when they matter.)
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
