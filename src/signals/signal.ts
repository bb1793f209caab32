import { type Hash64, hash64 } from '../lib/hash.ts'

/** The kinds that a source may send. */
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

/** A property's value that scoring can read. `null` removes a fact. */
export type PropertyValue = number | string | boolean | null

// The kinds:
//   usage, intent, outcome     activity: `name` says what happened, `quantity` how much of it
//   traits, health, contract   facts: every property is a latest-wins value under the key `kind.property`
//   override                   a person's decision for some time; `name` is a model's id or `*` (override.ts)
/**
 * The canonical signal: one input record about one account. Whatever can differ between two runs (the wall
 * clock, the order of the sources) was decided before the signal was written to the log.
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
  /** Event time, ms since 1970. It decides the bucket in which the signal counts. */
  readonly occurredAt: number
  // `hash64` of `id` and of `userId`, and `kind:name`, if the decoder knows them already. Otherwise their
  // reader makes them.
  readonly idHash?: Hash64
  readonly userHash?: Hash64 | undefined
  readonly seriesKey?: string
}

/** Activity counts in buckets; the other kinds are facts and overrides. */
export function isActivityKind(kind: SignalKind): kind is 'usage' | 'intent' | 'outcome' {
  return kind === 'usage' || kind === 'intent' || kind === 'outcome'
}

export function idHashOf(signal: Signal): Hash64 {
  return signal.idHash ?? hash64(signal.id)
}

/** The hash of a signal's user; undefined: it names none. */
export function userHashOf(signal: Signal): Hash64 | undefined {
  const { userHash } = signal
  if (userHash !== undefined) return userHash
  return signal.userId === undefined ? undefined : hash64(signal.userId)
}
