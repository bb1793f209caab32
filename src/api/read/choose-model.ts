import type { CompiledModel } from '../../scoring/definition/compile-model.ts'
import type { ModelDefinition } from '../../scoring/definition/model-definition.ts'
import type { PartitionMemory } from '../../scoring/fold.ts'
import { Problem } from '../plugins/problems.ts'

/**
 * The model that a query is about: the one named, or the first.
 * @param ids those there are, ascending; not empty
 * @throws Problem UNKNOWN_MODEL
 */
export function chooseModel(ids: readonly string[], asked: string | undefined): string {
  if (asked === undefined) return ids[0]!
  if (ids.includes(asked)) return asked
  throw new Problem('UNKNOWN_MODEL', `model is ${JSON.stringify(asked)}; accepted: ${ids.join(', ')}.`)
}

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
