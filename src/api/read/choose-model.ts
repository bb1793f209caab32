import type { CompiledModel } from '../../scoring/definition/compiled-model.ts'
import type { ModelDefinition } from '../../scoring/definition/model-definition.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import { Problem } from '../plugins/problems.ts'

/**
 * The model asked for, or the first.
 * @param ids the ids that there are, ascending; not empty
 * @throws Problem UNKNOWN_MODEL
 */
export function chooseModel(ids: readonly string[], asked: string | undefined): string {
  if (asked === undefined) return ids[0]!
  if (ids.includes(asked)) return asked
  throw new Problem('UNKNOWN_MODEL', `model is ${JSON.stringify(asked)}; accepted: ${ids.join(', ')}.`)
}

/** @throws Problem NO_ACTIVE_MODEL */
export function requireModels(models: readonly unknown[]): void {
  if (models.length > 0) return
  throw new Problem(
    'NO_ACTIVE_MODEL',
    'No scoring model is active yet: the first scorer that starts activates the configured ones. Ask again.',
  )
}

/**
 * The active models by ascending id. While partitions differ in a model's version, the highest version
 * counts.
 */
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
  /** False: the model is no longer active, but some accounts still have a standing in it. */
  readonly isActive: boolean
  /** The tiers of all versions that an account may have a standing in, lowest first. */
  readonly tiers: readonly string[]
  /** The names of the facets that its accounts can be listed by. */
  readonly facets: readonly string[]
}

/**
 * All models that an account may have a standing in, by ascending id. While models change, accounts differ in
 * theirs.
 */
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
