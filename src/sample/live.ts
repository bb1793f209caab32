import type { Signal } from '../signals/signal.ts'
import { dayOf } from '../signals/time.ts'
import { createActs } from './acts.ts'
import { draftsOfDay, userCount } from './day.ts'
import { type Draft, draftsOfScene, officeMoment } from './draft.ts'
import { createRandom } from './random.ts'
import type { SampleAccount } from './sample-account.ts'
import type { SampleWorkspace } from './workspace.ts'

export interface LiveSignals {
  /**
   * The signals since the last call, up to and including `untilMs`, ascending by `occurredAt`. A gap of more
   * than ten minutes (the machine slept) is filled only at its end.
   */
  nextSignals(untilMs: number): Signal[]
}

// Live signals can go on for ever:
//
//   everyday work          stays at the level at which the history ended
//   scenes of storylines   come back every six weeks
//   acts                   show in the scores every few seconds; an episode ends as it began

/**
 * Continues the accounts of a workspace after `from`, ms. The same workspace and `from` give the same
 * signals, whatever the steps, unless a gap is skipped. Ids contain `from`: a restart repeats none.
 */
export function liveSignals({
  workspace,
  from,
}: {
  readonly workspace: SampleWorkspace
  readonly from: number
}): LiveSignals {
  const nextActs = createActs(workspace, from)
  let cursor = from
  let work: Draft[] = []
  /** Drafts of acts that have begun and not ended yet. */
  let pending: Draft[] = []
  let plannedDay = dayOf(from) - 2
  let count = 0

  function planWork(until: number): void {
    // A moment of a UTC day belongs to the same local day, the day before or the day after, depending on the
    // time zone.
    while (plannedDay <= dayOf(until)) {
      plannedDay++
      for (const account of workspace.accounts) work.push(...workOfDay(workspace, account, plannedDay))
    }
    work = work.filter(({ occurredAt }) => occurredAt > cursor)
  }

  function skipTo(time: number): void {
    cursor = time
    plannedDay = Math.max(plannedDay, dayOf(time) - 2)
    // An episode that has begun must end, or its effect would stay with the account.
    pending = pending.map(draft => ({ ...draft, occurredAt: Math.max(draft.occurredAt, time + 1) }))
  }

  return {
    nextSignals(untilMs) {
      if (untilMs - cursor > LONGEST_GAP_MS) skipTo(untilMs - LONGEST_GAP_MS)
      if (untilMs <= cursor) return []
      planWork(untilMs)
      pending.push(...nextActs(cursor, untilMs))
      const isDue = ({ occurredAt }: Draft): boolean => occurredAt <= untilMs
      const due = [...work.filter(isDue), ...pending.filter(isDue)]
      pending = pending.filter(draft => !isDue(draft))
      cursor = untilMs
      return due
        .sort((a, b) => a.occurredAt - b.occurredAt)
        .map(draft => ({ id: `s-${from.toString(36)}-${++count}`, ...draft }))
    },
  }
}

const LONGEST_GAP_MS = 10 * 60_000
/** Storylines stay at their end. */
const NO_PROGRESS = { progress: 1, before: 1 }
/** Longer than the 30 days in which a scene counts: its effect ends before it comes back. */
const SCENE_CYCLE_DAYS = 42

function workOfDay({ seed }: SampleWorkspace, account: SampleAccount, day: number): Draft[] {
  const random = createRandom(seed, account.id, day, 'scenes')
  const scenes = [...account.scenes, ...account.next].filter(
    ({ kind }, i) =>
      (kind === 'usage' || kind === 'intent') && (day + account.index * 5 + i * 11) % SCENE_CYCLE_DAYS === 0,
  )
  return [
    ...draftsOfDay(seed, account, day, NO_PROGRESS),
    ...scenes.flatMap(scene =>
      draftsOfScene(account, scene, officeMoment(account, day, random), userCount(account, 1), 0, random),
    ),
  ]
}
