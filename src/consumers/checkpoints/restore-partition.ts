import type { Logger } from '../../lib/logger.ts'
import { UnreadableStateError } from '../../scoring/codec/codec.ts'
import { createPartitionMemory, type PartitionMemory } from '../../scoring/partition-memory.ts'
import { type FillOptions, fillPartition } from './fill-partition.ts'
import { findCheckpoint } from './read-checkpoint.ts'

export interface RestoreOptions extends FillOptions {
  readonly logger: Logger
  /** The topic of checkpoints. */
  readonly topic: string
}

export interface RestoredPartition {
  readonly storedOffset: number
  readonly memory: PartitionMemory
}

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
      { topic, partition },
    ),
  )
  if (found !== undefined && found.cut > committedOffset)
    logger.error(
      `${topic} partition ${partition}: its checkpoint is at offset ${found.cut}, but the group is at ${committedOffset}: signals was recreated, or the group was moved back. The checkpoint is not used.`,
      { topic, partition },
    )
  if (found === undefined || found.cut > committedOffset || found.cut <= storedOffset) {
    // Leftovers of an interrupted emptying or filling would be counted twice.
    if (storedOffset === 0) await store.clear(partition, fencingToken)
    return undefined
  }
  const startedAt = performance.now()
  await store.clear(partition, fencingToken)
  try {
    const memory = await fillPartition(options, found, fencingToken)
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    logger.info(
      `${topic} partition ${partition}: ${found.accounts} accounts as of offset ${found.cut} are in the store again, in ${seconds} s`,
      { topic, partition },
    )
    return { storedOffset: found.cut, memory }
  } catch (error) {
    if (!(error instanceof UnreadableStateError)) throw error
    logger.error(
      `${topic} partition ${partition}: the checkpoint at offset ${found.cut} cannot be used: ${error.message}; the log is folded from its beginning`,
      { topic, partition },
    )
    await store.clear(partition, fencingToken)
    return { storedOffset: 0, memory: createPartitionMemory() }
  }
}
