import type { TopAccount, WorkspaceSummary } from '../console/print-summary.ts'
import type { ModelLibrary } from '../models/model-library.ts'
import { decodePartitionMemory } from '../models/partition-memory.ts'
import { type AccountScores, decodeScores } from '../scoring/codec.ts'
import type { CompiledModel } from '../scoring/compile-model.ts'
import type { Motion } from '../scoring/model-definition.ts'
import { partitionOf } from '../store/partition-of.ts'
import type { AccountStore } from '../store/store.ts'

/** More accounts than this are not summed up at start. */
const MOST_ACCOUNTS = 5000

/** How the accounts stand in one model now; undefined if there are none, or too many to look at. */
export async function summarize(
  store: AccountStore,
  library: ModelLibrary,
  model: CompiledModel,
): Promise<WorkspaceSummary | undefined> {
  const { id: modelId, tiers } = model.definition
  const listings = await store.list({
    modelId,
    tiers: tiers.map(({ name }) => name),
    order: 'highest-first',
    minScore: undefined,
    after: undefined,
    limit: MOST_ACCOUNTS + 1,
  })
  if (listings.length === 0 || listings.length > MOST_ACCOUNTS) return undefined
  const counts: Record<string, number> = {}
  for (const { tier } of listings) counts[tier] = (counts[tier] ?? 0) + 1
  const scores = await loadScores(
    store,
    library,
    listings.map(({ accountId }) => accountId),
  )
  const pqls: { motion: Motion; status: 'open' | 'held' }[] = []
  const top: TopAccount[] = []
  for (const { accountId, score, tier } of listings) {
    const held = pqlsOf(scores.get(accountId), modelId)
    pqls.push(...held)
    if (top.length < 5)
      top.push({
        accountId,
        score,
        tier,
        openPqls: held.filter(({ status }) => status === 'open').map(({ motion }) => motion),
      })
  }
  return { modelId, tiers: counts, pqls, top }
}

function pqlsOf(
  scores: AccountScores | undefined,
  modelId: string,
): { motion: Motion; status: 'open' | 'held' }[] {
  const standing = scores?.standings.find(({ model }) => model.definition.id === modelId)
  if (standing === undefined) return []
  return standing.triggers.flatMap(({ status }, i) => {
    if (status === 'idle') return []
    return [{ motion: standing.model.triggers[i]!.definition.motion, status }]
  })
}

async function loadScores(
  store: AccountStore,
  library: ModelLibrary,
  accountIds: readonly string[],
): Promise<Map<string, AccountScores>> {
  const partitions = (await store.partitions()) ?? 1
  const scores = new Map<string, AccountScores>()
  for (let partition = 0; partition < partitions; partition++) {
    const ids = accountIds.filter(id => partitionOf(id, partitions) === partition)
    const { modelSets } = decodePartitionMemory((await store.readPartition(partition)).state, library)
    const found = await store.load(partition, ids)
    for (const [i, bytes] of found.entries())
      if (bytes !== undefined) scores.set(ids[i]!, decodeScores(ids[i]!, bytes, modelSets))
  }
  return scores
}
