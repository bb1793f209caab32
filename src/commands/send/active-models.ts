import type { Backend } from '../../consumers/backend.ts'
import { partitionOf } from '../../log/partition-of.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { decodePartitionMemory } from '../../models/partition-memory-codec.ts'
import type { CompiledModel } from '../../scoring/definition/compiled-model.ts'

export interface ActiveModels {
  /** Whether the store has ever had models. */
  readonly isStarted: boolean
  /** Undefined: they cannot be read by this version, or the store cannot be reached. */
  readonly models: readonly CompiledModel[] | undefined
}

/** The models that are active in the store. Only one partition is read: all are switched together. */
export async function readActiveModels(
  store: Backend['store'],
  library: ModelLibrary,
): Promise<ActiveModels> {
  try {
    const partitions = await store.partitions()
    if (partitions === undefined) return { isStarted: false, models: undefined }
    const { state } = await store.readPartition(partitionOf('any', partitions))
    if (state === undefined) return { isStarted: false, models: undefined }
    return { isStarted: true, models: decodeModels(state, library) }
  } catch {
    return { isStarted: false, models: undefined }
  }
}

function decodeModels(state: Uint8Array, library: ModelLibrary): readonly CompiledModel[] | undefined {
  try {
    return decodePartitionMemory(state, library).modelSets.at(-1)?.models
  } catch {
    return undefined
  }
}
