import { neverSeenNames } from '../../analysis/never-seen-names.ts'
import type { Config } from '../../app/config.ts'
import type { Lineages } from '../../consumers/lineage/lineages.ts'
import { ConfiguredModels } from '../../consumers/scorer/configured-models.ts'
import { bucketsOfSlice } from '../../consumers/scorer/tick-slices.ts'
import type { ModelLibrary, ModelSource } from '../../models/model-library.ts'
import { decodeAccount } from '../../scoring/codec/codec.ts'
import type { CompiledModel } from '../../scoring/definition/compiled-model.ts'
import { modelKey } from '../../scoring/standing.ts'
import type { AccountStore } from '../../store/store.ts'
import type { NameFacts, PartitionModels } from './judge-models.ts'

export interface ModelQuestions {
  readonly lineages: Lineages
  readonly store: AccountStore
  readonly library: ModelLibrary
  readonly models: readonly ModelSource[]
}

/**
 * The models of each partition that a scorer has worked on.
 * @throws UpswellError STORE_UNAVAILABLE; InvalidModelError if this version cannot read an active model
 */
export async function readPartitionModels(
  { lineages, store, library, models }: ModelQuestions,
  { allowEditedModels }: Pick<Config, 'allowEditedModels'>,
): Promise<PartitionModels[]> {
  const configured = new ConfiguredModels(library, { models, allowEditedModels })
  return await Promise.all(
    Array.from({ length: (await store.partitions()) ?? 0 }, async (_, partition) => {
      const memory = await lineages.memory(store, partition)
      return {
        partition,
        active: modelKeys(memory.modelSets.at(-1)!.models),
        areActive: configured.areActive(memory),
        edited: configured.findEdited(memory)?.message,
      }
    }),
  )
}

export function modelKeys(models: readonly CompiledModel[]): string[] {
  return models.map(modelKey).sort()
}

const MOST_ACCOUNTS = 400
/** Ids are listed in parts: a store may hold millions. */
const LISTS = 64

/**
 * The names that the configured models read, beside the names that some accounts of each partition have.
 * @throws UpswellError STORE_UNAVAILABLE
 */
export async function readModelNames({
  lineages,
  store,
  library,
  models,
}: ModelQuestions): Promise<NameFacts> {
  const partitions = (await store.partitions()) ?? 0
  const seen = new Set<string>()
  let accounts = 0
  let total = 0
  for (let partition = 0; partition < partitions; partition++) {
    total += await store.countDue(partition, Number.POSITIVE_INFINITY)
    const ids = await someAccounts(store, partition, Math.ceil(MOST_ACCOUNTS / partitions))
    const { modelSets } = await lineages.memory(store, partition)
    const found = await store.load(partition, ids)
    for (const [i, bytes] of found.entries()) {
      if (bytes === undefined) continue
      accounts++
      const { activity } = decodeAccount(ids[i]!, bytes, modelSets)
      for (const { key } of activity.series.list) seen.add(key)
      for (const key of activity.latest.keys()) seen.add(key)
    }
  }
  const neverSeen = neverSeenNames(library.compileAll(models), seen)
  return { accounts, isSample: accounts < total, neverSeen }
}

async function someAccounts(store: AccountStore, partition: number, most: number): Promise<string[]> {
  const ids: string[] = []
  for (let part = 0; part < LISTS && ids.length < most; part++)
    ids.push(...(await store.due(partition, bucketsOfSlice(part, LISTS), Number.POSITIVE_INFINITY)))
  return ids.slice(0, most)
}
