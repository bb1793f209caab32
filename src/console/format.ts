import { plainText } from './terminal-text.ts'

/** Numbers, lengths of time and values, as people read them. */

const DECIMALS = 4

/** At most four decimals, no trailing zeros: `12.5`. */
export function formatAmount(amount: number): string {
  const rounded = Number(amount.toFixed(DECIMALS))
  // An amount that rounds to 0 without being 0 is shown in full.
  return String(rounded === 0 && amount !== 0 ? amount : rounded).replace('-', '−')
}

/** `+4`, `−0.5`, `0`. */
export function formatSigned(amount: number): string {
  const text = formatAmount(amount)
  return amount > 0 ? `+${text}` : text
}

/** `12,345`; at most two decimals: `1,249.5`. */
export function grouped(amount: number): string {
  const [whole, fraction] = String(Math.round(amount * 100) / 100).split('.') as [string, string?]
  // A number so large that it is written with an exponent stays as it is.
  if (!/^\d+$/.test(whole)) return String(amount)
  const separated = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? separated : `${separated}.${fraction}`
}

/** `1 account`, `12,345 accounts`. */
export function counted(amount: number, noun: string): string {
  return `${grouped(amount)} ${noun}${amount === 1 ? '' : 's'}`
}

/** Any value of an expectation. Null reads `unknown`, an empty list `none`; numbers are exact. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return 'unknown'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(formatValue).join(', ')
  if (typeof value === 'number') return String(value)
  return plainText(typeof value === 'object' ? JSON.stringify(value) : String(value)) || '""'
}

/** `seats 10, plan team`: the inputs of a rule or a condition. */
export function formatInputs(inputs: Readonly<Record<string, number | string | boolean | null>>): string {
  return Object.entries(inputs)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? formatAmount(value) : formatValue(value)}`)
    .join(', ')
}

/** `2026-03-01T09:00:00Z`; with the milliseconds if there are some. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

const UNITS = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
] as const

/** A length of time in its largest unit: `3.5 days`, `1 hour`, `40 ms`. */
function formatSpan(ms: number): string {
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
