const UNITS = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
] as const

/** A length of time for people, in its largest unit: `3.5 days`, `1 hour`, `40 ms`. */
export function formatSpan(ms: number): string {
  for (const [unitMs, unit] of UNITS) {
    const tenths = Math.round((Math.abs(ms) * 10) / unitMs)
    if (tenths < 10) continue
    return `${tenths / 10} ${unit}${tenths === 10 ? '' : 's'}`
  }
  return `${Math.abs(ms)} ms`
}

/** `3.5 days earlier`, `1 hour later`, `at the same time`. */
export function formatShift(ms: number): string {
  return ms === 0 ? 'at the same time' : `${formatSpan(ms)} ${ms < 0 ? 'earlier' : 'later'}`
}
