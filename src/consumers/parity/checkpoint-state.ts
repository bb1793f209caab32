import type { Log } from '../../log/log.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { decodePartitionMemory } from '../../models/partition-memory-codec.ts'
import type { Account } from '../../scoring/account.ts'
import { addChunk } from '../../scoring/codec/chunk-codec.ts'
import { decodeAccount, UnreadableStateError } from '../../scoring/codec/codec.ts'
import { type CheckpointItem, decodeItem, isOfLaterCut } from '../checkpoints/checkpoint-records.ts'
import type { Checkpoint } from '../checkpoints/read-checkpoint.ts'
import type { State } from './recomputation.ts'
import type { PassedOver } from './sample-accounts.ts'

export interface CheckpointState extends State {
  /** Accounts whose state the checkpoint does not hold. */
  readonly passedOver: readonly PassedOver[]
}

/**
 * The state of some accounts in a checkpoint, in one pass over its partition that keeps nothing else.
 * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE; InvalidModelError
 */
export async function readCheckpointState(
  log: Log,
  library: ModelLibrary,
  checkpoint: Checkpoint,
  accountIds: readonly string[],
): Promise<CheckpointState> {
  const memory = decodePartitionMemory(Buffer.from(checkpoint.state), library)
  const items = await readItems(log, checkpoint, new Set(accountIds))
  const accounts = new Map<string, Account>()
  const passedOver: PassedOver[] = []
  for (const accountId of accountIds) {
    const { core, chunks, isLater } = items.get(accountId) ?? NOTHING
    if (core !== undefined) {
      try {
        accounts.set(accountId, decode(accountId, core, chunks, memory))
      } catch (error) {
        if (!(error instanceof UnreadableStateError)) throw error
        const reason = `the checkpoint at offset ${checkpoint.cut} cannot be read: ${error.message}`
        passedOver.push({ accountId, reason })
      }
    } else if (isLater) {
      passedOver.push({
        accountId,
        reason: `a newer checkpoint than the one at offset ${checkpoint.cut} is being written`,
      })
    }
  }
  return { memory, accounts, passedOver }
}

/** The newest items of an account before the checkpoint's head. */
interface FoundItems {
  core: Uint8Array | undefined
  readonly chunks: Map<string, Uint8Array>
  /** The account also follows the head, so compaction may have removed its earlier items. */
  isLater: boolean
}

const NOTHING: FoundItems = { core: undefined, chunks: new Map(), isLater: false }

async function readItems(
  log: Log,
  { topic, partition, headOffset, cut }: Checkpoint,
  accountIds: ReadonlySet<string>,
): Promise<Map<string, FoundItems>> {
  const found = new Map<string, FoundItems>()
  for await (const record of log.read(topic, [{ partition, from: 0, to: Number.MAX_SAFE_INTEGER }])) {
    const item = decodeItem(record)
    if (item === undefined || !accountIds.has(item.accountId)) continue
    // Left over from a later checkpoint, before the group was moved back.
    if (record.offset < headOffset && isOfLaterCut(record, cut)) continue
    const of = found.get(item.accountId) ?? { core: undefined, chunks: new Map(), isLater: false }
    found.set(item.accountId, of)
    if (record.offset > headOffset) of.isLater = true
    else keep(of, item)
  }
  return found
}

function keep(found: FoundItems, item: CheckpointItem): void {
  if (item.type === 'users') {
    found.chunks.set(item.chunk, item.bytes)
    return
  }
  found.core = item.bytes
  // A checkpoint writes an account before its chunks. Chunks before it are left over: the account lost them.
  found.chunks.clear()
}

function decode(
  accountId: string,
  core: Uint8Array,
  chunks: ReadonlyMap<string, Uint8Array>,
  { modelSets }: State['memory'],
): Account {
  const account = decodeAccount(accountId, core, modelSets)
  for (const [name, bytes] of chunks) addChunk(account, name, bytes)
  // The store holds them, so they are compared like changed chunks.
  for (const chunk of account.users.chunks.values()) chunk.isUnsaved = true
  for (const chunk of account.activity.manyIds?.chunks.values() ?? []) chunk.isUnsaved = true
  return account
}
