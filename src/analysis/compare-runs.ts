import type { Motion } from '../scoring/definition/model-definition.ts'
import type { PqlEvent, TierChange } from '../scoring/events.ts'
import { diffPqls } from './diff-pqls.ts'
import { diffTiers } from './diff-tiers.ts'
import { choosePeriods } from './periods.ts'
import { extendEpisodes, type PqlEpisode } from './pql-episodes.ts'
import type { BySide, ModelRunDiff, PublishedCounts, RunDiff, RunSide, TimeWindow } from './run-diff.ts'
import { extendPath, stepsBefore, TierNames, type TierPath } from './tier-path.ts'

export type ComparedTierChange = Pick<
  TierChange,
  'accountId' | 'modelId' | 'modelVersion' | 'from' | 'to' | 'score' | 'previousScore' | 'at'
>
export type ComparedPqlEvent = Pick<
  PqlEvent,
  'accountId' | 'modelId' | 'modelVersion' | 'trigger' | 'motion' | 'status' | 'at'
>

/** The models of a replay, as far as they are known without its events. */
export interface ReplayModels {
  /**
   * The tiers of the replay's models by model id, the lowest first. Null: the replay takes its models from
   * the log, so it has every model that is live in the window.
   */
  readonly tiers: ReadonlyMap<string, readonly string[]> | null
}

/**
 * Compares the events that two runs over the same log published. The two runs may be added in any order; the
 * events of one account and run must come in their order. For each account and model it keeps the changes
 * within the window, as numbers, so that millions of events fit in memory.
 */
export class RunComparison {
  readonly #window: TimeWindow
  readonly #models = new Map<string, ModelRuns>()
  readonly #newest: Record<RunSide, number | undefined> = { live: undefined, replay: undefined }
  /** The time of the oldest event of both runs within the window. */
  #oldest = Number.POSITIVE_INFINITY

  constructor(window: TimeWindow) {
    this.#window = window
  }

  addTierChange(side: RunSide, change: ComparedTierChange): void {
    const model = this.#seen(side, change)
    const step = {
      at: change.at,
      from: model.tiers.seen(change.from, change.previousScore),
      to: model.tiers.seen(change.to, change.score),
    }
    const paths = model.paths[side]
    const path = paths.get(change.accountId)
    if (path === undefined)
      model.firstTierCounts[side].set(step.from, (model.firstTierCounts[side].get(step.from) ?? 0) + 1)
    paths.set(change.accountId, extendPath(path, step, this.#window))
  }

  addPqlEvent(side: RunSide, event: ComparedPqlEvent): void {
    const model = this.#seen(side, event)
    let trigger = model.triggers.get(event.trigger)
    if (trigger === undefined) {
      trigger = { motion: {}, episodes: { live: new Map(), replay: new Map() } }
      model.triggers.set(event.trigger, trigger)
    }
    trigger.motion[side] = event.motion
    const episodes = trigger.episodes[side].get(event.accountId) ?? []
    trigger.episodes[side].set(event.accountId, episodes)
    extendEpisodes(episodes, event.status, event.at, this.#window)
  }

  /** The time of a run's newest event, in the window or not, ms. Undefined: no event. */
  newest(side: RunSide): number | undefined {
    return this.#newest[side]
  }

  /** @param to where the comparison ends, at most the window's end. Null: no run has published anything. */
  finish(to: number | null, replay: ReplayModels): RunDiff {
    const { from } = this.#window
    if (to === null) return { window: { from, to }, models: [], oneSided: { live: [], replay: [] } }
    const models: ModelRunDiff[] = []
    const oneSided: Record<RunSide, PublishedCounts[]> = { live: [], replay: [] }
    for (const modelId of [...this.#models.keys()].sort()) {
      const runs = this.#models.get(modelId)!
      const countsOf = (side: RunSide): PublishedCounts => this.#countsOf(modelId, runs, side, to)
      const isReplayed =
        isKnown(runs, 'replay', to) ||
        (replay.tiers === null ? isPublishing(countsOf('live')) : replay.tiers.has(modelId))
      if (isKnown(runs, 'live', to) && isReplayed)
        models.push(this.#compare(modelId, runs, to, replay.tiers?.get(modelId)))
      else
        for (const side of ['live', 'replay'] as const) {
          const counts = countsOf(side)
          if (isPublishing(counts)) oneSided[side].push(counts)
        }
    }
    return { window: { from, to }, models, oneSided }
  }

  #compare(
    modelId: string,
    runs: ModelRuns,
    end: number,
    tierOrder: readonly string[] | undefined,
  ): ModelRunDiff {
    const start = this.#window.from ?? Number.NEGATIVE_INFINITY
    const { unit, periods } = choosePeriods(this.#window.from ?? Math.min(this.#oldest, end), end)
    const { names } = runs.tiers
    const lowest = lowestTiers(runs, tierOrder)
    const { apartByPeriod, ...tiers } = diffTiers({ names, paths: runs.paths, lowest }, start, end, periods)
    const triggers = Array.from(runs.triggers, ([trigger, { motion, episodes }]) => ({
      trigger,
      // Another version of the model may have another motion for the trigger.
      motion: (motion.replay ?? motion.live)!,
      episodes,
    }))
    return {
      modelId,
      versions: {
        live: versionsWithin(runs.versions.live, start, end),
        replay: versionsWithin(runs.versions.replay, start, end),
      },
      tiers: { names: runs.tiers.ordered(tierOrder), ...tiers },
      pqls: diffPqls(triggers, start, end),
      periods: {
        unit,
        rows: periods.map(({ from, to }, i) => {
          const began = (side: RunSide): number => countBegun(runs, side, from, to)
          return {
            from,
            to,
            apart: apartByPeriod[i]!,
            pqls: { live: began('live'), replay: began('replay') },
          }
        }),
      },
    }
  }

  #seen(side: RunSide, event: ComparedTierChange | ComparedPqlEvent): ModelRuns {
    const { modelId, modelVersion, at } = event
    const { from, to } = this.#window
    this.#newest[side] = Math.max(this.#newest[side] ?? at, at)
    if ((from === null || at >= from) && (to === null || at < to)) this.#oldest = Math.min(this.#oldest, at)
    let model = this.#models.get(modelId)
    if (model === undefined) {
      model = emptyRuns()
      this.#models.set(modelId, model)
    }
    const seen = model.versions[side].get(modelVersion)
    const first = Math.min(seen?.first ?? at, at)
    const last = Math.max(seen?.last ?? at, at)
    model.versions[side].set(modelVersion, { first, last })
    return model
  }

  #countsOf(modelId: string, runs: ModelRuns, side: RunSide, end: number): PublishedCounts {
    const from = this.#window.from ?? Number.NEGATIVE_INFINITY
    const accounts = new Set<string>()
    let [tierChanges, pqls] = [0, 0]
    for (const [accountId, path] of runs.paths[side]) {
      const steps = stepsBefore(path, end)
      tierChanges += steps
      if (steps > 0) accounts.add(accountId)
    }
    for (const { episodes } of runs.triggers.values())
      for (const [accountId, own] of episodes[side]) {
        const begun = own.filter(({ start }) => beginsWithin(start, from, end)).length
        pqls += begun
        if (begun > 0) accounts.add(accountId)
      }
    const versions = versionsWithin(runs.versions[side], from, end)
    return { modelId, versions, accounts: accounts.size, tierChanges, pqls }
  }
}

/** The events that two runs published under one model. */
interface ModelRuns {
  readonly tiers: TierNames
  readonly versions: BySide<Map<number, { readonly first: number; readonly last: number }>>
  readonly paths: BySide<Map<string, TierPath>>
  /** For each tier, how many accounts left it in their first change. */
  readonly firstTierCounts: BySide<Map<number, number>>
  readonly triggers: Map<
    string,
    {
      readonly motion: Partial<Record<RunSide, Motion>>
      readonly episodes: BySide<Map<string, PqlEpisode[]>>
    }
  >
}

function emptyRuns(): ModelRuns {
  return {
    tiers: new TierNames(),
    versions: { live: new Map(), replay: new Map() },
    paths: { live: new Map(), replay: new Map() },
    firstTierCounts: { live: new Map(), replay: new Map() },
    triggers: new Map(),
  }
}

function isKnown({ versions }: ModelRuns, side: RunSide, end: number): boolean {
  return [...versions[side].values()].some(({ first }) => first < end)
}

function isPublishing({ tierChanges, pqls }: PublishedCounts): boolean {
  return tierChanges > 0 || pqls > 0
}

function beginsWithin(start: number, from: number, to: number): boolean {
  return Number.isFinite(start) && start >= from && start < to
}

function countBegun({ triggers }: ModelRuns, side: RunSide, from: number, to: number): number {
  let count = 0
  for (const { episodes } of triggers.values())
    for (const own of episodes[side].values())
      for (const { start } of own) if (beginsWithin(start, from, to)) count++
  return count
}

/** The versions with events in the window, ascending. If none: the version of the last event before. */
function versionsWithin(
  versions: ReadonlyMap<number, { readonly first: number; readonly last: number }>,
  from: number,
  end: number,
): number[] {
  const begun = [...versions].filter(([, { first }]) => first < end)
  const within = begun.filter(([, { last }]) => last >= from).map(([version]) => version)
  if (within.length > 0) return within.sort((a, b) => a - b)
  const latest = begun.sort((a, b) => b[1].last - a[1].last)[0]
  return latest === undefined ? [] : [latest[0]]
}

/**
 * The tier in which accounts begin, for each run. A new account begins in its model's lowest tier, so this is
 * the tier that most accounts leave first. (Under a model that was activated later, some begin elsewhere.) If
 * no account of a run changed its tier, the other run's tier is taken.
 */
function lowestTiers(
  { firstTierCounts, tiers }: ModelRuns,
  tierOrder: readonly string[] | undefined,
): BySide<number> {
  const mostLeft = (side: RunSide): number | undefined =>
    [...firstTierCounts[side]].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0]
  const known = tierOrder?.[0]
  const replay = known === undefined ? mostLeft('replay') : tiers.numberOf(known)
  const live = mostLeft('live')
  return { live: live ?? replay ?? 0, replay: replay ?? live ?? 0 }
}
