import { describeError, UpswellError } from '../../lib/errors.ts'
import type { PartitionSession } from '../../log/log.ts'
import { readPublished } from '../../log/published-offset.ts'
import { decodePartitionMemory } from '../../models/partition-memory.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import { ScannedSignals } from '../../signals/scanned-signals.ts'
import { PartitionCheckpoints } from '../checkpoints/partition-checkpoints.ts'
import { findCheckpoint } from '../checkpoints/read-checkpoint.ts'
import { type RestoredPartition, restorePartition } from '../checkpoints/restore-partition.ts'
import { AccountCache } from './account-cache.ts'
import { PendingCommits } from './pending-commits.ts'
import type { ScoreOptions } from './score-partition.ts'
import { Unsaved } from './unsaved.ts'

/** A partition that this process owns, for the length of one session. */
export interface OwnedPartition {
  readonly session: PartitionSession
  readonly fencingToken: string
  readonly memory: PartitionMemory
  readonly cache: AccountCache
  /** Those of the batch that is being folded. */
  readonly signals: ScannedSignals
  readonly checkpoints: PartitionCheckpoints | undefined
  /** Of batches that are folded, and not written to the store. */
  readonly commits: PendingCommits
  /** As the session began with them. */
  readonly taken: { readonly storedOffset: number; readonly published: number }
  /** The offset of the first record that is not in the store. */
  storedOffset: number
  /** As of the store. */
  savedMemory: PartitionMemory
  /** The offset of the first record that is not folded in memory. */
  position: number
  /** Of what lies before this offset the accounts' scores are published. */
  published: number
  unsaved: Unsaved
  /** When the store was last written, and when a batch was last folded, by the clock of `FlushTiming`. */
  flushedAt: number
  scoredAt: number
  /** Resolves when what is being done with the partition is done. */
  turn: Promise<void>
}

/**
 * Makes the partition ours in the store, and finds where to go on. The log's owner is fenced already, so the committed offset C is final.
 * R is the store's watermark. R < C: the process died between the transaction and the store's write, or the store was lost; R … C is folded again without outputs.
 * R > C: an operator moved the group back; what is below R is in the state, and is passed over. R = 0, or what comes after R is no longer in the log: the
 * store is emptied, and made from the newest checkpoint.
 * @throws UpswellError STORE_MOVED: the store holds more than the log
 */
export async function takePartition(
  options: ScoreOptions,
  session: PartitionSession,
  fencingToken: string,
): Promise<OwnedPartition> {
  const { backend, library, checkpoints } = options
  const { partition } = session
  const stored = await backend.store.fence(partition, fencingToken)
  requireWithinLog(session, stored.storedOffset)
  const isLost = stored.storedOffset === 0 || stored.storedOffset < session.firstOffset
  const restored = isLost ? await restoreLost(options, session, fencingToken, stored.storedOffset) : undefined
  const storedOffset = restored?.storedOffset ?? stored.storedOffset
  tellWhereItStands(options, session, storedOffset)
  const written =
    checkpoints?.timing === undefined
      ? undefined
      : new PartitionCheckpoints(checkpoints.topic, checkpoints.timing, backend.store, library)
  if (checkpoints === undefined || written !== undefined)
    void lookForCheckpoint(options, session, written, storedOffset)
  const memory =
    restored?.memory ?? decodePartitionMemory(storedOffset === 0 ? undefined : stored.state, library)
  // What is in the store was published before. Where nothing is known of the rest, it is published once more rather than not at all.
  const { committedOffset, committedMetadata } = session
  const published = Math.max(readPublished(committedOffset, committedMetadata) ?? 0, storedOffset)
  return {
    session,
    fencingToken,
    memory,
    cache: new AccountCache(),
    signals: new ScannedSignals(),
    checkpoints: written,
    commits: new PendingCommits(session),
    taken: { storedOffset, published },
    storedOffset,
    savedMemory: { ...memory },
    position: storedOffset,
    published,
    unsaved: new Unsaved(),
    flushedAt: Number.NEGATIVE_INFINITY,
    scoredAt: Number.NEGATIVE_INFINITY,
    turn: Promise.resolve(),
  }
}

/** What comes next would be passed over as known. Only a person can say which of the two is right. */
function requireWithinLog({ topic, partition, endOffset }: PartitionSession, storedOffset: number): void {
  if (storedOffset <= endOffset) return
  throw new UpswellError(
    'STORE_MOVED',
    `${topic} partition ${partition} ends at offset ${endOffset}, but the store holds records up to ${storedOffset}: the topic was made anew, or cut at its end, or this is another cluster. ` +
      `Bring the log back, or "upswell rebuild" to make the store from the log as it is, or use another namespace`,
    { canRetry: true },
  )
}

async function restoreLost(
  { backend: { log, store }, checkpoints, library, logger }: ScoreOptions,
  { partition, committedOffset }: PartitionSession,
  fencingToken: string,
  storedOffset: number,
): Promise<RestoredPartition | undefined> {
  if (committedOffset === 0 || checkpoints === undefined) {
    // What was emptied in part would be counted twice; also where the group was moved back to the beginning.
    if (storedOffset === 0) await store.clear(partition, fencingToken)
    return undefined
  }
  const { topic } = checkpoints
  return await restorePartition(
    { log, store, library, logger, topic },
    { partition, fencingToken, storedOffset, committedOffset },
  )
}

function tellWhereItStands({ logger }: ScoreOptions, session: PartitionSession, storedOffset: number): void {
  const { partition, committedOffset, topic } = session
  if (storedOffset < committedOffset) {
    logger.info(
      `${topic} partition ${partition}: the store is at ${storedOffset}, ${committedOffset - storedOffset} records are folded again`,
    )
  } else if (storedOffset > committedOffset) {
    logger.warn(
      `${topic} partition ${partition}: the group was moved back to ${committedOffset}; records below ${storedOffset} are counted already and are passed over`,
    )
  }
}

/** In the background: what an emptied store could be made from, now. */
async function lookForCheckpoint(
  { backend: { log }, checkpoints, logger }: ScoreOptions,
  { topic, partition, firstOffset, committedOffset }: PartitionSession,
  written: PartitionCheckpoints | undefined,
  storedOffset: number,
): Promise<void> {
  try {
    const found =
      checkpoints === undefined ? undefined : await findCheckpoint(log, checkpoints.topic, partition)
    if (found?.isLast === true && found.cut <= storedOffset)
      written?.continueFrom(found.cut, Math.max(storedOffset, committedOffset))
    if (firstOffset === 0 || (found !== undefined && found.cut >= firstOffset)) return
    logger.error(
      `${topic} partition ${partition} begins at offset ${firstOffset}: retention has deleted what was before, and ` +
        `${found === undefined ? 'there is no checkpoint' : `the newest checkpoint is of offset ${found.cut}`}. Were the store lost now, ` +
        `what those records said would be lost with it. Keep signals for ever (retention.ms=-1, retention.bytes=-1), or longer than a checkpoint takes.`,
    )
  } catch (error) {
    logger.warn(`${topic} partition ${partition}: could not look for its checkpoint: ${describeError(error)}`)
  }
}

/** Where a session begins to read. */
export function startOffset({ session, taken }: OwnedPartition): number {
  return Math.min(session.committedOffset, taken.storedOffset)
}
