import { describeError, UpswellError } from '../../lib/errors.ts'
import { accountScoresRecord } from '../../log/account-scores-record.ts'
import type { PartitionSession } from '../../log/log.ts'
import { recordKind } from '../../log/own-records.ts'
import { readPublished } from '../../log/published-offset.ts'
import { publishedOffset } from '../../log/read-published-offsets.ts'
import { decodePartitionMemory } from '../../models/partition-memory-codec.ts'
import { NO_MODELS } from '../../scoring/account.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import type { PublishRestored } from '../checkpoints/fill-partition.ts'
import { PartitionCheckpoints } from '../checkpoints/partition-checkpoints.ts'
import { findCheckpoint } from '../checkpoints/read-checkpoint.ts'
import { type RestoredPartition, restorePartition } from '../checkpoints/restore-partition.ts'
import { PartitionOffsets } from './partition-offsets.ts'
import type { PartitionShare } from './partition-shares.ts'
import type { ScorerContext } from './scorer-context.ts'

export interface OpenedPartition {
  readonly offsets: PartitionOffsets
  readonly memory: PartitionMemory
  readonly checkpoints: PartitionCheckpoints | undefined
  /** The store's partition is whole once the stored offset has reached this. */
  readonly wholeFrom: number
}

// | stored offset       | what happened                            | what is done                           |
// | ------------------- | ---------------------------------------- | ---------------------------------------|
// | < committed         | a crash before the store's write         | refold up to committed, without events |
// | > committed         | an operator moved the group back         | skip the records below it              |
// | 0, or < log's first | the store was lost, or retention went on | empty it, restore the newest checkpoint|
// | > log's end         | the log was cut or recreated             | refuse: a person must decide           |
// | within another log  | the log was recreated, and has grown     | the same                               |
/**
 * Fences the store, and finds where to start. The log's earlier owners are fenced already, so the committed
 * offset is final. The table above has the cases.
 * @throws UpswellError STORE_MOVED: the store holds more than the log; STORE_UNAVAILABLE, LOG_UNAVAILABLE
 */
export async function fenceAndRestore(
  context: ScorerContext,
  session: PartitionSession,
  fencingToken: string,
  share: PartitionShare,
): Promise<OpenedPartition> {
  const { backend, library, checkpoints } = context
  const range = { first: session.firstOffset, end: session.endOffset }
  const wholeFrom = await publishedOffset(backend.log, session.topic, session, range)
  const found = await backend.store.fence(session.partition, fencingToken, wholeFrom)
  requireWithinLog(session, found.storedOffset)
  const isLost = found.storedOffset === 0 || found.storedOffset < session.firstOffset
  const { committedOffset, committedMetadata, endOffset } = session
  const known = readPublished(committedOffset, committedMetadata)
  const kept = decodePartitionMemory(found.storedOffset === 0 ? undefined : found.state, library)
  // Scorers commit with metadata. Kafka forgets it with the topic, and tools write none.
  if (known === undefined || committedOffset < found.storedOffset)
    await requireSameLog(context, session, kept)
  const publish = publishRestored(context, session, known?.scoresPublished ?? 0)
  const restored = isLost
    ? await restoreLost(context, session, { fencingToken, storedOffset: found.storedOffset }, publish, share)
    : undefined
  const stored = restored?.storedOffset ?? found.storedOffset
  reportStart(context, session, stored)
  const writer =
    checkpoints?.timing === undefined
      ? undefined
      : new PartitionCheckpoints(checkpoints.topic, checkpoints.timing, backend.store, library)
  // A rebuild reads checkpoints and writes none: it leaves the search to the next scorer.
  if (checkpoints === undefined || writer !== undefined)
    // One partition after the other: each reads a part of its topic into memory.
    void share.inBackground(() => lookForCheckpoint(context, session, writer, stored))
  // An account that is new in the store, or restored, is published then.
  const isPublishedAgain = stored === 0 || restored !== undefined
  const offsets = new PartitionOffsets({
    stored,
    // Scores in the store are published.
    scoresPublished: Math.max(known?.scoresPublished ?? 0, stored),
    committed: committedOffset,
    // If the commit does not say how far they are, any record of the log may have been scored before.
    uncertainBefore: known?.uncertainBefore ?? (isPublishedAgain ? 0 : endOffset),
  })
  return { offsets, memory: restored?.memory ?? kept, checkpoints: writer, wholeFrom }
}

const WAYS_OUT =
  'Bring the log back, or run "upswell rebuild" to rebuild the store from the log as it is, or use another namespace'

/** If the store were ahead of the log, the next records would be skipped as stored. */
function requireWithinLog({ topic, partition, endOffset }: PartitionSession, stored: number): void {
  if (stored <= endOffset) return
  throw new UpswellError(
    'STORE_MOVED',
    `${topic} partition ${partition} ends at offset ${endOffset}, but the store holds records up to ${stored}: the topic was recreated, or lost its newest records, or this is another cluster. ` +
      WAYS_OUT,
    { canRetry: true },
  )
}

/**
 * A topic that was recreated may have grown past the stored offset. Then the records below it are others, and
 * would be skipped as stored. The store knows where its models stand in the log.
 */
async function requireSameLog(
  { backend: { log } }: ScorerContext,
  { topic, partition, firstOffset }: PartitionSession,
  { modelSets }: PartitionMemory,
): Promise<void> {
  const { offset, at } = modelSets.at(-1)!
  // Without models, or if retention has deleted the record, nothing can be compared.
  if (offset === NO_MODELS.offset || offset < firstOffset) return
  for await (const record of log.read(topic, [{ partition, from: offset, to: offset + 1 }]))
    if (recordKind(record) === 'models' && record.timestamp === at) return
  throw new UpswellError(
    'STORE_MOVED',
    `the store belongs to another log: it has models from offset ${offset} of ${topic} partition ${partition}, and this log has others there: the topic was recreated, or this is another cluster. ` +
      WAYS_OUT,
    { canRetry: true },
  )
}

/**
 * A checkpoint shows accounts whose scores were published then. If the group was moved back since, older
 * scores may have been published after them. `scoresPublished`: the scores of earlier records are right.
 */
function publishRestored(
  { publication }: ScorerContext,
  session: PartitionSession,
  scoresPublished: number,
): PublishRestored {
  const { partition, committedOffset, committedMetadata } = session
  return async (accounts, memory) => {
    const topics = publication.topics(memory)
    const unannounced = new Set(publication.unannounced(memory, () => accounts))
    const outputs = accounts
      .filter(account => account.lastOffset >= scoresPublished && !unannounced.has(account))
      .map(account => accountScoresRecord(topics, account, `${partition}:${account.lastOffset}`))
    if (outputs.length > 0) await session.commit(outputs, committedOffset, committedMetadata)
  }
}

/** A key in a map: text and entry, with room for what is written meanwhile. */
const BYTES_PER_KEY = 512

async function restoreLost(
  { backend: { log, store }, checkpoints, library, logger, meter }: ScorerContext,
  { topic: signals, partition, committedOffset }: PartitionSession,
  { fencingToken, storedOffset }: { readonly fencingToken: string; readonly storedOffset: number },
  publish: PublishRestored,
  share: PartitionShare,
): Promise<RestoredPartition | undefined> {
  if (committedOffset === 0 || checkpoints === undefined) {
    // The store may have been emptied in part, or the group moved to the beginning: leftovers would be
    // counted twice.
    if (storedOffset === 0) await store.clear(partition, fencingToken)
    return undefined
  }
  const { topic } = checkpoints
  const onFilled = (done: number, total: number): void => meter?.filling(signals, partition, { done, total })
  const keysAtOnce = share.bytes / BYTES_PER_KEY
  try {
    return await restorePartition(
      { log, store, library, logger, topic, publish, keysAtOnce, onFilled },
      { partition, fencingToken, storedOffset, committedOffset },
    )
  } finally {
    meter?.filling(signals, partition, undefined)
  }
}

function reportStart({ logger }: ScorerContext, session: PartitionSession, stored: number): void {
  const { partition, committedOffset, topic } = session
  if (stored < committedOffset) {
    logger.info(
      `${topic} partition ${partition}: the store is at ${stored}, ${committedOffset - stored} records are folded again`,
      { topic, partition },
    )
  } else if (stored > committedOffset) {
    logger.warn(
      `${topic} partition ${partition}: the group was moved back to ${committedOffset}; records below ${stored} are in the store and are skipped`,
      { topic, partition },
    )
  }
}

/**
 * In the background: finds the checkpoint that the next one continues from, and reports if a lost store could
 * not be restored now.
 */
async function lookForCheckpoint(
  { backend: { log }, checkpoints, logger }: ScorerContext,
  { topic, partition, firstOffset, committedOffset }: PartitionSession,
  writer: PartitionCheckpoints | undefined,
  stored: number,
): Promise<void> {
  try {
    const found =
      checkpoints === undefined ? undefined : await findCheckpoint(log, checkpoints.topic, partition)
    if (found?.isLast === true && found.cut <= stored)
      writer?.continueFrom(found, Math.max(stored, committedOffset))
    if (firstOffset === 0 || (found !== undefined && found.cut >= firstOffset)) return
    logger.error(
      `${topic} partition ${partition} begins at offset ${firstOffset}: retention has deleted the records before it, and ` +
        `${found === undefined ? 'there is no checkpoint' : `the newest checkpoint is at offset ${found.cut}`}. If the store were lost now, ` +
        `the content of those records would be lost. Keep signals forever (retention.ms=-1, retention.bytes=-1), or longer than a checkpoint takes.`,
      { topic, partition },
    )
  } catch (error) {
    logger.warn(
      `${topic} partition ${partition}: could not look for its checkpoint: ${describeError(error)}`,
      { topic, partition },
    )
  }
}
