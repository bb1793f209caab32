/** Times, days and rounding for the slow evaluator, as on the page about scores. */

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
export const HELD_DAYS = 400

export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

export function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS)
}

export function cut(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value))
}

/** Adding 0 removes the sign of -0, which JSON writes as 0. */
export function round6(value: number): number {
  if (Math.abs(value) >= 1e9) return value
  return Math.round(value * 1e6) / 1e6 + 0
}

/** Rounds to 10⁻⁶ first, so that 24.499999999999996 is 24.5, then halves up. */
export function roundTo(value: number, decimals: number): number {
  if (Math.abs(value) >= 1e9) return value
  const [whole = '', fraction = ''] = Math.abs(round6(value)).toFixed(6).split('.')
  const digits = BigInt(whole + fraction) * (value < 0 ? -1n : 1n)
  const unit = 10n ** BigInt(6 - decimals)
  const doubled = 2n * digits + unit
  // BigInt division cuts towards 0; halves go up.
  const rounded = doubled / (2n * unit) - (doubled < 0n && doubled % (2n * unit) !== 0n ? 1n : 0n)
  return Number(rounded * unit) / 1e6 + 0
}

export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}
