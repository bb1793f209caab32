import type { ModelDefinition } from '../../scoring/definition/model-definition.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'

/** The models that are active, by ascending id. While they change, partitions differ: of each model the highest version. */
export function activeModels(memories: readonly PartitionMemory[]): ModelDefinition[] {
  const byId = new Map<string, ModelDefinition>()
  for (const { modelSets } of memories) {
    for (const { definition } of modelSets.at(-1)!.models) {
      const known = byId.get(definition.id)
      if (known === undefined || known.version < definition.version) byId.set(definition.id, definition)
    }
  }
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}
