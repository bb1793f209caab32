import { randomUUID } from 'node:crypto'
import { isUpswellError } from '../../lib/errors.ts'
import type { Log, LogRecord, PartitionSession } from '../../log/log.ts'
import { publishedMetadata } from '../../log/published-offset.ts'
import type { AccountStore } from '../../store/store.ts'
import { PartitionScorer } from '../scorer/partition-scorer.ts'
import type { ScorerContext } from '../scorer/scorer-context.ts'

/** A partition of `signals` to be rebuilt in the store. */
export interface RebuiltPartition {
  readonly topic: string
  readonly partition: number
  readonly firstOffset: number
  /**
   * The committed offset, but no further than scores are published: a scorer refolds and publishes the rest.
   */
  readonly committedOffset: number
  /**
   * False: a tool moved the group, so it is not known which scores are published. The partition stays empty
   * then: a scorer fills it, and publishes the scores.
   */
  readonly isPublished: boolean
}

const BATCH_SIZE = 2_000

/**
 * Empties a partition of the store, even one that has an owner. A live owner notices at its next batch, and
 * rebuilds it. Readers know from `committedOffset` that it is not whole until then.
 */
export async function emptyPartition(
  store: AccountStore,
  { partition, committedOffset }: Pick<RebuiltPartition, 'partition' | 'committedOffset'>,
): Promise<void> {
  const fencingToken = randomUUID()
  await store.fence(partition, fencingToken, committedOffset)
  try {
    await store.clear(partition, fencingToken)
  } catch (error) {
    // `clear` removes the stored offset first. The owner has noticed that, fenced the partition again, and
    // empties the rest itself.
    if (!isUpswellError(error, 'STORE_FENCED')) throw error
  }
}

/**
 * Rebuilds an emptied partition from its checkpoint, if `context` names their topic, and from the log.
 * Publishes nothing, and moves no offset.
 * @throws UpswellError STORE_FENCED: a scorer took the partition, and continues it; STORE_UNAVAILABLE,
 * LOG_UNAVAILABLE
 */
export async function rebuildPartition(
  context: ScorerContext,
  rebuilt: RebuiltPartition,
  onProgress: (storedOffset: number) => void,
): Promise<void> {
  const { topic, partition, committedOffset, isPublished } = rebuilt
  const { log } = context.backend
  if (!isPublished) {
    context.logger.warn(
      `${topic} partition ${partition}: a tool moved the group, so it is not known which scores are published; the partition is left empty, and a scorer fills it and publishes them`,
      { topic, partition },
    )
    return
  }
  const scorer = await PartitionScorer.take(context, sessionOf(rebuilt), randomUUID())
  onProgress(scorer.offsets.stored)
  const stretch = { partition, from: scorer.offsets.stored, to: committedOffset }
  try {
    for await (const records of inBatches(log, topic, stretch)) {
      await scorer.score(records)
      onProgress(scorer.offsets.stored)
    }
  } finally {
    scorer.release()
  }
}

async function* inBatches(
  log: Log,
  topic: string,
  stretch: { partition: number; from: number; to: number },
): AsyncGenerator<LogRecord[]> {
  let batch: LogRecord[] = []
  for await (const record of log.read(topic, [stretch])) {
    batch.push(record)
    if (batch.length < BATCH_SIZE) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** A session in which every record is committed already. */
function sessionOf({ topic, partition, firstOffset, committedOffset }: RebuiltPartition): PartitionSession {
  return {
    topic,
    partition,
    firstOffset,
    committedOffset,
    // Scores are published up to here, so none is published again.
    committedMetadata: publishedMetadata(committedOffset),
    endOffset: committedOffset,
    isOver: false,
    commit: async () => {
      throw new Error('a rebuild commits nothing')
    },
    lose: () => {},
  }
}
