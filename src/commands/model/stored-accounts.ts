import { bucketsOfSlice } from '../../consumers/scorer/tick-slices.ts'
import { UpswellError } from '../../lib/errors.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { decodePartitionMemory } from '../../models/partition-memory.ts'
import { type Account, advance } from '../../scoring/account.ts'
import { decodeAccount, UnreadableStateError } from '../../scoring/codec/codec.ts'
import type { CompiledModel } from '../../scoring/definition/compiled-model.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import { switchModels } from '../../scoring/switch-models.ts'
import type { AccountStore } from '../../store/store.ts'

/** An account as a reader got it, which may do with it what it likes: the store's is another one. */
export interface StoredAccount {
  readonly account: Account
  /** Its partition's time is that of loaded history: the wall clock does not pass there. */
  readonly history: boolean
}

export interface StoreOverview {
  readonly accounts: number
  /** The models that are active in partitions that hold accounts: each content once. */
  readonly activeModels: readonly CompiledModel[]
  /** Whether some accounts stand in loaded history. */
  readonly history: boolean
}

const ACCOUNTS_PER_READ = 500
/** Ids are listed in parts, so that those of a million accounts are never in memory at once, and no single answer takes long. */
const LISTS_PER_PARTITION = 16
const ATTEMPTS = 3

/** @throws UpswellError STORE_UNAVAILABLE; STATE_UNREADABLE if an active model cannot be read any more */
export async function overviewOf(store: AccountStore, library: ModelLibrary): Promise<StoreOverview> {
  const activeModels = new Map<string, CompiledModel>()
  let accounts = 0
  let history = false
  for (const partition of await partitionsOf(store)) {
    const held = await store.countDue(partition, Number.POSITIVE_INFINITY)
    if (held === 0) continue
    accounts += held
    const memory = await readMemory(store, partition, library)
    history ||= memory.history
    for (const model of memory.modelSets.at(-1)!.models) activeModels.set(model.contentHash, model)
  }
  return { accounts, activeModels: [...activeModels.values()], history }
}

/**
 * Every account in the store, under the models that are active now, at its own clock; without its users' own records. It reads only: a service may
 * run meanwhile, and each account is then as it was when it was read.
 * @throws UpswellError STORE_UNAVAILABLE, STATE_UNREADABLE
 */
export async function* storedAccounts(
  store: AccountStore,
  library: ModelLibrary,
): AsyncGenerator<StoredAccount> {
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
): Promise<StoredAccount[]> {
  for (let attempt = 1; ; attempt++) {
    const memory = await readMemory(store, partition, library)
    const found = await store.load(partition, ids)
    try {
      return found.flatMap((bytes, i) =>
        bytes === undefined
          ? []
          : [
              {
                account: current(decodeAccount(ids[i]!, bytes, memory.modelSets), memory),
                history: memory.history,
              },
            ],
      )
    } catch (error) {
      if (!(error instanceof UnreadableStateError)) throw error
      // Models may have changed between the two reads: then the accounts stand under a set that came later.
      if (attempt < ATTEMPTS) continue
      throw new UpswellError('STATE_UNREADABLE', `cannot read the store: ${error.message}`, { cause: error })
    }
  }
}

/** As the fold does before anything else: accounts that nothing has touched since are brought to the later models. */
function current(account: Account, { modelSets }: PartitionMemory): Account {
  for (const set of modelSets) {
    if (set.offset <= account.modelsOffset) continue
    advance(account, set.at)
    switchModels(account, set)
  }
  return account
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
