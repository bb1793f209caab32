import { LIVE, NO_MODELS } from '../scoring/account.ts'
import {
  createPartitionMemory,
  type KnownVersion,
  NO_MODELS_IN_MEMORY,
  type PartitionMemory,
  type Promotion,
  type Release,
  versionsOf,
} from '../scoring/partition-memory.ts'
import type { ModelLibrary, ModelSource } from './model-library.ts'

/**
 * A partition in the store, as JSON, with its active models in full: a reader needs no file.
 *
 * Version 1 had no offsets of `live` records. It had a flag that stopped the wall clock for all accounts; its
 * accounts are live now. A replay, or `upswell rebuild --from-log`, finds which of them are in history.
 */
interface StoredMemory {
  readonly version: 1 | 2
  /** Absent: −1. */
  readonly liveOffset?: number
  readonly release?: Release
  readonly modelSets: readonly {
    readonly offset: number
    readonly at: number
    /** Absent: −1. */
    readonly liveOffset?: number
    readonly models: readonly ModelSource[]
  }[]
  readonly promotion?: Promotion
  /** Missing in states of version 0.1.0. */
  readonly knownVersions?: readonly (readonly [key: string, version: KnownVersion])[]
}

export function encodePartitionMemory(memory: PartitionMemory, library: ModelLibrary): Uint8Array {
  const stored: StoredMemory = {
    version: 2,
    liveOffset: memory.liveOffset,
    ...(memory.release === undefined ? {} : { release: memory.release }),
    modelSets: memory.modelSets
      .filter(set => set.offset !== NO_MODELS.offset)
      .map(({ offset, at, liveOffset, models }) => ({
        offset,
        at,
        liveOffset,
        models: models.map(model => library.sourceOf(model)),
      })),
    ...(memory.promotion === undefined ? {} : { promotion: memory.promotion }),
    ...(memory.knownVersions.size === 0 ? {} : { knownVersions: [...memory.knownVersions] }),
  }
  return Buffer.from(JSON.stringify(stored))
}

/** @throws InvalidModelError if this version of Upswell cannot read an active model */
export function decodePartitionMemory(bytes: Uint8Array | undefined, library: ModelLibrary): PartitionMemory {
  if (bytes === undefined) return createPartitionMemory()
  const stored = JSON.parse(Buffer.from(bytes).toString()) as StoredMemory
  const modelSets = stored.modelSets.map(({ offset, at, liveOffset = LIVE, models }) => ({
    offset,
    at,
    liveOffset,
    models: library.compileAll(models),
  }))
  const { liveOffset = LIVE, release, promotion } = stored
  // The hash of the same text's definition may differ between versions of Upswell: the present one counts.
  const active = new Map(modelSets.flatMap(({ models }) => [...versionsOf(models)]))
  const knownVersions = new Map(stored.knownVersions ?? active)
  for (const [key, version] of active) if (knownVersions.has(key)) knownVersions.set(key, version)
  return {
    modelSets: modelSets.length === 0 ? [NO_MODELS_IN_MEMORY] : modelSets,
    liveOffset,
    release,
    promotion,
    knownVersions,
  }
}
