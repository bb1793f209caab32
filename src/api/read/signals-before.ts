import { settlesWithin } from '../../lib/waiting.ts'
import { partitionOf } from '../../log/partition-of.ts'
import { type AccountActivity, moveClock } from '../../scoring/activity/activity.ts'
import { hasApplied } from '../../scoring/activity/apply-signal.ts'
import { idChunkName } from '../../scoring/activity/many-ids.ts'
import { decodeIdChunk } from '../../scoring/codec/chunk-codec.ts'
import type { CompiledModel } from '../../scoring/definition/compiled-model.ts'
import { idHashOf, type Signal } from '../../signals/signal.ts'
import type { AccountStore, UserChunkKey } from '../../store/store.ts'
import { readAccounts } from './read-account.ts'
import type { Served } from './served.ts'

/** What the store knows before signals are appended. */
export interface KnownBefore {
  /** The models that score now; empty: none do yet. */
  readonly models: readonly CompiledModel[]
  /** Whether the signal's account has applied its id already. */
  readonly isDuplicate: (signal: Signal) => boolean
}

/** A store that is slower than this must not hold up signals: the log alone makes them safe. */
const LONGEST_WAIT_MS = 250

/**
 * Reads the accounts of signals, in one round trip, or two if some have too many ids for their core. Call it
 * before the signals are appended, or they may be found as duplicates of themselves. Undefined: the store did
 * not answer in time, is being filled, or is not known yet.
 */
export async function readBefore(
  served: Served,
  signals: readonly Signal[],
  now: number,
): Promise<KnownBefore | undefined> {
  let known: KnownBefore | undefined
  const reading = read(served, signals, now).then(
    found => {
      known = found
    },
    // The signals do not depend on it: the answer says that this was not checked.
    () => {},
  )
  await settlesWithin(LONGEST_WAIT_MS, reading)
  return known
}

async function read(served: Served, signals: readonly Signal[], now: number): Promise<KnownBefore> {
  const { store, load, partitions } = served()
  const count = await partitions.count()
  if (count === undefined) return { models: [], isDuplicate: () => false }
  const ids = [...new Set(signals.map(({ accountId }) => accountId))]
  const [accounts, { modelSets }] = await Promise.all([
    readAccounts(load, partitions, ids),
    partitions.memory(partitionOf(ids[0]!, count)),
  ])
  const activities = new Map<string, AccountActivity>()
  for (const [id, account] of accounts) {
    const activity = account.readActivity()
    // Forgets the ids that are past the dedup horizon when the signals arrive.
    moveClock(activity, now)
    activities.set(id, activity)
  }
  await loadIdChunks(store, count, signals, activities)
  return {
    models: modelSets.at(-1)!.models,
    isDuplicate: signal => {
      const activity = activities.get(signal.accountId)
      return activity !== undefined && hasApplied(activity, idHashOf(signal))
    },
  }
}

/** Adds the id chunks that the signals need, of accounts that have too many for their core. */
async function loadIdChunks(
  store: AccountStore,
  partitions: number,
  signals: readonly Signal[],
  activities: ReadonlyMap<string, AccountActivity>,
): Promise<void> {
  const wanted = new Map<number, Map<string, UserChunkKey>>()
  for (const signal of signals) {
    const { accountId } = signal
    const manyIds = activities.get(accountId)?.manyIds
    if (manyIds === undefined || manyIds.isOver) continue
    const chunk = idChunkName(idHashOf(signal))
    const partition = partitionOf(accountId, partitions)
    const ofPartition = wanted.get(partition) ?? new Map<string, UserChunkKey>()
    wanted.set(partition, ofPartition.set(`${chunk}/${accountId}`, { accountId, chunk }))
  }
  await Promise.all(
    Array.from(wanted, async ([partition, keys]) => {
      const asked = [...keys.values()]
      for (const [i, bytes] of (await store.loadUserChunks(partition, asked)).entries()) {
        const { accountId, chunk } = asked[i]!
        if (bytes !== undefined)
          activities.get(accountId)!.manyIds!.chunks.set(chunk, decodeIdChunk(accountId, bytes))
      }
    }),
  )
}
