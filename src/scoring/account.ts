import { hash64, lowBits } from '../lib/hash.ts'
import { withEntry } from '../lib/small-maps.ts'
import type { Signal } from '../signals/signal.ts'
import { dayOf } from '../signals/time.ts'
import { type AccountActivity, createActivity, LIMITS, moveClock } from './activity/activity.ts'
import { applySignal } from './activity/apply-signal.ts'
import { createUserBook, type UserBook } from './activity/users.ts'
import { isMet } from './decisions/notice.ts'
import { nextTierMove } from './decisions/tier.ts'
import { pqlEvent } from './decisions/triggers.ts'
import type { CompiledModel } from './definition/compiled-model.ts'
import { evaluate, NO_EVENTS, type Reason } from './evaluate.ts'
import { findNextChanges } from './next-changes.ts'
import type { Occasion } from './occasion.ts'
import type { Cause, ScoringEvent } from './outputs.ts'
import { createStanding, modelKey, type Standing } from './standing.ts'

/** Everything that is known of one account, and what every active model makes of it. */
export interface Account {
  readonly id: string
  readonly activity: AccountActivity
  readonly users: UserBook
  /** By ascending model id. */
  standings: Standing[]
  /** The offset of the models record that `standings` stand under; −1 before any. */
  modelsOffset: number
  /** The offset of the last record applied; applying one at or below it again changes nothing. */
  lastOffset: number
  /** The earliest moment at which time alone may change something, ms; Infinity: never. */
  dueAt: number
}

/** The models that are active from a `models` record of the log on. */
export interface ModelSet {
  /** The record's offset; −1: none yet. */
  readonly offset: number
  /** The record's time, ms. */
  readonly at: number
  /** By ascending id. */
  readonly models: readonly CompiledModel[]
}

export const NO_MODELS: ModelSet = { offset: -1, at: 0, models: [] }

/** An account that is seen for the first time: in every model in the lowest tier, silently. */
export function createAccount(id: string, clock: number, models: ModelSet, cause: Cause): Account {
  return {
    id,
    activity: createActivity(clock),
    users: createUserBook(),
    standings: models.models.map(model => createStanding(model, clock, cause)),
    modelsOffset: models.offset,
    lastOffset: -1,
    dueAt: Number.POSITIVE_INFINITY,
  }
}

export type SignalOutcome = 'applied' | 'late' | 'duplicate' | 'too-old'

/** What became of a signal. */
export interface Received {
  readonly outcome: SignalOutcome
  readonly events: readonly ScoringEvent[]
}

/**
 * Applies one signal at its `observedAt` (ms; not before its `occurredAt`). Rules: docs/how-a-score-is-defined.md, "A signal".
 * `isNew`: the account was created for this signal.
 */
export function receiveSignal(
  account: Account,
  signal: Signal,
  observedAt: number,
  isNew: boolean,
): Received {
  const before = advance(account, observedAt)
  const { activity } = account
  moveClock(activity, observedAt)
  const applied = applySignal(activity, account.users, signal)
  const isApplied = typeof applied !== 'string'
  const late = isApplied ? dayOf(signal.occurredAt) < dayOf(activity.clock) : applied === 'too-old'
  const outcome = isApplied ? (late ? 'late' : 'applied') : applied
  // A new account is evaluated whole, even if its first signal came too late to count.
  const reason = isNew ? 'everything' : isApplied ? applied : undefined
  if (reason === undefined) return { outcome, events: before }
  const type = isApplied && signal.kind === 'override' ? 'override' : late ? 'late' : 'signal'
  const events = evaluateAll(account, reason, { type, signal })
  account.dueAt = nextDue(account)
  return { outcome, events: joined(before, events) }
}

/** Under every model, in their order. */
function evaluateAll(
  { id, activity, standings }: Account,
  reason: Reason,
  occasion: Occasion,
): readonly ScoringEvent[] {
  let events = NO_EVENTS
  for (let i = 0; i < standings.length; i++)
    events = joined(events, evaluate(standings[i]!, activity, id, reason, occasion))
  return events
}

/** Nearly always there is nothing to join. */
function joined(before: readonly ScoringEvent[], after: readonly ScoringEvent[]): readonly ScoringEvent[] {
  if (after.length === 0) return before
  return before.length === 0 ? after : [...before, ...after]
}

/** Passes every boundary up to `until` (ms, included) at which something may change, each at its own time. */
export function advance(account: Account, until: number): readonly ScoringEvent[] {
  if (account.dueAt > until) return NO_EVENTS
  const { id, activity, standings } = account
  let events = NO_EVENTS
  while (account.dueAt <= until) {
    const at = account.dueAt
    if (at < activity.clock)
      throw new Error(`account ${id} was due at ${at}, its clock is at ${activity.clock}`)
    moveClock(activity, at)
    for (const standing of standings)
      events = joined(events, evaluate(standing, activity, id, 'time', boundaryOccasion(standing, at)))
    account.dueAt = nextDue(account)
  }
  return events
}

/** Time itself, unless it is the end of what a person had decided. */
function boundaryOccasion({ override }: Standing, at: number): Occasion {
  return override === undefined || override.expiresAt > at
    ? TIME
    : { type: 'override', signalId: override.signalId }
}

const TIME: Occasion = { type: 'window' }

/** Brings an account under a later model set, as if that had happened when the record passed. Rules: docs/how-a-score-is-defined.md, "Models". */
export function switchModels(account: Account, set: ModelSet): readonly ScoringEvent[] {
  const events = [...advance(account, set.at)]
  moveClock(account.activity, set.at)
  const cause: Cause = { type: 'model' }
  const before = new Map(account.standings.map(standing => [standing.model.definition.id, standing]))
  const after = new Set(set.models.map(model => model.definition.id))
  for (const standing of account.standings) {
    if (after.has(standing.model.definition.id)) continue
    events.push(...disqualifyWithout(standing, [], account, cause))
    rememberEnd(account.activity, standing.model)
  }
  const standings: Standing[] = []
  for (const model of set.models) {
    const old = before.get(model.definition.id)
    if (old !== undefined && old.model.contentHash === model.contentHash) {
      standings.push(old)
    } else {
      const kept = model.triggers.map(trigger => trigger.definition.name)
      if (old !== undefined) {
        events.push(...disqualifyWithout(old, kept, account, cause))
        rememberEnd(account.activity, old.model)
      }
      const { clock, endedModels } = account.activity
      const standing = createStanding(model, clock, cause, endedModels)
      if (old !== undefined) takeOver(standing, old)
      events.push(...evaluate(standing, account.activity, account.id, 'everything', cause))
      standings.push(standing)
    }
  }
  account.standings = standings
  account.modelsOffset = set.offset
  account.dueAt = nextDue(account)
  return events
}

/** The standing under another version of its model: it keeps tier, score and triggers as far as the new version knows them. */
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
    const oldIndex = old.model.triggers.findIndex(
      ({ definition }) => definition.name === trigger.definition.name,
    )
    if (oldIndex >= 0) standing.triggers[i] = old.triggers[oldIndex]!
  })
  model.alerts.forEach((alert, i) => {
    const oldIndex = old.model.alerts.findIndex(({ definition }) => definition.name === alert.definition.name)
    if (oldIndex >= 0) standing.alerts[i] = old.alerts[oldIndex]!
  })
}

function rememberEnd(activity: AccountActivity, model: CompiledModel): void {
  const { endedModels } = activity
  const key = modelKey(model)
  if (endedModels.size >= LIMITS.endedModels && !endedModels.has(key)) return
  activity.endedModels = withEntry(endedModels, key, (endedModels.get(key) ?? 0) + 1)
}

function disqualifyWithout(
  standing: Standing,
  keptTriggers: readonly string[],
  account: Account,
  cause: Cause,
): ScoringEvent[] {
  return standing.model.triggers.flatMap((trigger, i) => {
    const state = standing.triggers[i]!
    if (state.status === 'idle' || keptTriggers.includes(trigger.definition.name)) return []
    return [
      pqlEvent(standing, trigger, account.id, account.activity.clock, state.pqlId, 'disqualified', cause),
    ]
  })
}

/** The earliest moment after the clock at which time alone may change a standing. It may be too early, never too late. */
export function nextDue({ activity, standings }: Account): number {
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

/** A partition's due index is cut into this many buckets by account hash, so that a tick can name a slice of them. */
export const DUE_BUCKETS = 256

/** Which of them an account stands in. */
export function dueBucketOf(accountId: string): number {
  return lowBits(hash64(accountId)) >>> 24
}

/** Of each bucket. More would only have it read again for less. */
const PARTS = 16
export const MOST_SLICES = DUE_BUCKETS * PARTS

/** Whether an account is one of a slice. Up to 256 slices consist of whole buckets; more, which are a power of two up to `MOST_SLICES`, of parts of one bucket each. */
export function isInSlice(accountId: string, slice: number, of: number): boolean {
  const bits = lowBits(hash64(accountId))
  const bucket = bits >>> 24
  const part = (bits >>> 16) & (PARTS - 1)
  return (of <= DUE_BUCKETS ? bucket : part * DUE_BUCKETS + bucket) % of === slice
}
