import type { Log, OffsetRange, Stretch } from '../../log/log.ts'
import type { AccountStore } from '../../store/store.ts'
import { copyGroup } from './lineage-names.ts'
import type { FoundLineage } from './lineages.ts'
import type { Replay } from './replay-record.ts'

/** The topics, group and store that a replay reads and writes. */
export interface ReplayLocation {
  readonly log: Log
  /** The replay's own store. */
  readonly store: AccountStore
  readonly originTopic: string
  readonly topic: string
  readonly copyGroup: string
}

export function replayLocation(
  { names, backend: { log, store } }: FoundLineage,
  { origin }: Replay,
): ReplayLocation {
  return { log, store, originTopic: origin.topic, topic: names.topics.signals, copyGroup: copyGroup(names) }
}

export interface ReplayProgress {
  /** Scored records of the replay's own log. */
  readonly scored: number
  /**
   * Offsets of the origin that are not copied, plus own ones that are not scored. Some of them hold no
   * record.
   */
  readonly left: number
}

/** @throws UpswellError LOG_UNAVAILABLE, STORE_UNAVAILABLE, TOPIC_MISSING */
export async function readProgress(location: ReplayLocation): Promise<ReplayProgress> {
  const toCopy = await stretchesToCopy(location, await location.log.ranges(location.originTopic))
  const toScore = await stretchesToScore(location, await location.log.ranges(location.topic))
  const left = [...toCopy, ...toScore].reduce((sum, { from, to }) => sum + to - from, 0)
  return { scored: await storedOffsets(location), left }
}

/**
 * Whether all records of the origin before its `ends` are copied. The ends themselves may never be reached:
 * the last offsets may hold no record.
 * @throws UpswellError LOG_UNAVAILABLE, TOPIC_MISSING
 */
export async function isCopied(location: ReplayLocation, ends: Ranges): Promise<boolean> {
  return await isEmpty(location.log, location.originTopic, await stretchesToCopy(location, ends))
}

/**
 * Whether all records of the replay's own log before its `ends` are scored. @throws UpswellError
 * LOG_UNAVAILABLE, STORE_UNAVAILABLE, TOPIC_MISSING
 */
export async function isScored(location: ReplayLocation, ends: Ranges): Promise<boolean> {
  return await isEmpty(location.log, location.topic, await stretchesToScore(location, ends))
}

/**
 * Whether everything before the origin's `ends` is copied, and all copies are scored. @throws UpswellError
 * LOG_UNAVAILABLE, STORE_UNAVAILABLE, TOPIC_MISSING
 */
export async function isThrough(location: ReplayLocation, ends: Ranges): Promise<boolean> {
  return (
    (await isCopied(location, ends)) && (await isScored(location, await location.log.ranges(location.topic)))
  )
}

type Ranges = ReadonlyMap<number, OffsetRange>

async function stretchesToCopy(
  { log, originTopic, copyGroup }: ReplayLocation,
  ranges: Ranges,
): Promise<Stretch[]> {
  const { committed } = await log.group(copyGroup, originTopic)
  return Array.from(ranges, ([partition, { first, end }]) => ({
    partition,
    from: Math.max(first, committed.get(partition) ?? 0),
    to: end,
  })).filter(({ from, to }) => from < to)
}

async function stretchesToScore({ store }: ReplayLocation, ranges: Ranges): Promise<Stretch[]> {
  const stretches: Stretch[] = []
  for (const [partition, { end }] of ranges)
    stretches.push({ partition, from: await store.readStoredOffset(partition), to: end })
  return stretches.filter(({ from, to }) => from < to)
}

async function storedOffsets({ log, store, topic }: ReplayLocation): Promise<number> {
  let sum = 0
  for (const partition of (await log.ranges(topic)).keys()) sum += await store.readStoredOffset(partition)
  return sum
}

async function isEmpty(log: Log, topic: string, stretches: readonly Stretch[]): Promise<boolean> {
  if (stretches.length === 0) return true
  for await (const _ of log.read(topic, stretches)) return false
  return true
}
