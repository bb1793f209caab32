import type { AccountActivity } from '../activity/activity.ts'
import type { TouchedSeries } from '../activity/apply-signal.ts'
import type { Value } from '../definition/expression.ts'
import type { Level } from '../definition/feature-definition.ts'

/** A feature that reads the activity. */
export interface RootFeature {
  /** Reads the buckets each time, so the value does not depend on how the account got there. */
  readonly compute: (activity: AccountActivity) => Value
  /**
   * The same as `compute`, from the value just before a signal of a series that the feature reads. It does
   * not look at all buckets where that can be avoided. Undefined: there is no such shortcut.
   */
  readonly afterSignal?: (activity: AccountActivity, value: Value, touched: TouchedSeries) => Value
  /**
   * The first moment after the clock at which time alone may change the value, in ms; Infinity: never. It may
   * be too early, never too late. It changes only after that moment, or as `nextChangeFollows` says.
   */
  readonly nextChange: (activity: AccountActivity) => number
  /**
   * `reads`: the feature's own reads. `active-days` (`active-hours`): the first activity of any name on a day
   * (in an hour).
   */
  readonly nextChangeFollows: 'reads' | 'active-days' | 'active-hours'
  readonly reads: FeatureReads
}

/** The value changes without the passing of time only if one of these is touched. */
export interface FeatureReads {
  /** Series, by key `kind:name`. */
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
