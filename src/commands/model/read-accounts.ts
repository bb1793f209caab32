import { bucketsOfSlice } from '../../consumers/scorer/tick-slices.ts'
import { UpswellError } from '../../lib/errors.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { decodePartitionMemory } from '../../models/partition-memory-codec.ts'
import { type Account, advance } from '../../scoring/account.ts'
import { decodeAccount, UnreadableStateError } from '../../scoring/codec/codec.ts'
import type { CompiledModel } from '../../scoring/definition/compiled-model.ts'
import { HISTORY_DUE, isInHistory, setForAccount } from '../../scoring/history.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import { switchModels } from '../../scoring/switch-models.ts'
import type { AccountStore } from '../../store/store.ts'

/** A copy of an account in the store: changes to it do not reach the store. */
export interface AccountSnapshot {
  readonly account: Account
  /** The account is in history: the wall clock does not pass for it. */
  readonly history: boolean
}

export interface StoreOverview {
  readonly accounts: number
  /** The active models of all partitions that hold accounts, each content once. */
  readonly activeModels: readonly CompiledModel[]
  /** Some accounts are in history. */
  readonly history: boolean
}

const ACCOUNTS_PER_READ = 500
/** Ids are listed in parts: a million ids are never in memory at once, and no single answer takes long. */
const LISTS_PER_PARTITION = 16
const ATTEMPTS = 3

/** @throws UpswellError STORE_UNAVAILABLE; STATE_UNREADABLE if this version cannot read an active model */
export async function readOverview(store: AccountStore, library: ModelLibrary): Promise<StoreOverview> {
  const activeModels = new Map<string, CompiledModel>()
  let accounts = 0
  let history = false
  for (const partition of await partitionsOf(store)) {
    const held = await store.countDue(partition, Number.POSITIVE_INFINITY)
    if (held === 0) continue
    accounts += held
    const memory = await readMemory(store, partition, library)
    history ||= await hasHistory(store, partition, memory)
    for (const model of memory.modelSets.at(-1)!.models) activeModels.set(model.contentHash, model)
  }
  return { accounts, activeModels: [...activeModels.values()], history }
}

/**
 * Every account in the store under the active models, at its own clock, without its users' own records. It
 * only reads: a service may run meanwhile, and each account is as it was when it was read.
 * @throws UpswellError STORE_UNAVAILABLE, STATE_UNREADABLE
 */
export async function* readAllAccounts(
  store: AccountStore,
  library: ModelLibrary,
): AsyncGenerator<AccountSnapshot> {
  for (const partition of await partitionsOf(store)) {
    for (let part = 0; part < LISTS_PER_PARTITION; part++) {
      const buckets = bucketsOfSlice(part, LISTS_PER_PARTITION)
      const ids = await store.due(partition, buckets, Number.POSITIVE_INFINITY)
      for (let first = 0; first < ids.length; first += ACCOUNTS_PER_READ)
        yield* await readAccounts(store, library, partition, ids.slice(first, first + ACCOUNTS_PER_READ))
    }
  }
}

async function readAccounts(
  store: AccountStore,
  library: ModelLibrary,
  partition: number,
  ids: readonly string[],
): Promise<AccountSnapshot[]> {
  for (let attempt = 1; ; attempt++) {
    const memory = await readMemory(store, partition, library)
    const found = await store.load(partition, ids)
    try {
      return found.flatMap((bytes, i) =>
        bytes === undefined ? [] : [snapshotOf(decodeAccount(ids[i]!, bytes, memory.modelSets), memory)],
      )
    } catch (error) {
      if (!(error instanceof UnreadableStateError)) throw error
      // Models may have changed between the two reads: then accounts are under a later set than `memory`
      // knows.
      if (attempt < ATTEMPTS) continue
      throw new UpswellError('STATE_UNREADABLE', `cannot read the store: ${error.message}`, { cause: error })
    }
  }
}

/** Switches an account that was not folded since to the later models, as the fold does first. */
function snapshotOf(account: Account, { modelSets, liveOffset }: PartitionMemory): AccountSnapshot {
  for (const memorySet of modelSets) {
    if (memorySet.offset <= account.modelsOffset) continue
    const set = setForAccount(account, memorySet)
    advance(account, set.at)
    switchModels(account, set)
  }
  return { account, history: isInHistory(account, liveOffset) }
}

/** False during a release: the due index does not show which accounts are still in history. */
async function hasHistory(
  store: AccountStore,
  partition: number,
  { release }: PartitionMemory,
): Promise<boolean> {
  return release === undefined && (await store.countDue(partition, HISTORY_DUE.upTo, HISTORY_DUE.from)) > 0
}

async function readMemory(
  store: AccountStore,
  partition: number,
  library: ModelLibrary,
): Promise<PartitionMemory> {
  return decodePartitionMemory((await store.readPartition(partition)).state, library)
}

async function partitionsOf(store: AccountStore): Promise<number[]> {
  return Array.from({ length: (await store.partitions()) ?? 0 }, (_, partition) => partition)
}
