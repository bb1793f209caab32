import { withEntry, withoutEntry } from '../lib/small-maps.ts'
import { type Account, type ModelSet, requirePassed } from './account.ts'
import { type AccountActivity, countDropped, LIMITS, moveClock } from './activity/activity.ts'
import { leaveModel } from './decisions/leave-model.ts'
import { pqlEvent } from './decisions/triggers.ts'
import type { CompiledModel } from './definition/compiled-model.ts'
import { evaluate } from './evaluate.ts'
import type { Cause, ScoringEvent } from './events.ts'
import { nextDue } from './next-due.ts'
import type { Occasion } from './occasion.ts'
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
    if (!after.has(standing.model.definition.id)) events.push(...removeStanding(account, standing))
  const standings: Standing[] = []
  for (const model of set.models) {
    const old = before.get(model.definition.id)
    if (old !== undefined && old.model.contentHash === model.contentHash) {
      standings.push(old)
      continue
    }
    if (old !== undefined) events.push(...replaceStanding(account, old, model.triggers))
    const standing = createStanding(model, account.activity.clock, CAUSE, account.activity.endedModels)
    const knownTier = old === undefined ? takeFormerTier(account.activity, model) : tierNameOf(old)
    if (old !== undefined) takeOver(standing, old)
    const occasion = enterKnownTier(standing, knownTier, old)
    events.push(...evaluate(standing, account.activity, account.id, 'everything', occasion))
    standings.push(standing)
  }
  account.standings = standings
  account.modelsOffset = set.offset
  account.dueAt = nextDue(account)
  return events
}

/** The model is removed. Remembers the tier that subscribers know then: the lowest one. */
function removeStanding({ id, activity }: Account, standing: Standing): ScoringEvent[] {
  const { definition } = standing.model
  rememberEnd(activity, standing.model)
  const { formerTiers } = activity
  if (formerTiers.size >= LIMITS.formerTiers) countDropped(activity, 'former-tiers')
  else activity.formerTiers = withEntry(formerTiers, definition.id, definition.tiers[0]!.name)
  return leaveModel(standing, id, activity.clock, CAUSE)
}

/** The tier that subscribers know of a model that was removed before; it is forgotten. */
function takeFormerTier(activity: AccountActivity, { definition }: CompiledModel): string | undefined {
  const former = activity.formerTiers.get(definition.id)
  if (former !== undefined) activity.formerTiers = withoutEntry(activity.formerTiers, definition.id)
  return former
}

/**
 * Another version takes over: disqualifies the PQLs except for `keptTriggers`. Remembers that the account
 * left the old version.
 */
function replaceStanding(
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

/**
 * Puts a new standing into the tier that subscribers know. Returns the occasion to evaluate it: if the tier's
 * name is gone, the account leaves that tier in any case.
 */
function enterKnownTier(standing: Standing, name: string | undefined, old: Standing | undefined): Occasion {
  if (name === undefined) return CAUSE
  const tier = standing.model.definition.tiers.findIndex(each => each.name === name)
  if (tier < 0) return { ...CAUSE, goneTier: name }
  standing.tier = tier
  if (old !== undefined) standing.tierSince = old.tierSince
  return CAUSE
}

/** Another version of a model keeps score, triggers and alerts, as far as it has the same names. */
function takeOver(standing: Standing, old: Standing): void {
  const { model } = standing
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

function tierNameOf({ model, tier }: Standing): string {
  return model.definition.tiers[tier]!.name
}

interface Named {
  readonly definition: { readonly name: string }
}

function indexOfSameName(list: readonly Named[], { definition: { name } }: Named): number {
  return list.findIndex(({ definition }) => definition.name === name)
}
