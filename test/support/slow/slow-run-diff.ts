import type { ComparedPqlEvent, ComparedTierChange } from '../../../src/analysis/compare-runs.ts'
import type { Period } from '../../../src/analysis/periods.ts'
import type { RunSide } from '../../../src/analysis/run-diff.ts'

/** Two runs of one model compared the obvious way: every moment and every pair is looked at, over all events. */

export type SlowPqlEvent = ComparedPqlEvent & { readonly pqlId: string }

export interface SlowRun {
  /** Of all accounts, each one's in order. */
  readonly changes: readonly ComparedTierChange[]
  readonly pqls: readonly SlowPqlEvent[]
}

export interface SlowSetting {
  readonly runs: Readonly<Record<RunSide, SlowRun>>
  /** Null: from the beginning. */
  readonly from: number | null
  readonly to: number
  readonly lowest: string
  readonly periods: readonly Period[]
}

const SIDES = ['live', 'replay'] as const

export function slowTiers({ runs, from, to, lowest, periods }: SlowSetting) {
  const changesOf = (side: RunSide, account: string) =>
    runs[side].changes.filter(({ accountId }) => accountId === account)
  /** The tier just before a moment, or just after it. */
  const tier = (side: RunSide, account: string, at: number, isAfter = false): string => {
    const own = changesOf(side, account)
    const before = own.filter(change => change.at < at || (isAfter && change.at === at))
    return before.at(-1)?.to ?? own[0]?.from ?? lowest
  }
  const since = (side: RunSide, account: string): number | null =>
    changesOf(side, account).findLast(({ at }) => at < to && at >= (from ?? at))?.at ?? null
  const everyChange = SIDES.flatMap(side => runs[side].changes)
  const accounts = unique(everyChange.filter(({ at }) => at < to).map(({ accountId }) => accountId))
  const isApart = (account: string, at: number, isAfter = false): boolean =>
    tier('live', account, at, isAfter) !== tier('replay', account, at, isAfter)
  const moments = [from ?? Number.NEGATIVE_INFINITY, ...everyChange.map(({ at }) => at)].filter(
    at => at >= (from ?? at) && at < to,
  )
  const moved = accounts.filter(account => isApart(account, to))
  return {
    accounts: accounts.length,
    moved: moved.length,
    apart: accounts.filter(account => moments.some(at => isApart(account, at, true))).length,
    cells: countEach(accounts.map(account => `${tier('live', account, to)} ${tier('replay', account, to)}`)),
    movedAccounts: moved.map(accountId => ({
      accountId,
      tier: { live: tier('live', accountId, to), replay: tier('replay', accountId, to) },
      since: { live: since('live', accountId), replay: since('replay', accountId) },
    })),
    apartByPeriod: periods.map(period => accounts.filter(account => isApart(account, period.to)).length),
  }
}

interface Episode {
  readonly start: number
  readonly end: number
  readonly held: boolean
}

export function slowPqls({ runs, from, to, periods }: SlowSetting) {
  const known = (side: RunSide) => runs[side].pqls.filter(({ at }) => at < to)
  const all = [...known('live'), ...known('replay')]
  const began = ({ start }: Episode): boolean => start >= (from ?? start)
  const episodes = (side: RunSide, account: string, trigger: string): Episode[] => {
    const own = known(side).filter(event => event.accountId === account && event.trigger === trigger)
    return unique(own.map(({ pqlId }) => pqlId))
      .map(id => {
        const events = own.filter(({ pqlId }) => pqlId === id)
        const last = events.at(-1)!
        return {
          start: events[0]!.at,
          end: ['disqualified', 'expired'].includes(last.status) ? last.at : Number.POSITIVE_INFINITY,
          held: !events.some(({ status }) => status === 'qualified' || status === 'released'),
        }
      })
      .filter(episode => began(episode) || episode.end > from!)
  }
  const contains = ({ start, end }: Episode, moment: number): boolean =>
    moment === start || (moment > start && moment < end)
  /** Where two spans share a moment, they share the beginning of one. */
  const overlap = (a: Episode, b: Episode): boolean => contains(a, b.start) || contains(b, a.start)
  const found = { both: [] as object[], onlyLive: [] as object[], onlyReplay: [] as object[], continued: 0 }
  const shifts: number[] = []
  for (const account of unique(all.map(({ accountId }) => accountId)))
    for (const trigger of unique(all.map(event => event.trigger))) {
      const named = { accountId: account, trigger, motion: motionOf(trigger) }
      const life = ({ start, end, held }: Episode) => ({
        start,
        end: end === Number.POSITIVE_INFINITY ? null : end,
        held,
      })
      const live = episodes('live', account, trigger)
      const replay = episodes('replay', account, trigger)
      const taken = new Set<Episode>()
      for (const a of live) {
        const b = replay.find(each => !taken.has(each) && overlap(a, each))
        if (b === undefined) {
          if (began(a)) found.onlyLive.push({ ...named, ...life(a) })
          continue
        }
        taken.add(b)
        if (began(a) && began(b)) {
          shifts.push(b.start - a.start)
          found.both.push({ ...named, life: { live: life(a), replay: life(b) }, shiftMs: b.start - a.start })
        } else if (began(a) || began(b)) found.continued++
      }
      for (const b of replay) if (!taken.has(b) && began(b)) found.onlyReplay.push({ ...named, ...life(b) })
    }
  const beginnings = (side: RunSide): number[] =>
    unique(known(side).map(({ pqlId }) => pqlId))
      .map(id => known(side).find(({ pqlId }) => pqlId === id)!.at)
      .filter(at => at >= (from ?? at))
  shifts.sort((a, b) => a - b)
  return {
    ...found,
    live: beginnings('live').length,
    replay: beginnings('replay').length,
    shift: {
      earlier: shifts.filter(ms => ms < 0).length,
      same: shifts.filter(ms => ms === 0).length,
      later: shifts.filter(ms => ms > 0).length,
      span:
        shifts.length === 0
          ? null
          : {
              leastMs: Math.min(...shifts),
              medianMs: shifts.find(ms => shifts.filter(other => other <= ms).length * 2 >= shifts.length)!,
              mostMs: Math.max(...shifts),
            },
    },
    byPeriod: periods.map(period => {
      const within = (side: RunSide): number =>
        beginnings(side).filter(at => at >= period.from && at < period.to).length
      return { live: within('live'), replay: within('replay') }
    }),
  }
}

export function motionOf(trigger: string): 'seat-expansion' | 'cross-sell' {
  return trigger === 'grows' ? 'seat-expansion' : 'cross-sell'
}

function unique<T>(all: readonly T[]): T[] {
  return [...new Set(all)]
}

function countEach(keys: readonly string[]): Record<string, number> {
  return Object.fromEntries(unique(keys).map(key => [key, keys.filter(other => other === key).length]))
}
