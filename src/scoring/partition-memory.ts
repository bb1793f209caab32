import { EMPTY_MAP } from '../lib/small-maps.ts'
import { type ModelSet, NO_MODELS } from './account.ts'
import type { CompiledModel } from './definition/compiled-model.ts'
import { modelKey } from './standing.ts'

/** What a partition remembers beside its accounts. */
export interface PartitionMemory {
  /** In log order, never empty. An older set stays until every account has been brought past it. */
  modelSets: ModelSet[]
  /** The newest signal was loaded as history: the events' own time passes, the wall clock does not. */
  history: boolean
  /** The latest promotion in the log. */
  promotion: Promotion | undefined
  /**
   * Keyed by `modelKey`: the model versions that were active here, or in the lineage that served before. A
   * version never changes once it was active: a file with other content is refused.
   */
  knownVersions: ReadonlyMap<string, KnownVersion>
}

/** The content of a model version. */
export type KnownVersion = Pick<CompiledModel, 'contentHash' | 'definitionHash'>

/** The oldest versions are forgotten first. */
export const MOST_KNOWN_VERSIONS = 1000

/** From this record on, one lineage alone is published and served: docs/replay.md. */
export interface Promotion {
  /** The record's offset. */
  readonly offset: number
  /** The namespace of that lineage. */
  readonly namespace: string
  /**
   * The models that were configured before, as `contentHash`es. They do not replace the lineage's own models.
   */
  readonly replacedModels: readonly string[]
  /** The same models by `modelKey`. Undefined in records of version 0.1.0. */
  readonly replacedVersions?: Readonly<Record<string, KnownVersion>>
  /** Every account whose published state differed has been announced. */
  readonly isComplete: boolean
}

export function createPartitionMemory(): PartitionMemory {
  return { modelSets: [NO_MODELS], history: false, promotion: undefined, knownVersions: EMPTY_MAP }
}

/** Adds the models of a `models` record. Returns whether the memory changed. */
export function addModelSet(memory: PartitionMemory, { offset, at, models }: ModelSet): boolean {
  if (memory.modelSets.at(-1)!.offset >= offset) return false
  // While history is loaded, the record's time is far ahead of the accounts: each switches at its own clock.
  memory.modelSets = [...memory.modelSets, { offset, at: memory.history ? 0 : at, models }]
  memory.knownVersions = withVersions(memory.knownVersions, versionsOf(models))
  return true
}

/** Returns whether the memory changed: a promotion that is in the log twice counts once. */
export function beginPromotion(
  memory: PartitionMemory,
  { offset, namespace, replacedModels, replacedVersions }: Omit<Promotion, 'isComplete'>,
): boolean {
  const { promotion } = memory
  if (promotion !== undefined && (promotion.namespace === namespace || promotion.offset >= offset))
    return false
  const replaced = replacedVersions === undefined ? {} : { replacedVersions }
  memory.promotion = { offset, namespace, replacedModels, ...replaced, isComplete: false }
  // A version that this lineage had itself stays known with its own content.
  const older = new Map(Object.entries(replacedVersions ?? {}))
  memory.knownVersions = withVersions(older, memory.knownVersions)
  return true
}

/** The content of each model, by `modelKey`. */
export function versionsOf(models: readonly CompiledModel[]): ReadonlyMap<string, KnownVersion> {
  return new Map(
    models.map(model => {
      const { contentHash, definitionHash } = model
      return [modelKey(model), { contentHash, definitionHash }]
    }),
  )
}

function withVersions(
  older: ReadonlyMap<string, KnownVersion>,
  newer: ReadonlyMap<string, KnownVersion>,
): ReadonlyMap<string, KnownVersion> {
  const kept = [...older].filter(([key]) => !newer.has(key))
  return new Map([...kept, ...newer].slice(-MOST_KNOWN_VERSIONS))
}

/** Lets the wall clock pass again. Returns whether the memory changed. */
export function endHistory(memory: PartitionMemory): boolean {
  const wasHistory = memory.history
  memory.history = false
  return wasHistory
}

/**
 * Every account has been brought under the latest models and announced: older model sets are dropped.
 * Returns whether the memory changed.
 */
export function completeSlices(memory: PartitionMemory): boolean {
  const { modelSets, promotion } = memory
  memory.modelSets = modelSets.slice(-1)
  if (promotion !== undefined) memory.promotion = { ...promotion, isComplete: true }
  return modelSets.length > 1 || promotion?.isComplete === false
}
