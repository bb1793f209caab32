import { plainText } from './terminal-text.ts'

/** Decimals that a reader compares. */
const DECIMALS = 4

/** A number for people: at most four decimals, no zeros behind. */
export function formatAmount(amount: number): string {
  // What is that small and not 0 must not look like 0.
  const rounded = Number(amount.toFixed(DECIMALS))
  return String(rounded === 0 && amount !== 0 ? amount : rounded).replace('-', '−')
}

/** `+4`, `−0.5`, `0`. */
export function formatSigned(amount: number): string {
  const text = formatAmount(amount)
  return amount > 0 ? `+${text}` : text
}

/** Any value of an expectation: null is unknown, no names are none. Numbers are exact. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return 'unknown'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(formatValue).join(', ')
  if (typeof value === 'number') return String(value)
  return plainText(typeof value === 'object' ? JSON.stringify(value) : String(value)) || '""'
}

/** `seats 10, plan team`: what a rule or a condition read. */
export function formatInputs(inputs: Readonly<Record<string, number | string | boolean | null>>): string {
  return Object.entries(inputs)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? formatAmount(value) : formatValue(value)}`)
    .join(', ')
}
