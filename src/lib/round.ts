/** Larger numbers are not rounded: a double cannot count their millionths exactly. */
const LARGEST = 1e9

/** Rounds to 10⁻⁶, where doubles still agree with decimals on paper. */
export function roundTo6(value: number): number {
  if (Math.abs(value) >= LARGEST) return value
  return Math.round(value * 1e6) / 1e6
}

/** Rounds to `decimals` digits, halves up, as on paper: 24.499999999999996 is 24.5, and therefore 25. */
export function roundScore(value: number, decimals: number): number {
  if (Math.abs(value) >= LARGEST) return value
  // In whole millionths: multiplying the rounded double by 10^decimals would bring its error back.
  // Example: 1.005 to 2 digits must be 1.01.
  const millionths = Math.round(value * 1e6)
  const unit = 10 ** (6 - decimals)
  return (Math.floor((millionths + unit / 2) / unit) * unit) / 1e6
}

/** Undefined (unknown) for an infinite number and NaN. */
export function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}
