import { type Account, advance, switchModels } from '../scoring/account.ts'
import { moveClock } from '../scoring/activity/activity.ts'
import type { CompiledModel } from '../scoring/definition/compiled-model.ts'
import { evaluate } from '../scoring/evaluate.ts'
import type { Cause, ScoringEvent } from '../scoring/outputs.ts'
import { createStanding, type Standing } from '../scoring/standing.ts'

/** One account under a model, and under another version of it that takes its place. */
export interface Trial {
  readonly accountId: string
  /** The account's clock at the switch, ms. */
  readonly at: number
  readonly before: Standing
  readonly after: Standing
  /** What would be published because of the switch. */
  readonly events: readonly ScoringEvent[]
}

export interface TrialOptions {
  /** Undefined: the version of `to` that the account stands under. */
  readonly from: CompiledModel | undefined
  /** Has the id of `from`. */
  readonly to: CompiledModel
  /** When the switch happens, ms; an account whose clock is ahead of it switches at its own clock. */
  readonly at: number
}

/**
 * Switches an account to another version of a model, just as a `models` record of the time `at` would. If it stands under `from`, that is where it
 * starts; else it starts as if `from` had scored it all along: in the tier that the score asks for, no PQL in its cooldown.
 * The account is used up: its standings and its clock change. Returns undefined if there is nothing to start from.
 */
export function tryModel(account: Account, { from, to, at }: TrialOptions): Trial | undefined {
  const held = account.standings.find(({ model }) => model.definition.id === to.definition.id)
  // The other models neither change nor matter: those that would be evaluated with it are left out.
  account.standings = held === undefined ? [] : [held]
  // What happens on the way happens with either version.
  advance(account, at)
  moveClock(account.activity, at)
  const standsUnderFrom =
    held !== undefined && (from === undefined || held.model.contentHash === from.contentHash)
  const before = standsUnderFrom ? held : from && settledStanding(account, from)
  if (before === undefined) return undefined
  account.standings = [before]
  const events = switchModels(account, { offset: account.modelsOffset, at, models: [to] })
  const after = account.standings[0]!
  return { accountId: account.id, at: account.activity.clock, before, after, events }
}

/** A standing that no dwell holds back, neither now nor when its model is replaced. */
function settledStanding({ id, activity }: Account, model: CompiledModel): Standing {
  const cause: Cause = { type: 'model' }
  const standing = createStanding(model, activity.clock, cause)
  standing.tierSince = Number.NEGATIVE_INFINITY
  evaluate(standing, activity, id, 'everything', cause)
  standing.tierSince = Number.NEGATIVE_INFINITY
  return standing
}
