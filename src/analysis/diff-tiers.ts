import type { Period } from './periods.ts'
import type { BySide, MovedAccount, TierRunDiff } from './run-diff.ts'
import { intervalsApart, type TierPath, tierBefore, unchangedPath } from './tier-path.ts'

export interface TierRuns {
  /** The name of each tier number in the paths. */
  readonly names: readonly string[]
  readonly paths: BySide<ReadonlyMap<string, TierPath>>
  /** The tier of an account that never changed. */
  readonly lowest: BySide<number>
}

export type UnorderedTierDiff = Omit<TierRunDiff, 'names'> & {
  /** For each period, how many accounts are in different tiers at its end. */
  readonly apartByPeriod: readonly number[]
}

/** Compares the tiers of the two runs. `start`: where the window begins, or −∞; `periods` divide it. */
export function diffTiers(
  { names, paths, lowest }: TierRuns,
  start: number,
  end: number,
  periods: readonly Period[],
): UnorderedTierDiff {
  const cells = new Map<number, number>()
  const movedAccounts: MovedAccount[] = []
  const apartByPeriod = periods.map(() => 0)
  let [accounts, apart] = [0, 0]
  for (const accountId of idsOf(paths)) {
    const live = paths.live.get(accountId) ?? unchangedPath(lowest.live)
    const replay = paths.replay.get(accountId) ?? unchangedPath(lowest.replay)
    if (!hasMoved(live, end) && !hasMoved(replay, end)) continue
    accounts++
    const [inLive, inReplay] = [tierBefore(live, end), tierBefore(replay, end)]
    const cell = inLive.tier * names.length + inReplay.tier
    cells.set(cell, (cells.get(cell) ?? 0) + 1)
    if (inLive.tier !== inReplay.tier)
      movedAccounts.push({
        accountId,
        tier: { live: names[inLive.tier]!, replay: names[inReplay.tier]! },
        since: { live: inLive.since, replay: inReplay.since },
      })
    const intervals = intervalsApart(live, replay, start, end)
    if (intervals.length > 0) apart++
    for (const interval of intervals)
      for (const [i, period] of periods.entries())
        if (interval.start < period.to && period.to <= interval.end) apartByPeriod[i]!++
  }
  return {
    accounts,
    moved: movedAccounts.length,
    apart,
    cells: Array.from(cells, ([cell, number]) => ({
      live: names[Math.floor(cell / names.length)]!,
      replay: names[cell % names.length]!,
      accounts: number,
    })),
    movedAccounts: movedAccounts.sort(byLatestChange),
    apartByPeriod,
  }
}

function* idsOf({ live, replay }: TierRuns['paths']): Generator<string> {
  yield* live.keys()
  for (const id of replay.keys()) if (!live.has(id)) yield id
}

function hasMoved({ isOlder, ats }: TierPath, end: number): boolean {
  return isOlder || (ats[0] ?? end) < end
}

function byLatestChange(a: MovedAccount, b: MovedAccount): number {
  const order = latest(b) - latest(a)
  return order === 0 || Number.isNaN(order) ? (a.accountId < b.accountId ? -1 : 1) : order
}

function latest({ since: { live, replay } }: MovedAccount): number {
  return Math.max(live ?? Number.NEGATIVE_INFINITY, replay ?? Number.NEGATIVE_INFINITY)
}
