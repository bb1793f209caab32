/** From here on a number is left as it is: its millionths are more than a double counts exactly. */
const LARGEST = 1e9

/** To 10⁻⁶, which is where doubles and decimals on paper still agree. */
export function roundTo6(value: number): number {
  if (Math.abs(value) >= LARGEST) return value
  return Math.round(value * 1e6) / 1e6
}

/** To `decimals` digits, halves up, as on paper: 24.499999999999996 is 24.5, and so 25. */
export function roundScore(value: number, decimals: number): number {
  if (Math.abs(value) >= LARGEST) return value
  // In whole millionths: multiplying the rounded double by 10^decimals would bring its error back (1.005 to 2 digits is 1.01).
  const millionths = Math.round(value * 1e6)
  const unit = 10 ** (6 - decimals)
  return (Math.floor((millionths + unit / 2) / unit) * unit) / 1e6
}

/** A number beyond what a double holds is unknown. */
export function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}
