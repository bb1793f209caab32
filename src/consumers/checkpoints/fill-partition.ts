import type { Log } from '../../log/log.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { decodePartitionMemory } from '../../models/partition-memory-codec.ts'
import type { Account } from '../../scoring/account.ts'
import { decodeAccount, UnreadableStateError } from '../../scoring/codec/codec.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import type { AccountStore, PartitionWrite } from '../../store/store.ts'
import { AccountCache } from '../scorer/account-cache.ts'
import { accountWrites } from '../scorer/flush/write-builder.ts'
import type { CheckpointItem } from './checkpoint-records.ts'
import { type Checkpoint, readCheckpoint } from './read-checkpoint.ts'

/** Publishes the scores of restored accounts if other scores of them may be published. */
export type PublishRestored = (accounts: readonly Account[], memory: PartitionMemory) => Promise<void>

export interface FillOptions {
  readonly log: Log
  readonly store: AccountStore
  readonly library: ModelLibrary
  readonly publish: PublishRestored
  /** How many keys of the checkpoint are held in memory. */
  readonly keysAtOnce: number
  /** Called before the first write and after each, with the accounts so far and all of the checkpoint. */
  readonly onFilled?: (accounts: number, of: number) => void
}

const ITEMS_PER_WRITE = 500

/**
 * Fills an empty partition of the store. The stored offset stays 0 until everything is there: if the process
 * dies before, the next owner empties and fills the partition again. Each write is a numbered part, so a
 * store that loses one refuses the next.
 * @throws UnreadableStateError if the checkpoint is damaged; UpswellError STORE_FENCED, STORE_MOVED,
 * STORE_UNAVAILABLE, TOPIC_MISSING, LOG_FENCED, LOG_UNAVAILABLE
 */
export async function fillPartition(
  { log, store, library, publish, keysAtOnce, onFilled }: FillOptions,
  checkpoint: Checkpoint,
  fencingToken: string,
): Promise<PartitionMemory> {
  const { partition, cut, counters } = checkpoint
  const state = Buffer.from(checkpoint.state)
  const memory = decodePartitionMemory(state, library)
  const cache = new AccountCache()
  let restored = 0
  let part = 0
  const save = async (
    storedOffset: number,
    write: Pick<PartitionWrite, 'state' | 'accounts' | 'userChunks' | 'counters'>,
  ): Promise<void> => {
    part++
    await store.save(partition, { fencingToken, expectedStoredOffset: 0, storedOffset, part, ...write })
  }
  const write = async (items: readonly CheckpointItem[]): Promise<void> => {
    const accounts = items.flatMap(item =>
      item.type === 'account'
        ? [{ account: decodeAccount(item.accountId, item.bytes, memory.modelSets), bytes: item.bytes }]
        : [],
    )
    // Before the write: if it fails, they are published again.
    await publish(
      accounts.map(({ account }) => account),
      memory,
    )
    const userChunks = items.flatMap(item => (item.type === 'users' ? [item] : []))
    // Readers need the models before they can read the accounts.
    const firstState = part === 0 ? state : undefined
    await save(0, { state: firstState, ...accountWrites(accounts, cache), userChunks })
    restored += accounts.length
    onFilled?.(restored, checkpoint.accounts)
  }
  onFilled?.(0, checkpoint.accounts)
  let items: CheckpointItem[] = []
  for await (const item of readCheckpoint(log, checkpoint, keysAtOnce)) {
    items.push(item)
    if (items.length < ITEMS_PER_WRITE) continue
    await write(items)
    items = []
  }
  await write(items)
  if (restored !== checkpoint.accounts)
    throw new UnreadableStateError(`it has ${restored} accounts of ${checkpoint.accounts}`)
  await save(cut, { state: undefined, accounts: [], userChunks: [], counters })
  return memory
}
