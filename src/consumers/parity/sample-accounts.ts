import { decodePartitionMemory } from '../../models/partition-memory-codec.ts'
import { everyChunkName } from '../../scoring/codec/chunk-codec.ts'
import { decodeAccount, UnreadableStateError } from '../../scoring/codec/codec.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import type { AccountStore, UserChunkKey } from '../../store/store.ts'
import type { ParitySource } from './parity-source.ts'

/** An account as the store held it at one moment. */
export interface SampledAccount {
  readonly accountId: string
  /** At that moment the store held exactly the records below this offset. */
  readonly storedOffset: number
  /** Undefined: the store lists the account, but has no core of it. */
  readonly core: Uint8Array | undefined
  /** Chunks by name. Undefined: without a readable core it is unknown which chunks there may be. */
  readonly chunks: ReadonlyMap<string, Uint8Array> | undefined
}

/** An account that cannot be compared. */
export interface PassedOver {
  readonly accountId: string
  readonly reason: string
}

export interface Sample {
  readonly accounts: readonly SampledAccount[]
  readonly passedOver: readonly PassedOver[]
}

/** The owner may write an account again while it is read. */
const ATTEMPTS = 5
const CHUNKS_PER_READ = 1000

/**
 * Reads accounts with all their chunks while their owner keeps writing. Each write changes the core, which
 * holds the offset of the last record. So a core that is the same before and after belongs to the stored
 * offset and the chunks that were read in between.
 * @throws UpswellError STORE_UNAVAILABLE; InvalidModelError: this version of Upswell cannot read an active
 * model
 */
export async function sampleAccounts(
  { namespace, store, library }: Pick<ParitySource, 'namespace' | 'store' | 'library'>,
  partition: number,
  accountIds: readonly string[],
): Promise<Sample> {
  const none = (reason: string): Sample => ({
    accounts: [],
    passedOver: accountIds.map(accountId => ({ accountId, reason })),
  })
  const accounts: SampledAccount[] = []
  let left = accountIds
  for (let attempt = 0; attempt < ATTEMPTS && left.length > 0; attempt++) {
    const before = await store.load(partition, left)
    const stored = await store.readPartition(partition)
    if (stored.storedOffset === 0) return none('the store is being filled again')
    const memory = decodePartitionMemory(stored.state, library)
    const { promotion } = memory
    if (promotion !== undefined && promotion.namespace !== namespace)
      return none(`${promotion.namespace} was promoted: nothing is scored here any more`)
    const chunks = await readChunks(store, partition, namesOfChunks(left, before, memory))
    const after = await store.load(partition, left)
    const moved: string[] = []
    for (const [i, accountId] of left.entries()) {
      const core = before[i]
      if (!areSame(core, after[i])) moved.push(accountId)
      else
        accounts.push({ accountId, storedOffset: stored.storedOffset, core, chunks: chunks.get(accountId) })
    }
    left = moved
  }
  const reason = `it was changed each of the ${ATTEMPTS} times that it was read`
  return { accounts, passedOver: left.map(accountId => ({ accountId, reason })) }
}

/**
 * For each account whose core can be read. A core that cannot is being changed, which the second reading
 * shows, or is damaged.
 */
function namesOfChunks(
  accountIds: readonly string[],
  cores: readonly (Uint8Array | undefined)[],
  { modelSets }: PartitionMemory,
): Map<string, string[]> {
  const names = new Map<string, string[]>()
  for (const [i, accountId] of accountIds.entries()) {
    const core = cores[i]
    if (core === undefined) continue
    try {
      names.set(accountId, everyChunkName(decodeAccount(accountId, core, modelSets).activity))
    } catch (error) {
      if (!(error instanceof UnreadableStateError)) throw error
    }
  }
  return names
}

async function readChunks(
  store: AccountStore,
  partition: number,
  names: ReadonlyMap<string, readonly string[]>,
): Promise<Map<string, Map<string, Uint8Array>>> {
  const found = new Map([...names.keys()].map(accountId => [accountId, new Map<string, Uint8Array>()]))
  const keys = [...names].flatMap(([accountId, chunks]) =>
    chunks.map((chunk): UserChunkKey => ({ accountId, chunk })),
  )
  for (let first = 0; first < keys.length; first += CHUNKS_PER_READ) {
    const some = keys.slice(first, first + CHUNKS_PER_READ)
    for (const [i, bytes] of (await store.loadUserChunks(partition, some)).entries()) {
      const { accountId, chunk } = some[i]!
      if (bytes !== undefined) found.get(accountId)!.set(chunk, bytes)
    }
  }
  return found
}

function areSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one === undefined || other === undefined ? one === other : Buffer.compare(one, other) === 0
}
