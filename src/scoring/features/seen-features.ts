import { DAY_MS, dayOf } from '../../signals/time.ts'
import type { Dimension } from '../definition/feature-definition.ts'
import { READS_NOTHING, type RootFeature } from './root-feature.ts'

/**
 * Users who were active on at least `days` days of the window: their `days`-th latest active day is in it.
 * The window is at most 30 days if `days` is more than 1. Rules: docs/how-a-score-is-defined.md, "Features".
 */
export function compileActiveUsers(days: number, windowDays: number): RootFeature {
  return {
    compute: ({ userDays, clock }) => {
      const today = dayOf(clock)
      return userDays.countBetween(days - 1, today - windowDays + 1, today)
    },
    nextChange: ({ userDays, clock }) => {
      const earliest = userDays.earliestFrom(days - 1, dayOf(clock) - windowDays + 1)
      return earliest === undefined ? Number.POSITIVE_INFINITY : (earliest + windowDays) * DAY_MS
    },
    nextChangeFollows: 'reads',
    reads: { ...READS_NOTHING, users: true },
  }
}

/**
 * Values of a property that were seen for the first (last) time in the window. Rules:
 * docs/how-a-score-is-defined.md, "Features".
 */
export function compileSeenValues(
  edge: 'first' | 'last',
  dimension: Dimension,
  windowDays: number,
): RootFeature {
  return {
    compute: activity => {
      const from = dayOf(activity.clock) - windowDays + 1
      let count = 0
      for (const days of activity.dimensions[dimension].values()) if (days[edge] >= from) count++
      return count
    },
    nextChange: activity => {
      const from = dayOf(activity.clock) - windowDays + 1
      let earliest = Number.POSITIVE_INFINITY
      for (const days of activity.dimensions[dimension].values()) {
        if (days[edge] >= from) earliest = Math.min(earliest, days[edge])
      }
      return (earliest + windowDays) * DAY_MS
    },
    nextChangeFollows: 'reads',
    reads: { ...READS_NOTHING, dimension },
  }
}
