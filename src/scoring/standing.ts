import { EMPTY_MAP } from '../lib/small-maps.ts'
import type { Override } from '../signals/override.ts'
import type { CompiledModel } from './definition/compiled-model.ts'
import type { Value } from './definition/expression.ts'
import type { Cause } from './events.ts'

/** What one model holds about one account. It is kept as computed, so that a standing explains itself. */
export interface Standing {
  readonly model: CompiledModel
  /**
   * How often the account has left this version of the model before. It is part of event ids: two standings
   * can have an event of the same kind at the same moment for the same reason.
   */
  readonly generation: number
  /** Indexed by slot of the model's feature vector, with `score` and `tier`. */
  readonly values: Value[]
  /** Indexed by rule: its points, or those that its missing policy gives; null: it is left out. */
  readonly points: (number | null)[]
  /** Indexed by rule: whether its inputs are known. */
  readonly known: boolean[]
  readonly groupPoints: number[]
  /** Indexed by the model's facets: the account's value as text; undefined: it has none. */
  readonly facets: (string | undefined)[]
  /** Whether the model's lists of accounts include this one. */
  inScope: boolean
  /** A person's decision, while it holds. */
  override: Override | undefined
  /** As the rules give it. */
  rulesScore: number
  /** The rules' score, unless an override or the scope decides otherwise. */
  score: number
  coverage: number
  /** Index in the model's tiers. */
  tier: number
  tierSince: number
  /** When score, tier or a PQL last changed, and why. */
  changedAt: number
  cause: Cause
  readonly triggers: TriggerState[]
  /** Indexed by alert: when it may be sent again, ms. */
  readonly alerts: number[]
  /**
   * The last decision changed nothing, so a new one with the same features and before the next deadline would
   * not either. Not stored: after loading, the first decision finds out.
   */
  isSettled: boolean
  /** Not stored: computed from the activity when it is first needed. */
  nextChanges: NextChanges | undefined
}

/**
 * When time alone may next change a standing's features. Each feature's moment is remembered, and computed
 * again only after a signal touched the feature or the moment passed. It must equal a computation from
 * scratch, since it decides the stored `dueAt`.
 */
export interface NextChanges {
  /** Indexed by slot, ms; Infinity: never, as for derived features. */
  readonly bySlot: number[]
  earliest: number
}

/** `until` of an idle trigger: when its cooldown ends, ms. */
export type TriggerState =
  | { readonly status: 'idle'; readonly until: number }
  | {
      readonly status: 'open' | 'held'
      readonly pqlId: string
      readonly qualifiedAt: number
      readonly expiresAt: number
    }

const NEVER_QUALIFIED: TriggerState = { status: 'idle', until: Number.NEGATIVE_INFINITY }

/** The key under which `AccountActivity.endedModels` counts a version of a model. */
export function modelKey({ definition: { id, version } }: CompiledModel): string {
  return `${id}@${version}`
}

/**
 * The key under which an account with many ended versions counts the ends of further versions of a model. A
 * version without a count of its own takes this one, so that no generation comes twice.
 */
export function versionsKey({ definition: { id } }: CompiledModel): string {
  return `${id}@*`
}

/** The id in a `modelKey` or `versionsKey`. */
export function modelIdOf(key: string): string {
  return key.slice(0, key.lastIndexOf('@'))
}

/** The first standing in a model: the lowest tier, silently. */
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
    generation: endedModels.size === 0 ? 0 : generationOf(model, endedModels),
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

function generationOf(model: CompiledModel, endedModels: ReadonlyMap<string, number>): number {
  return endedModels.get(modelKey(model)) ?? endedModels.get(versionsKey(model)) ?? 0
}

/** Accounts share one empty list for the facets, triggers or alerts that a model does not have. */
function filled<T>(length: number, value: T): T[] {
  return length === 0 ? NONE : new Array<T>(length).fill(value)
}

const NONE: never[] = []
