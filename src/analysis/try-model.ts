import { type Account, advance } from '../scoring/account.ts'
import { moveClock } from '../scoring/activity/activity.ts'
import type { CompiledModel } from '../scoring/definition/compiled-model.ts'
import { evaluate } from '../scoring/evaluate.ts'
import type { Cause, ScoringEvent } from '../scoring/events.ts'
import { createStanding, type Standing } from '../scoring/standing.ts'
import { switchModels } from '../scoring/switch-models.ts'

/** One account before and after another version of a model takes the place of its model. */
export interface Trial {
  readonly accountId: string
  /** The account's clock at the switch, ms. */
  readonly at: number
  readonly before: Standing
  readonly after: Standing
  /** The events that the switch would publish. */
  readonly events: readonly ScoringEvent[]
}

export interface TrialOptions {
  /** The version before. Undefined: the version under which the account is scored now. */
  readonly from: CompiledModel | undefined
  /** Has the id of `from`. */
  readonly to: CompiledModel
  /** When the switch happens, ms. An account whose clock is ahead of it switches at its own clock. */
  readonly at: number
}

// Which standing the switch starts from:
//
// | `from`                                     | the switch starts from                                    |
// | ------------------------------------------ | --------------------------------------------------------- |
// | undefined, or the version that scores now  | the account's standing, with its dwell and its cooldowns  |
// | another version                            | a new standing, as if `from` had always scored it: in the |
// |                                            | tier of its score, without PQLs in cooldown               |

/**
 * Switches an account to another version of a model, exactly as a `models` record at the time `at` would.
 *
 * Changes the account's standings and clock, so the account cannot be used again.
 *
 * @returns undefined if the account has no standing to start from.
 */
export function tryModel(account: Account, { from, to, at }: TrialOptions): Trial | undefined {
  const held = account.standings.find(({ model }) => model.definition.id === to.definition.id)
  // Other models do not matter here, so they are not evaluated.
  account.standings = held === undefined ? [] : [held]
  // What happens up to the switch happens under either version, so these events do not count.
  advance(account, at)
  moveClock(account.activity, at)
  const isScoredByFrom =
    held !== undefined && (from === undefined || held.model.definitionHash === from.definitionHash)
  const before = isScoredByFrom ? held : from && settledStanding(account, from)
  if (before === undefined) return undefined
  account.standings = [before]
  const events = switchModels(account, { offset: account.modelsOffset, at, models: [to] })
  const after = account.standings[0]!
  return { accountId: account.id, at: account.activity.clock, before, after, events }
}

/** A standing whose tier no dwell holds back, now or when its model is replaced. */
function settledStanding({ id, activity }: Account, model: CompiledModel): Standing {
  const cause: Cause = { type: 'model' }
  const standing = createStanding(model, activity.clock, cause)
  standing.tierSince = Number.NEGATIVE_INFINITY
  evaluate(standing, activity, id, 'everything', cause)
  standing.tierSince = Number.NEGATIVE_INFINITY
  return standing
}
