import type { Account } from './account.ts'

/**
 * Reads where the parts of some accounts begin, which are folded next. They lie all over the memory, and a fold that comes to one after the other waits for each of them;
 * reads that do not need each other are waited for together. That saves some 8 % of a batch of 2,000 signals of 20,000 accounts. Returns a number that means
 * nothing: whoever keeps it has the reads done.
 */
export function prefetch(accounts: readonly (Account | undefined)[], from: number, end: number): number {
  let read = 0
  for (let i = from; i < end && i < accounts.length; i++) {
    const account = accounts[i]
    if (account !== undefined) read += beginningsOf(account)
  }
  return read
}

function beginningsOf({ activity, standings, users }: Account): number {
  const { clock, recentIds, hours, userDays, series, activeDays } = activity
  const { first } = users.chunks
  let read = clock + userDays.length + series.size + activeDays.length
  if (first !== undefined && first.size > 0) read += first.user(first.size >>> 1)
  if (recentIds.size > 0) read += recentIds.appliedAt(0)
  if (hours.length > 0) read += hours.hour(0) + hours.hour(hours.length - 1)
  for (let i = 0; i < standings.length; i++) {
    const { score, points, nextChanges } = standings[i]!
    read += score + (points[0] ?? 0) + (nextChanges === undefined ? 0 : nextChanges.earliest)
  }
  return read
}

/** Reads what lies beneath, of an account that is encoded next: its series, each of which is in several places. It takes a third off a large account's encoding. */
export function prefetchSeries({ activity: { series, recentIds, hours, userDays } }: Account): number {
  const { list } = series
  let read = userDays.length
  for (let i = 0; i < list.length; i++) {
    const { length, key, days } = list[i]!
    read += length + key.length + (length > 0 ? days.at(0) : 0)
  }
  if (recentIds.size > 0) read += recentIds.appliedAt(0)
  if (hours.length > 0) read += hours.hour(0)
  return read
}
