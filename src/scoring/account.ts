import type { Signal } from '../signals/signal.ts'
import { dayOf } from '../signals/time.ts'
import { type AccountActivity, createActivity, moveClock } from './activity/activity.ts'
import { applySignal, createTouchedBuffer, type TouchedBuffer } from './activity/apply-signal.ts'
import { createUserBook, type UserBook } from './activity/users.ts'
import type { CompiledModel } from './definition/compiled-model.ts'
import { evaluate, NO_EVENTS, type Reason } from './evaluate.ts'
import type { Cause, ScoringEvent } from './events.ts'
import { nextDue } from './next-due.ts'
import type { Occasion } from './occasion.ts'
import { createStanding, type Standing } from './standing.ts'

// How an account changes. `Fold` calls these, in this order, for each record that is about the account:
//
//   createAccount           the first signal, if there is no account yet
//   advance, switchModels   for each later model set: time up to it, then its models (switch-models.ts)
//   advance                 time up to the record: each boundary at its own moment
//   receiveSignal           the signal counts, and every model is evaluated

/** All that is known of one account, and its standing in every active model. */
export interface Account {
  readonly id: string
  readonly activity: AccountActivity
  readonly users: UserBook
  /** Ascending by model id. */
  standings: Standing[]
  /** Offset of the models record that the standings belong to; −1 before any. */
  modelsOffset: number
  /** Offset of the last record applied. Applying a record at or below it again changes nothing. */
  lastOffset: number
  /** The earliest moment at which time alone may change something, ms; Infinity: never. */
  dueAt: number
  /** Offset of the account's newest signal of history while it is in history; −1: it is live (history.ts). */
  historyOffset: number
}

/** The models that are active from a `models` record of the log on. */
export interface ModelSet {
  /** The record's offset; −1: there was none yet. */
  readonly offset: number
  /** The record's time, ms. */
  readonly at: number
  /** Ascending by id. */
  readonly models: readonly CompiledModel[]
}

/** `historyOffset` of a live account. */
export const LIVE = -1

export const NO_MODELS: ModelSet = { offset: -1, at: 0, models: [] }

/** A new account is in the lowest tier of every model, silently. */
export function createAccount(id: string, clock: number, models: ModelSet, cause: Cause): Account {
  return {
    id,
    activity: createActivity(clock),
    users: createUserBook(),
    standings: models.models.map(model => createStanding(model, clock, cause)),
    modelsOffset: models.offset,
    lastOffset: -1,
    dueAt: Number.POSITIVE_INFINITY,
    historyOffset: LIVE,
  }
}

/** Passes every boundary up to `until` (ms, included) at which something may change, each at its own time. */
export function advance(account: Account, until: number): readonly ScoringEvent[] {
  if (account.dueAt > until) return NO_EVENTS
  const { id, activity, standings } = account
  let events = NO_EVENTS
  while (account.dueAt <= until) {
    const at = account.dueAt
    if (at < activity.clock)
      throw new Error(`account ${id} was due at ${at}, but its clock is already at ${activity.clock}`)
    moveClock(activity, at)
    for (const standing of standings)
      events = joined(events, evaluate(standing, activity, id, 'time', boundaryOccasion(standing, at)))
    account.dueAt = nextDue(account)
  }
  return events
}

/** Time itself, unless a person's override ends at this boundary. */
function boundaryOccasion({ override }: Standing, at: number): Occasion {
  return override === undefined || override.expiresAt > at
    ? TIME
    : { type: 'override', signalId: override.signalId }
}

const TIME: Occasion = { type: 'window' }

export type SignalOutcome = 'applied' | 'late' | 'duplicate' | 'too-old'

/** The outcome of a signal, and the events that it caused. */
export interface Received {
  readonly outcome: SignalOutcome
  readonly events: readonly ScoringEvent[]
}

/**
 * Applies one signal. The account has passed the boundaries up to `observedAt` (`advance`).
 * Rules: docs/how-a-score-is-defined.md, "A signal".
 * @param observedAt ms; not before the signal's `occurredAt`
 * @param isNew the account was created for this signal
 * @param buffer to receive many signals, make one for all of them
 */
export function receiveSignal(
  account: Account,
  signal: Signal,
  observedAt: number,
  isNew: boolean,
  buffer: TouchedBuffer = createTouchedBuffer(),
): Received {
  requirePassed(account, observedAt)
  const { activity } = account
  moveClock(activity, observedAt)
  const applied = applySignal(activity, account.users, account.standings, signal, buffer)
  const isApplied = typeof applied !== 'string'
  const isLate = isApplied ? dayOf(signal.occurredAt) < dayOf(activity.clock) : applied === 'too-old'
  const outcome = isApplied ? (isLate ? 'late' : 'applied') : applied
  // A new account is evaluated completely, even if its first signal came too late to count.
  const reason = isNew ? 'everything' : isApplied ? applied : undefined
  if (reason === undefined) return { outcome, events: NO_EVENTS }
  const type = isApplied && signal.kind === 'override' ? 'override' : isLate ? 'late' : 'signal'
  const events = evaluateAll(account, reason, { type, signal })
  account.dueAt = nextDue(account)
  return { outcome, events }
}

/**
 * @throws Error if the account has not passed the boundaries up to `time`: the caller did not call `advance`.
 */
export function requirePassed({ id, dueAt }: Account, time: number): void {
  if (dueAt <= time) throw new Error(`account ${id} is due at ${dueAt}, and is not advanced to ${time}`)
}

/** Evaluates every model, in their order. */
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
