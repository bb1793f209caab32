import { EMPTY_MAP } from '../lib/small-maps.ts'
import type { Override } from '../signals/override.ts'
import type { CompiledModel } from './definition/compiled-model.ts'
import type { Value } from './definition/expression.ts'
import type { NextChanges } from './next-changes.ts'
import type { Cause } from './outputs.ts'

/** What one model holds about one account: everything as it was computed, so that it explains itself. */
export interface Standing {
  readonly model: CompiledModel
  /**
   * How often the account stood under this version before, and stopped to: what happens at one moment for one reason, but under different standings,
   * has different ids.
   */
  readonly generation: number
  /** By slot of the model's feature vector; `score` and `tier` included. */
  readonly values: Value[]
  /** By rule: its points; its missing policy's points if missing; null if left out. */
  readonly points: (number | null)[]
  /** By rule: whether what it reads is known. */
  readonly known: boolean[]
  readonly groupPoints: number[]
  /** By the model's facets: the account's value as text; undefined where there is none. */
  readonly facets: (string | undefined)[]
  /** Whether the model's lists of accounts let it be scored. */
  inScope: boolean
  /** What a person has decided instead, if it holds now. */
  override: Override | undefined
  /** What the rules give. */
  rulesScore: number
  /** What holds: the rules' score, unless an override or the scope says otherwise. */
  score: number
  coverage: number
  /** Index in the model's tiers. */
  tier: number
  tierSince: number
  /** When score, tier or a PQL last changed, and why. */
  changedAt: number
  cause: Cause
  readonly triggers: TriggerState[]
  /** By alert: when it may be sent again, ms. */
  readonly alerts: number[]
  /**
   * Deciding on it once more, with the same features and before the next deadline, would change nothing: the last time it did not. Not stored: it is found out
   * anew.
   */
  isSettled: boolean
  /** Derived from the activity; undefined until it is asked for, so it need not be stored. */
  nextChanges: NextChanges | undefined
}

/** `until` of an idle trigger: when its cooldown ends. */
export type TriggerState =
  | { readonly status: 'idle'; readonly until: number }
  | {
      readonly status: 'open' | 'held'
      readonly pqlId: string
      readonly qualifiedAt: number
      readonly expiresAt: number
    }

const NEVER_QUALIFIED: TriggerState = { status: 'idle', until: Number.NEGATIVE_INFINITY }

/** A version of a model, by what `AccountActivity` remembers. */
export function modelKey({ definition: { id, version } }: CompiledModel): string {
  return `${id}@${version}`
}

/** The id in a `modelKey`. */
export function modelIdOf(key: string): string {
  return key.slice(0, key.lastIndexOf('@'))
}

/** An account's first standing: the lowest tier, silently. */
export function createStanding(
  model: CompiledModel,
  at: number,
  cause: Cause,
  endedModels: ReadonlyMap<string, number> = EMPTY_MAP,
): Standing {
  const values: Value[] = new Array(model.tierSlot + 1).fill(undefined)
  values[model.scoreSlot] = 0
  values[model.tierSlot] = model.definition.tiers[0]!.name
  return {
    model,
    generation: endedModels.size === 0 ? 0 : (endedModels.get(modelKey(model)) ?? 0),
    values,
    points: new Array(model.rules.length).fill(0),
    known: new Array(model.rules.length).fill(false),
    groupPoints: new Array(model.groups.length).fill(0),
    facets: filled(model.definition.facets.length, undefined),
    inScope: true,
    override: undefined,
    rulesScore: 0,
    score: 0,
    coverage: 0,
    tier: 0,
    tierSince: at,
    changedAt: at,
    cause,
    triggers: filled<TriggerState>(model.triggers.length, NEVER_QUALIFIED),
    alerts: filled(model.alerts.length, Number.NEGATIVE_INFINITY),
    isSettled: false,
    nextChanges: undefined,
  }
}

/** Many models have none of some of these: all of their accounts share one empty list, into which nothing can be put. */
function filled<T>(length: number, value: T): T[] {
  return length === 0 ? NONE : new Array<T>(length).fill(value)
}

const NONE: never[] = []
