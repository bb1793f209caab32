import type { AccountActivity } from './activity/activity.ts'
import { isMet } from './decisions/notice.ts'
import { nextTierMove } from './decisions/tier.ts'
import { findNextChanges } from './next-changes.ts'
import type { Standing } from './standing.ts'

/**
 * The earliest moment after the clock (ms) at which time alone may change a standing; Infinity: never.
 * It may be too early, never too late.
 */
export function nextDue({
  activity,
  standings,
}: {
  readonly activity: AccountActivity
  readonly standings: readonly Standing[]
}): number {
  let due = Number.POSITIVE_INFINITY
  if (activity.overrides.size > 0)
    for (const { expiresAt } of activity.overrides.values()) due = Math.min(due, expiresAt)
  for (let i = 0; i < standings.length; i++) {
    const standing = standings[i]!
    standing.nextChanges ??= findNextChanges(standing, activity)
    due = Math.min(due, standing.nextChanges.earliest, nextDeadline(standing, activity.clock))
  }
  return due
}

/**
 * The end of a dwell, an expiry, the end of a cooldown, or the moment at which an alert may be sent again.
 */
function nextDeadline(standing: Standing, clock: number): number {
  const { model, triggers, alerts } = standing
  let deadline = nextTierMove(standing)
  for (let i = 0; i < triggers.length; i++) {
    const state = triggers[i]!
    if (state.status !== 'idle') deadline = Math.min(deadline, state.expiresAt)
    else if (state.until > clock && isMet(standing, model.triggers[i]!))
      deadline = Math.min(deadline, state.until)
  }
  for (let i = 0; i < alerts.length; i++)
    if (alerts[i]! > clock && isMet(standing, model.alerts[i]!)) deadline = Math.min(deadline, alerts[i]!)
  return deadline
}
