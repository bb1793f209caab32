import type { Log, OffsetRange } from './log.ts'
import { readPublished } from './published-offset.ts'

/**
 * Partition → the offset that a whole store has reached: the scores of all records before it are published.
 * Partitions that the group has no offset for are left out: none of their records was scored.
 * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE
 */
export async function readPublishedOffsets(
  log: Log,
  group: string,
  topic: string,
): Promise<ReadonlyMap<number, number>> {
  const { committed, metadata } = await log.group(group, topic)
  if (committed.size === 0) return new Map()
  const ranges = await log.ranges(topic)
  const found = await Promise.all(
    Array.from(committed, async ([partition, committedOffset]) => {
      const range = ranges.get(partition) ?? { first: 0, end: 0 }
      const commit = { partition, committedOffset, committedMetadata: metadata.get(partition) }
      return [partition, await publishedOffset(log, topic, commit, range)] as const
    }),
  )
  return new Map(found)
}

interface Commit {
  readonly partition: number
  readonly committedOffset: number
  readonly committedMetadata?: string | undefined
}

/**
 * The same for one partition. After a tool moved the group, the commit does not say which scores are
 * published: then a whole store holds all committed records.
 */
export async function publishedOffset(
  log: Log,
  topic: string,
  { partition, committedOffset, committedMetadata }: Commit,
  { first, end }: OffsetRange,
): Promise<number> {
  const known = readPublished(committedOffset, committedMetadata)
  if (known !== undefined) return Math.min(known.scoresPublished, end)
  return await endOfLastRecord(log, topic, partition, { first, end: Math.min(committedOffset, end) })
}

/** How far from the end the search starts; each further search goes ten times as far. */
const FIRST_LOOK = 100
const FURTHER = 10

/**
 * The offset after the last record of the range; 0: it has none. The range may end with markers of
 * transactions, which no store reaches.
 */
async function endOfLastRecord(
  log: Log,
  topic: string,
  partition: number,
  { first, end }: OffsetRange,
): Promise<number> {
  for (let to = end, length = FIRST_LOOK; to > first; length *= FURTHER) {
    const from = Math.max(first, to - length)
    let last: number | undefined
    for await (const { offset } of log.read(topic, [{ partition, from, to }])) last = offset
    if (last !== undefined) return last + 1
    to = from
  }
  return 0
}
