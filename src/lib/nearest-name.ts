/**
 * Finds the accepted name that a mistyped name most likely means; undefined if none is near. A name is near
 * if at most a third of its letters (but at least one) were inserted, omitted, changed, or swapped with a
 * neighbour. Case does not count. Of equally near names the first is taken.
 */
export function nearestName(typed: string, accepted: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let fewest = Number.POSITIVE_INFINITY
  for (const name of accepted) {
    const allowed = Math.max(1, Math.floor(name.length / 3))
    // Also saves the work for a key of 100,000 letters.
    if (Math.abs(name.length - typed.length) > allowed) continue
    const edits = editDistance(typed.toLowerCase(), name.toLowerCase())
    if (edits <= allowed && edits < fewest) {
      nearest = name
      fewest = edits
    }
  }
  return nearest
}

/** `did you mean "x"?` if an accepted name is near, else the text of `otherwise`. */
export function suggestName(typed: string, accepted: Iterable<string>, otherwise: string): string {
  const nearest = nearestName(typed, accepted)
  return nearest === undefined ? otherwise : `did you mean ${JSON.stringify(nearest)}?`
}

/**
 * Optimal string alignment distance: Damerau-Levenshtein without overlapping swaps. (Maintained packages such
 * as leven and fastest-levenshtein count a swap as two edits, and then miss `titel` and `fo`.)
 */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      let edits = Math.min(last[j]! + 1, row[j - 1]! + 1, change)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        edits = Math.min(edits, beforeLast[j - 2]! + 1)
      }
      row.push(edits)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
