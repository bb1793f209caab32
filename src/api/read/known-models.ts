import type { CompiledModel } from '../../scoring/definition/compiled-model.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'

export interface KnownModel {
  readonly id: string
  /** False: it was taken away, and there are accounts that still stand under it. */
  readonly isActive: boolean
  /** Of all its versions that some account may stand under, the lowest first. */
  readonly tiers: readonly string[]
  /** What its accounts can be listed by. */
  readonly facets: readonly string[]
}

/** The models that accounts may stand under, by ascending id. While models change, partitions and accounts differ in theirs. */
export function knownModels(memories: readonly PartitionMemory[]): KnownModel[] {
  const active = modelsOf(memories, sets => sets.slice(-1))
  const earlier = modelsOf(memories, sets => sets.slice(0, -1))
  const activeIds = new Set(active.map(model => model.definition.id))
  const names = new Map<string, { tiers: Set<string>; facets: Set<string> }>()
  for (const { definition } of [...active, ...earlier]) {
    const known = names.get(definition.id) ?? { tiers: new Set(), facets: new Set() }
    names.set(definition.id, known)
    for (const { name } of definition.tiers) known.tiers.add(name)
    for (const { name } of definition.facets) known.facets.add(name)
  }
  return [...names]
    .map(([id, { tiers, facets }]) => ({
      id,
      isActive: activeIds.has(id),
      tiers: [...tiers],
      facets: [...facets],
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

type ModelSets = PartitionMemory['modelSets']

function modelsOf(
  memories: readonly PartitionMemory[],
  choose: (sets: ModelSets) => ModelSets,
): CompiledModel[] {
  return memories.flatMap(memory => choose(memory.modelSets).flatMap(set => set.models))
}
