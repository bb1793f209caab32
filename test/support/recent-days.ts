import { lastDayOf, maskOf, type UserDays } from '../../src/scoring/activity/users.ts'

/** The active days of the 30 days that end with the last one, latest first. */
export function recentDays(days: UserDays): number[] {
  const last = lastDayOf(days)
  const found: number[] = []
  for (let mask = maskOf(days), day = last; mask !== 0; mask >>>= 1, day--) if (mask & 1) found.push(day)
  return found
}
