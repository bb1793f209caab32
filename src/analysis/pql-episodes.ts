import type { PqlStatus } from '../scoring/events.ts'
import type { TimeWindow } from './run-diff.ts'

// A PQL lives from `qualified` or `held` to `disqualified` or `expired`:
//
// | event                 | if a PQL is alive           | if none is alive                             |
// | --------------------- | --------------------------- | -------------------------------------------- |
// | qualified             | ends it and begins the next | begins one, open                             |
// | held                  | no effect                   | begins one, held                             |
// | released              | opens it                    | adds one that began in the unknown past      |
// | disqualified, expired | ends it                     | adds one that began in the unknown past      |

/** The life of a PQL. */
export interface PqlEpisode {
  /** When it began, as qualified or held, ms. −∞: before the events that are known. */
  readonly start: number
  /** When it was disqualified or expired, ms. ∞: it is still open or held. */
  end: number
  /** Since when it was open, ms. ∞: it was held all the time. */
  openedAt: number
}

const { NEGATIVE_INFINITY: BEFORE_ALL, POSITIVE_INFINITY: NEVER } = Number

/**
 * Takes the next event of one account's trigger. Episodes that ended before the window are dropped. Events at
 * or after the window's end are ignored.
 */
export function extendEpisodes(
  episodes: PqlEpisode[],
  status: PqlStatus,
  at: number,
  { from, to }: TimeWindow,
): void {
  if (to !== null && at >= to) return
  const last = episodes.at(-1)
  const current = last?.end === NEVER ? last : undefined
  switch (status) {
    case 'qualified':
      if (current !== undefined) current.end = at
      episodes.push({ start: at, end: NEVER, openedAt: at })
      return
    case 'held':
      if (current === undefined) episodes.push({ start: at, end: NEVER, openedAt: NEVER })
      return
    case 'released':
      // The topic may no longer hold its beginning.
      if (current === undefined) episodes.push({ start: BEFORE_ALL, end: NEVER, openedAt: at })
      else current.openedAt = Math.min(current.openedAt, at)
      return
    case 'disqualified':
    case 'expired': {
      if (current === undefined) episodes.push({ start: BEFORE_ALL, end: at, openedAt: BEFORE_ALL })
      else current.end = at
      const { start } = episodes.at(-1)!
      if (from !== null && start < from && at <= from) episodes.pop()
      return
    }
    default:
      status satisfies never
  }
}

/** The episodes as they were known just before `end`. */
export function episodesBefore(episodes: readonly PqlEpisode[], end: number): PqlEpisode[] {
  return episodes
    .filter(({ start }) => start < end)
    .map(episode => ({
      start: episode.start,
      end: episode.end < end ? episode.end : NEVER,
      openedAt: episode.openedAt < end ? episode.openedAt : NEVER,
    }))
}

/**
 * Whether two episodes share a moment. An episode contains its beginning, even if it ends at the same moment.
 */
export function overlap(a: PqlEpisode, b: PqlEpisode): boolean {
  return a.start === b.start || (a.start < b.end && b.start < a.end)
}

export interface PairedEpisodes {
  readonly pairs: readonly { readonly live: PqlEpisode; readonly replay: PqlEpisode }[]
  readonly onlyLive: readonly PqlEpisode[]
  readonly onlyReplay: readonly PqlEpisode[]
}

/**
 * Pairs the episodes of one account's trigger that overlap in the two runs, in their order, each with at most
 * one. Episodes of one run never overlap.
 */
export function pairEpisodes(live: readonly PqlEpisode[], replay: readonly PqlEpisode[]): PairedEpisodes {
  const pairs: { live: PqlEpisode; replay: PqlEpisode }[] = []
  const onlyLive: PqlEpisode[] = []
  const onlyReplay: PqlEpisode[] = []
  let [i, j] = [0, 0]
  while (i < live.length && j < replay.length) {
    const [a, b] = [live[i]!, replay[j]!]
    if (overlap(a, b)) {
      pairs.push({ live: a, replay: b })
      i++
      j++
    } else if (a.start < b.start) {
      onlyLive.push(a)
      i++
    } else {
      onlyReplay.push(b)
      j++
    }
  }
  onlyLive.push(...live.slice(i))
  onlyReplay.push(...replay.slice(j))
  return { pairs, onlyLive, onlyReplay }
}
