import type { Signal } from '../signals/signal.ts'
import { DAY_MS, dayOf } from '../signals/time.ts'
import { draftsOfDay, userCount } from './day.ts'
import { type Draft, draftsOfScene, officeMoment } from './draft.ts'
import { firstFacts } from './facts.ts'
import { createRandom } from './random.ts'
import type { SampleAccount } from './sample-account.ts'
import { type SampleWorkspace, sampleWorkspace } from './workspace.ts'

export interface SampleHistoryOptions {
  readonly seed: number
  readonly accounts?: number
  readonly days?: number
  /** The end of the history, ms; not included. */
  readonly until: number
}

/**
 * The signals of the accounts of `sampleWorkspace` in the `days` before `until`, ascending by `occurredAt`.
 * Equal for the same options; ids are unique.
 */
export function sampleHistory({ seed, accounts = 200, days = 90, until }: SampleHistoryOptions): Signal[] {
  const workspace = sampleWorkspace({ seed, accounts })
  return workspace.accounts
    .flatMap(account => historyOf(account, workspace, days, until))
    .sort((a, b) => a.occurredAt - b.occurredAt)
}

function historyOf(account: SampleAccount, { seed }: SampleWorkspace, days: number, until: number): Signal[] {
  const lastDay = dayOf(until)
  const age = Math.min(days, account.ageDays)
  const firstDay = lastDay - age
  const begin = until - age * DAY_MS
  const progressOn = (day: number): number => Math.min(1, Math.max(0, (day - firstDay) / age))
  const random = createRandom(seed, account.id, 'scenes')

  // Facts come first: models need the contract to score what the account does.
  const drafts: Draft[] = firstFacts(account, begin + account.index, lastDay)
  // A day of the account's time zone may begin before the UTC day, and end after it.
  for (let day = firstDay - 1; day <= lastDay + 1; day++) {
    const progress = { progress: progressOn(day), before: progressOn(day - 1) }
    drafts.push(...draftsOfDay(seed, account, day, progress))
  }
  for (const scene of account.scenes) {
    const moment = officeMoment(account, lastDay - scene.daysAgo, random)
    drafts.push(...draftsOfScene(account, scene, moment, userCount(account, 1), 0, random))
  }
  return drafts
    .filter(({ occurredAt }) => occurredAt >= begin && occurredAt < until)
    .sort((a, b) => a.occurredAt - b.occurredAt)
    .map((draft, i) => ({ id: `s-${account.id}-${i + 1}`, ...draft }))
}
