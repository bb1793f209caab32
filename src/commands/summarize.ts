import type { TopAccount, WorkspaceSummary } from '../console/print-summary.ts'
import { partitionOf } from '../log/partition-of.ts'
import type { ModelLibrary } from '../models/model-library.ts'
import { decodePartitionMemory } from '../models/partition-memory-codec.ts'
import { type AccountScores, decodeScores } from '../scoring/codec/codec.ts'
import type { CompiledModel } from '../scoring/definition/compiled-model.ts'
import type { Motion } from '../scoring/definition/model-definition.ts'
import type { Standing } from '../scoring/standing.ts'
import type { AccountStore, Listing } from '../store/store.ts'

/** A model with more accounts has no summary: it would take too long at start. */
const MOST_ACCOUNTS = 5000

/**
 * Summaries of the accounts in each model's scope, now. Models without accounts or with too many are left
 * out.
 */
export async function summarize(
  store: AccountStore,
  library: ModelLibrary,
  models: readonly CompiledModel[],
): Promise<WorkspaceSummary[]> {
  const lists = await Promise.all(
    models.map(async model => ({ model, listings: await listAccounts(store, model) })),
  )
  const shown = lists.filter(({ listings }) => listings.length > 0 && listings.length <= MOST_ACCOUNTS)
  const ids = new Set(shown.flatMap(({ listings }) => listings.map(({ accountId }) => accountId)))
  const scores = await loadScores(store, library, [...ids])
  return shown.map(({ model, listings }) => summaryOf(model.definition.id, listings, scores))
}

/** Highest score first; one more than `MOST_ACCOUNTS` shows that there are too many. */
async function listAccounts(
  store: AccountStore,
  { definition: { id, tiers } }: CompiledModel,
): Promise<readonly Listing[]> {
  return store.list({
    list: id,
    tiers: tiers.map(({ name }) => name),
    order: 'highest-first',
    minScore: undefined,
    after: undefined,
    limit: MOST_ACCOUNTS + 1,
  })
}

function summaryOf(
  modelId: string,
  listings: readonly Listing[],
  scores: ReadonlyMap<string, AccountScores>,
): WorkspaceSummary {
  const counts: Record<string, number> = {}
  const pqls: { motion: Motion; status: 'open' | 'held' }[] = []
  const top: TopAccount[] = []
  for (const { accountId, score, tier } of listings) {
    const standing = scores.get(accountId)?.standings.find(each => each.model.definition.id === modelId)
    if (standing?.inScope === false) continue
    counts[tier] = (counts[tier] ?? 0) + 1
    const held = pqlsOf(standing)
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

function pqlsOf(standing: Standing | undefined): { motion: Motion; status: 'open' | 'held' }[] {
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
