/** To 10⁻⁶, which is where doubles and decimals on paper still agree. */
export function roundTo6(value: number): number {
  return Math.round(value * 1e6) / 1e6
}

/** To `decimals` digits, halves up, as on paper: 24.499999999999996 is 24.5, and so 25. */
export function roundScore(value: number, decimals: number): number {
  const scale = 10 ** decimals
  return Math.floor(roundTo6(value) * scale + 0.5) / scale
}
