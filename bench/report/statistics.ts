export interface Middle {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** @param values at least one */
export function middle(values: readonly number[]): Middle {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  const median = Number.isInteger(half) ? (sorted[half - 1]! + sorted[half]!) / 2 : sorted[Math.floor(half)]!
  return { median, least: sorted[0]!, most: sorted.at(-1)! }
}

/**
 * The value that this share of the values does not exceed (nearest rank); NaN if there are none.
 * @param sorted ascending
 */
export function atRank(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
