import { EMPTY_MAP } from '../lib/small-maps.ts'
import { LIVE, type ModelSet, NO_MODELS } from './account.ts'
import type { CompiledModel } from './definition/compiled-model.ts'
import type { TickSlice } from './due-slices.ts'
import type { MemorySet } from './history.ts'
import { modelKey } from './standing.ts'

/** What a partition remembers beside its accounts. */
export interface PartitionMemory {
  /** In log order, never empty. An older set stays until every account has been brought past it. */
  modelSets: MemorySet[]
  /** Offset of the newest `live` record; −1: none. It released all accounts that were in history. */
  liveOffset: number
  /** How far ticks have reached the released accounts; undefined: all of them. */
  release: Release | undefined
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

/** Slices 0 … next − 1 of `of` have been ticked since the `live` record. */
export interface Release {
  readonly next: number
  /** 0: none was ticked yet. */
  readonly of: number
  /** Ticks of fewer slices do not touch the released accounts. */
  readonly slices: number
}

export const NO_MODELS_IN_MEMORY: MemorySet = { ...NO_MODELS, liveOffset: LIVE }

export function createPartitionMemory(): PartitionMemory {
  return {
    modelSets: [NO_MODELS_IN_MEMORY],
    liveOffset: LIVE,
    release: undefined,
    promotion: undefined,
    knownVersions: EMPTY_MAP,
  }
}

/** Adds the models of a `models` record. Returns whether the memory changed. */
export function addModelSet(memory: PartitionMemory, { offset, at, models }: ModelSet): boolean {
  if (memory.modelSets.at(-1)!.offset >= offset) return false
  memory.modelSets = [...memory.modelSets, { offset, at, models, liveOffset: memory.liveOffset }]
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

/** Releases all accounts that are in history. Returns whether the memory changed. */
export function endHistory(
  memory: PartitionMemory,
  { offset, slices }: { readonly offset: number; readonly slices: number },
): boolean {
  if (memory.liveOffset >= offset) return false
  memory.liveOffset = offset
  memory.release = { next: 0, of: 0, slices: Math.max(slices, memory.release?.slices ?? 1) }
  return true
}

/** Whether a tick touches the released accounts of its slice, due or not. */
export function releases(
  { release }: Pick<PartitionMemory, 'release'>,
  { clock, scope, of }: TickSlice,
): boolean {
  return clock === 'wall' && release !== undefined && (scope === 'all' || of >= release.slices)
}

/**
 * Notes a tick: it may have touched the released accounts of its slice. Ends the release after the last
 * slice. A series may be begun again by another owner, with other slices. Returns whether the memory changed.
 */
export function continueRelease(memory: PartitionMemory, tick: TickSlice): boolean {
  const { release } = memory
  if (release === undefined || !releases(memory, tick)) return false
  const { slice, of } = tick
  const next = release.of === of ? release.next : 0
  if (slice !== next) return false
  memory.release = slice === of - 1 ? undefined : { ...release, next: slice + 1, of }
  return true
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
