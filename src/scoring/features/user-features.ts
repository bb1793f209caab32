import { countBetween } from '../buckets.ts'
import { DAY_MS, dayOf } from '../time.ts'
import { READS_NOTHING, type RootFeature } from './root-feature.ts'
import { nextLeaving } from './windowed-features.ts'

/**
 * Users active on at least `days` days of the window (of at most 30 days, if `days` is more than 1): those whose `days`-th latest active day is in it.
 * Rules: docs/how-a-score-is-defined.md, "Features".
 */
export function compileActiveUsers(days: number, windowDays: number): RootFeature {
  return {
    compute: activity => {
      const today = dayOf(activity.clock)
      const users = activity.userDays[days - 1]
      return users === undefined ? 0 : countBetween(users, today - windowDays + 1, today)
    },
    nextChange: activity =>
      nextLeaving(activity.userDays[days - 1]?.at ?? [], dayOf(activity.clock), windowDays, DAY_MS),
    reads: { ...READS_NOTHING, users: true },
  }
}
