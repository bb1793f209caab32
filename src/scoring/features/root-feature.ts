import type { AccountActivity } from '../activity/activity.ts'
import type { TouchedSeries } from '../activity/apply-signal.ts'
import type { Value } from '../definition/expression.ts'
import type { Level } from '../definition/feature-definition.ts'

/**
 * A feature that reads the activity. `compute` looks at the buckets each time, so it gives the same value whatever way the account got there.
 * `nextChange` is the first moment after the clock at which time alone may change the value (ms, Infinity: never);
 * it may be too early, never too late. It changes only when that moment has passed, or with what `nextChangeFollows` names.
 */
export interface RootFeature {
  readonly compute: (activity: AccountActivity) => Value
  /**
   * What `compute` would give, from the value just before a signal of a series that the feature reads: without looking at all buckets, where that can be.
   * Undefined: there is no such way.
   */
  readonly afterSignal?: (activity: AccountActivity, value: Value, touched: TouchedSeries) => Value
  readonly nextChange: (activity: AccountActivity) => number
  /** `reads`: what the feature reads. `active-days` (`active-hours`): a day (hour) in which there was nothing of any name before. */
  readonly nextChangeFollows: 'reads' | 'active-days' | 'active-hours'
  readonly reads: FeatureReads
}

/** What must be touched for the value to change without time passing. */
export interface FeatureReads {
  /** By `kind:name`. */
  readonly series: ((key: string) => boolean) | undefined
  readonly users: boolean
  readonly dimension: string | undefined
  /** Latest-wins keys. */
  readonly key: ((key: string) => boolean) | undefined
}

export const READS_NOTHING: FeatureReads = {
  series: undefined,
  users: false,
  dimension: undefined,
  key: undefined,
}

/** Reads one latest-wins key, or two. */
export function readsKeys(key: string, other?: string): FeatureReads {
  return { ...READS_NOTHING, key: touched => touched === key || touched === other }
}

export function isBeyond(value: number, { edge, limit }: Level): boolean {
  return edge === 'from' ? value >= limit : value > limit
}
