import type { Motion } from '../scoring/definition/model-definition.ts'
import { episodesBefore, type PqlEpisode, pairEpisodes } from './pql-episodes.ts'
import type {
  BySide,
  PqlCounts,
  PqlInBothRuns,
  PqlInOneRun,
  PqlLife,
  PqlRunDiff,
  PqlShift,
  RunSide,
} from './run-diff.ts'

export interface TriggerRuns {
  readonly trigger: string
  readonly motion: Motion
  /** The key is the account id. */
  readonly episodes: BySide<ReadonlyMap<string, readonly PqlEpisode[]>>
}

/** Compares the PQLs of the two runs between `start` (or −∞) and `end`. */
export function diffPqls(triggers: readonly TriggerRuns[], start: number, end: number): PqlRunDiff {
  const found = triggers.map(runs => ({ ...runs, leads: leadsOf(runs, start, end) }))
  const countAll = (some: typeof found): PqlCounts => countLeads(some.map(({ leads }) => leads))
  const motions = [...new Set(found.map(({ motion }) => motion))].sort()
  const listed = <T extends PqlInOneRun | PqlInBothRuns>(pick: (leads: Leads) => readonly T[]): T[] =>
    found.flatMap(({ leads }) => pick(leads)).sort(byLatestBeginning)
  return {
    ...countAll(found),
    triggers: found
      .map(each => ({ trigger: each.trigger, motion: each.motion, ...countAll([each]) }))
      .sort((a, b) => (a.trigger < b.trigger ? -1 : 1)),
    motions: motions.map(motion => ({ motion, ...countAll(found.filter(each => each.motion === motion)) })),
    lists: {
      both: listed(leads => leads.both),
      onlyLive: listed(leads => leads.onlyLive),
      onlyReplay: listed(leads => leads.onlyReplay),
    },
  }
}

interface Leads {
  readonly both: PqlInBothRuns[]
  readonly onlyLive: PqlInOneRun[]
  readonly onlyReplay: PqlInOneRun[]
  /** Pairs in which one PQL is older than the window. The key is the run whose PQL began within it. */
  readonly continued: Record<RunSide, number>
}

function leadsOf({ trigger, motion, episodes }: TriggerRuns, start: number, end: number): Leads {
  const leads: Leads = { both: [], onlyLive: [], onlyReplay: [], continued: { live: 0, replay: 0 } }
  const began = (episode: PqlEpisode): boolean => episode.start >= start && Number.isFinite(episode.start)
  for (const accountId of new Set([...episodes.live.keys(), ...episodes.replay.keys()])) {
    const [live, replay] = [episodes.live, episodes.replay].map(side =>
      episodesBefore(side.get(accountId) ?? [], end),
    )
    const paired = pairEpisodes(live!, replay!)
    const named = { accountId, trigger, motion }
    const one = (episode: PqlEpisode): PqlInOneRun => ({ ...named, ...lifeOf(episode) })
    leads.onlyLive.push(...paired.onlyLive.filter(began).map(one))
    leads.onlyReplay.push(...paired.onlyReplay.filter(began).map(one))
    for (const pair of paired.pairs) {
      if (began(pair.live) && began(pair.replay))
        leads.both.push({
          ...named,
          life: { live: lifeOf(pair.live), replay: lifeOf(pair.replay) },
          shiftMs: pair.replay.start - pair.live.start,
        })
      else if (began(pair.live)) leads.continued.live++
      else if (began(pair.replay)) leads.continued.replay++
    }
  }
  return leads
}

function lifeOf({ start, end, openedAt }: PqlEpisode): PqlLife {
  return { start, end: Number.isFinite(end) ? end : null, held: !Number.isFinite(openedAt) }
}

function countLeads(some: readonly Leads[]): PqlCounts {
  const sum = (of: (leads: Leads) => number): number => some.reduce((total, leads) => total + of(leads), 0)
  const both = sum(leads => leads.both.length)
  const onlyLive = sum(leads => leads.onlyLive.length)
  const onlyReplay = sum(leads => leads.onlyReplay.length)
  const continued = { live: sum(leads => leads.continued.live), replay: sum(leads => leads.continued.replay) }
  const heldOnly = (side: RunSide, other: RunSide): number =>
    sum(leads => leads.both.filter(({ life }) => life[side].held && !life[other].held).length)
  return {
    live: both + onlyLive + continued.live,
    replay: both + onlyReplay + continued.replay,
    both,
    onlyLive,
    onlyReplay,
    continued: continued.live + continued.replay,
    heldOnly: { live: heldOnly('live', 'replay'), replay: heldOnly('replay', 'live') },
    shift: shiftOf(some.flatMap(leads => leads.both.map(({ shiftMs }) => shiftMs))),
  }
}

function shiftOf(shifts: number[]): PqlShift {
  const sorted = shifts.sort((a, b) => a - b)
  const earlier = sorted.filter(ms => ms < 0).length
  const later = sorted.filter(ms => ms > 0).length
  const span =
    sorted.length === 0
      ? null
      : {
          leastMs: sorted[0]!,
          medianMs: sorted[Math.ceil(sorted.length / 2) - 1]!,
          mostMs: sorted.at(-1)!,
        }
  return { earlier, same: sorted.length - earlier - later, later, span }
}

function byLatestBeginning(a: PqlInOneRun | PqlInBothRuns, b: PqlInOneRun | PqlInBothRuns): number {
  const order = beginningOf(b) - beginningOf(a)
  if (order !== 0) return order
  if (a.accountId !== b.accountId) return a.accountId < b.accountId ? -1 : 1
  return a.trigger < b.trigger ? -1 : 1
}

/** When the PQL began; if it is in both runs, the later of the two beginnings. */
function beginningOf(pql: PqlInOneRun | PqlInBothRuns): number {
  return 'life' in pql ? Math.max(pql.life.live.start, pql.life.replay.start) : pql.start
}
