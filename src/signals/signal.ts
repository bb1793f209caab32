/**
 * The canonical signal: one input record about one account. Everything that can differ between two runs (the wall clock,
 * the order of the sources) was settled before it was written to the log; folding it needs nothing but the record.
 */

import { type Hash64, hash64 } from '../lib/hash.ts'

/** What a source may send. */
export const SIGNAL_KINDS = [
  'usage',
  'intent',
  'traits',
  'health',
  'contract',
  'outcome',
  'override',
] as const
export type SignalKind = (typeof SIGNAL_KINDS)[number]

/** A value of a property, trait, health or contract field that scoring can read. `null` takes the value away. */
export type PropertyValue = number | string | boolean | null

/**
 * - `usage`, `intent`, `outcome`: something happened: `name` is what, `quantity` how much of it.
 * - `traits`, `health`, `contract`: facts: every property is a latest-wins value under the key `kind.property`.
 * - `override`: a person decides for a while, against or beside the models; `name` is a model's id or `*`. See `overrides.ts`.
 */
export interface Signal {
  readonly id: string
  readonly kind: SignalKind
  readonly name: string
  readonly accountId: string
  readonly userId: string | undefined
  /** Fixed point, in thousandths: 1 is 1000. Never negative. */
  readonly quantityThousandths: number
  readonly properties: Readonly<Record<string, PropertyValue>>
  /** Event time, ms since 1970 UTC: says which bucket the signal falls in. */
  readonly occurredAt: number
  /** `hash64` of `id` and of `userId`, and `kind:name`, where whoever decoded the signal knows them already; what reads them makes them otherwise. */
  readonly idHash?: Hash64
  readonly userHash?: Hash64 | undefined
  readonly seriesKey?: string
}

/** Kinds that count in buckets; the others are latest-wins facts. */
export function isActivityKind(kind: SignalKind): kind is 'usage' | 'intent' | 'outcome' {
  return kind === 'usage' || kind === 'intent' || kind === 'outcome'
}

/** Of a signal's user; undefined if it names none. */
export function userHashOf(signal: Signal): Hash64 | undefined {
  const { userHash } = signal
  if (userHash !== undefined) return userHash
  return signal.userId === undefined ? undefined : hash64(signal.userId)
}
