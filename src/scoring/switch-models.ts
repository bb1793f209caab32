import { withEntry } from '../lib/small-maps.ts'
import { type Account, type ModelSet, requirePassed } from './account.ts'
import { type AccountActivity, countDropped, LIMITS, moveClock } from './activity/activity.ts'
import { pqlEvent } from './decisions/triggers.ts'
import type { CompiledModel } from './definition/compiled-model.ts'
import { evaluate } from './evaluate.ts'
import type { Cause, ScoringEvent } from './events.ts'
import { nextDue } from './next-due.ts'
import { createStanding, modelKey, type Standing, versionsKey } from './standing.ts'

const CAUSE: Cause = { type: 'model' }

/**
 * Brings an account under a later model set, as if that had happened when the record passed.
 * The account has passed the boundaries up to the set's time (`advance`).
 * Rules: docs/how-a-score-is-defined.md, "Models".
 */
export function switchModels(account: Account, set: ModelSet): readonly ScoringEvent[] {
  requirePassed(account, set.at)
  moveClock(account.activity, set.at)
  const before = new Map(account.standings.map(standing => [standing.model.definition.id, standing]))
  const after = new Set(set.models.map(model => model.definition.id))
  const events: ScoringEvent[] = []
  for (const standing of account.standings)
    if (!after.has(standing.model.definition.id)) events.push(...endStanding(account, standing, []))
  const standings: Standing[] = []
  for (const model of set.models) {
    const old = before.get(model.definition.id)
    if (old !== undefined && old.model.contentHash === model.contentHash) {
      standings.push(old)
      continue
    }
    if (old !== undefined) events.push(...endStanding(account, old, model.triggers))
    const standing = createStanding(model, account.activity.clock, CAUSE, account.activity.endedModels)
    if (old !== undefined) takeOver(standing, old)
    events.push(...evaluate(standing, account.activity, account.id, 'everything', CAUSE))
    standings.push(standing)
  }
  account.standings = standings
  account.modelsOffset = set.offset
  account.dueAt = nextDue(account)
  return events
}

/** Disqualifies the PQLs except for `keptTriggers`. Remembers that the account left this model version. */
function endStanding(
  { id, activity }: Account,
  standing: Standing,
  keptTriggers: CompiledModel['triggers'],
): ScoringEvent[] {
  const kept = keptTriggers.map(({ definition }) => definition.name)
  const events = standing.model.triggers.flatMap((trigger, i) => {
    const state = standing.triggers[i]!
    if (state.status === 'idle' || kept.includes(trigger.definition.name)) return []
    return [pqlEvent(standing, trigger, id, activity.clock, state.pqlId, 'disqualified', CAUSE)]
  })
  rememberEnd(activity, standing.model)
  return events
}

function rememberEnd(activity: AccountActivity, model: CompiledModel): void {
  const { endedModels } = activity
  const own = modelKey(model)
  const isKept = endedModels.size < LIMITS.endedModels || endedModels.has(own)
  const key = isKept ? own : versionsKey(model)
  if (!isKept) countDropped(activity, 'ended-models')
  activity.endedModels = withEntry(endedModels, key, (endedModels.get(key) ?? 0) + 1)
}

/** Another version of a model keeps tier, score, triggers and alerts, as far as it has the same names. */
function takeOver(standing: Standing, old: Standing): void {
  const { model } = standing
  const tierName = old.model.definition.tiers[old.tier]!.name
  const tier = model.definition.tiers.findIndex(({ name }) => name === tierName)
  if (tier >= 0) {
    standing.tier = tier
    standing.tierSince = old.tierSince
  }
  standing.score = old.score
  model.triggers.forEach((trigger, i) => {
    const oldIndex = indexOfSameName(old.model.triggers, trigger)
    if (oldIndex >= 0) standing.triggers[i] = old.triggers[oldIndex]!
  })
  model.alerts.forEach((alert, i) => {
    const oldIndex = indexOfSameName(old.model.alerts, alert)
    if (oldIndex >= 0) standing.alerts[i] = old.alerts[oldIndex]!
  })
}

interface Named {
  readonly definition: { readonly name: string }
}

function indexOfSameName(list: readonly Named[], { definition: { name } }: Named): number {
  return list.findIndex(({ definition }) => definition.name === name)
}
