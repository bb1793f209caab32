import { randomUUID } from 'node:crypto'
import { isUpswellError } from '../../lib/errors.ts'
import type { Log, LogRecord, PartitionSession } from '../../log/log.ts'
import { publishedMetadata } from '../../log/published-offset.ts'
import type { AccountStore } from '../../store/store.ts'
import { PartitionScorer, type ScorerContext } from '../scorer/partition-scorer.ts'

/** A partition of `signals` to be made anew in the store. */
export interface RebuiltPartition {
  readonly topic: string
  readonly partition: number
  readonly firstOffset: number
  /** How far the group has committed, as far as the scores are published too: what lies behind is for a scorer to fold again and publish. */
  readonly committedOffset: number
}

const BATCH_SIZE = 2_000

/** Empties a partition of the store, whoever owns it: its owner, if one lives, finds that out with its next batch, and makes it anew. */
export async function emptyPartition(store: AccountStore, partition: number): Promise<void> {
  const fencingToken = randomUUID()
  await store.fence(partition, fencingToken)
  try {
    await store.clear(partition, fencingToken)
  } catch (error) {
    // It has found that out already, and empties the rest itself: the watermark was gone first.
    if (!isUpswellError(error, 'STORE_FENCED')) throw error
  }
}

/**
 * Makes an emptied partition anew, from its checkpoint if `context` names a topic of them, and the log. Nothing is published, and no offset moves.
 * @throws UpswellError STORE_FENCED: somebody else took the partition, and goes on with it; STORE_UNAVAILABLE, LOG_UNAVAILABLE
 */
export async function rebuildPartition(
  context: ScorerContext,
  rebuilt: RebuiltPartition,
  onProgress: (storedOffset: number) => void,
): Promise<void> {
  const { topic, partition, committedOffset } = rebuilt
  const { log } = context.backend
  const scorer = await PartitionScorer.take(context, sessionOf(rebuilt), randomUUID())
  onProgress(scorer.offsets.stored)
  const stretch = { partition, from: scorer.offsets.stored, to: committedOffset }
  for await (const records of inBatches(log, topic, stretch)) {
    await scorer.score(records)
    onProgress(scorer.offsets.stored)
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

/** All that it reads was committed before. */
function sessionOf({ topic, partition, firstOffset, committedOffset }: RebuiltPartition): PartitionSession {
  return {
    topic,
    partition,
    firstOffset,
    committedOffset,
    // Nothing of it is published.
    committedMetadata: publishedMetadata(committedOffset),
    endOffset: committedOffset,
    commit: async () => {
      throw new Error('a rebuild commits nothing')
    },
    lose: () => {},
  }
}
