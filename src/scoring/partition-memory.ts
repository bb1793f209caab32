import { type ModelSet, NO_MODELS } from './account.ts'

/** What a partition remembers beside its accounts. */
export interface PartitionMemory {
  /** In log order, never empty. An older set stays until every account has been brought past it. */
  modelSets: ModelSet[]
  /** The newest signal was loaded as history: the events' own time passes, the wall clock does not. */
  history: boolean
  /** The latest promotion in the log. */
  promotion: Promotion | undefined
}

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
  /** Every account whose published state differed has been announced. */
  readonly isComplete: boolean
}

export function createPartitionMemory(): PartitionMemory {
  return { modelSets: [NO_MODELS], history: false, promotion: undefined }
}

/** Adds the models of a `models` record. Returns whether the memory changed. */
export function addModelSet(memory: PartitionMemory, { offset, at, models }: ModelSet): boolean {
  if (memory.modelSets.at(-1)!.offset >= offset) return false
  // While history is loaded, the record's time is far ahead of the accounts: each switches at its own clock.
  memory.modelSets = [...memory.modelSets, { offset, at: memory.history ? 0 : at, models }]
  return true
}

/** Returns whether the memory changed: a promotion that is in the log twice counts once. */
export function beginPromotion(
  memory: PartitionMemory,
  { offset, namespace, replacedModels }: Omit<Promotion, 'isComplete'>,
): boolean {
  const { promotion } = memory
  if (promotion !== undefined && (promotion.namespace === namespace || promotion.offset >= offset))
    return false
  memory.promotion = { offset, namespace, replacedModels, isComplete: false }
  return true
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
