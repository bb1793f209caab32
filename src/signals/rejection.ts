import { quoted } from './texts.ts'

/**
 * Why a record is not a signal: a code for machines, and a sentence with the field, the value found and what
 * is accepted.
 */
export interface Rejection {
  readonly code: RejectionCode
  readonly detail: string
}

export const REJECTION_CODES = [
  'too-large',
  'not-json',
  'not-an-object',
  'unknown-field',
  'missing-field',
  'unknown-kind',
  'invalid-field',
  'too-long',
  'too-deep',
  'forbidden-key',
  'invalid-time',
  'in-the-future',
  'key-mismatch',
  'wrong-partition',
] as const
export type RejectionCode = (typeof REJECTION_CODES)[number]

export function reject(code: RejectionCode, detail: string): { rejection: Rejection } {
  return { rejection: { code, detail } }
}

/** A value for a message: short, and a text in quotes. */
export function describe(value: unknown): string {
  const text =
    typeof value === 'string'
      ? quoted(value)
      : Array.isArray(value)
        ? 'an array'
        : typeof value === 'object' && value !== null
          ? 'an object'
          : String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
