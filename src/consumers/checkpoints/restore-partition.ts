import type { Logger } from '../../lib/logger.ts'
import type { Log } from '../../log/log.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { decodePartitionMemory } from '../../models/partition-memory-codec.ts'
import { decodeAccount, UnreadableStateError } from '../../scoring/codec/codec.ts'
import { createPartitionMemory, type PartitionMemory } from '../../scoring/partition-memory.ts'
import type { AccountStore, PartitionWrite } from '../../store/store.ts'
import { AccountCache } from '../scorer/account-cache.ts'
import { accountWrites } from '../scorer/write-builder.ts'
import type { CheckpointItem } from './checkpoint-records.ts'
import { type Checkpoint, findCheckpoint, readCheckpoint } from './read-checkpoint.ts'

export interface RestoreOptions {
  readonly log: Log
  readonly store: AccountStore
  readonly library: ModelLibrary
  readonly logger: Logger
  /** The topic of checkpoints. */
  readonly topic: string
  /** Receives how many accounts are in the store. */
  readonly onRestored?: (accounts: number) => void
}

export interface RestoredPartition {
  readonly storedOffset: number
  readonly memory: PartitionMemory
}

const ITEMS_PER_WRITE = 500

/** A partition whose store was lost, or is older than the log's first record. */
export interface LostPartition {
  readonly partition: number
  readonly fencingToken: string
  readonly storedOffset: number
  /** A checkpoint of a later cut is refused. */
  readonly committedOffset: number
}

/**
 * Empties a partition of the store and fills it from the newest checkpoint. Undefined: no checkpoint is ahead
 * of the store, which stays as it is, except that leftovers of an interrupted filling are removed.
 * @throws UpswellError STORE_FENCED, STORE_UNAVAILABLE, TOPIC_MISSING, LOG_UNAVAILABLE
 */
export async function restorePartition(
  options: RestoreOptions,
  lost: LostPartition,
): Promise<RestoredPartition | undefined> {
  const { log, store, logger, topic } = options
  const { partition, fencingToken, storedOffset, committedOffset } = lost
  const found = await findCheckpoint(log, topic, partition, reason =>
    logger.error(
      `${topic} partition ${partition}: the newest checkpoint cannot be used: ${reason}; ${storedOffset === 0 ? 'the log is folded from its beginning' : 'the store is left as it is'}`,
    ),
  )
  if (found !== undefined && found.cut > committedOffset)
    logger.error(
      `${topic} partition ${partition}: its checkpoint is at offset ${found.cut}, but the group is at ${committedOffset}: signals was recreated, or the group was moved back. The checkpoint is not used.`,
    )
  if (found === undefined || found.cut > committedOffset || found.cut <= storedOffset) {
    // Leftovers of an interrupted emptying or filling would be counted twice.
    if (storedOffset === 0) await store.clear(partition, fencingToken)
    return undefined
  }
  const startedAt = performance.now()
  await store.clear(partition, fencingToken)
  try {
    const memory = await fill(options, found, fencingToken)
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    logger.info(
      `${topic} partition ${partition}: ${found.accounts} accounts as of offset ${found.cut} are in the store again, in ${seconds} s`,
    )
    return { storedOffset: found.cut, memory }
  } catch (error) {
    if (!(error instanceof UnreadableStateError)) throw error
    logger.error(
      `${topic} partition ${partition}: the checkpoint at offset ${found.cut} cannot be used: ${error.message}; the log is folded from its beginning`,
    )
    await store.clear(partition, fencingToken)
    return { storedOffset: 0, memory: createPartitionMemory() }
  }
}

/**
 * The stored offset stays 0 until everything is there: if the process dies before, the next owner empties and
 * fills the partition again. Each write is a numbered part, so a store that loses one refuses the next.
 * @throws UnreadableStateError if the checkpoint is damaged
 */
async function fill(
  { log, store, library, onRestored = () => {} }: RestoreOptions,
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
    const userChunks = items.flatMap(item => (item.type === 'users' ? [item] : []))
    // Readers need the models before they can read the accounts.
    const firstState = part === 0 ? state : undefined
    await save(0, { state: firstState, ...accountWrites(accounts, cache), userChunks })
    restored += accounts.length
    onRestored(restored)
  }
  let items: CheckpointItem[] = []
  for await (const item of readCheckpoint(log, checkpoint)) {
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
