import type { Log, OffsetRange, Stretch } from '../../log/log.ts'
import type { AccountStore } from '../../store/store.ts'
import { copyGroup } from './lineage-names.ts'
import type { FoundLine } from './lineages.ts'
import type { Replay } from './replay-record.ts'

/** What a replay reads and writes. */
export interface ReplayPlace {
  readonly log: Log
  /** Of the replay. */
  readonly store: AccountStore
  readonly originTopic: string
  readonly topic: string
  readonly copyGroup: string
}

/** Of a replay, where its line is. */
export function progressPlace(
  { place, backend: { log, store } }: FoundLine,
  { origin }: Replay,
): ReplayPlace {
  return { log, store, originTopic: origin.topic, topic: place.topics.signals, copyGroup: copyGroup(place) }
}

export interface ReplayProgress {
  /** Records of the replay's own log that are scored. */
  readonly scored: number
  /** Those that are not, and those of the origin that are not copied; with some that are no records, but take an offset. */
  readonly left: number
}

/** @throws UpswellError LOG_UNAVAILABLE, STORE_UNAVAILABLE, TOPIC_MISSING */
export async function readProgress(place: ReplayPlace): Promise<ReplayProgress> {
  const toCopy = await stretchesToCopy(place, await place.log.ranges(place.originTopic))
  const toScore = await stretchesToScore(place, await place.log.ranges(place.topic))
  const left = [...toCopy, ...toScore].reduce((sum, { from, to }) => sum + to - from, 0)
  return { scored: await watermarks(place), left }
}

/**
 * Whether all that the origin held at its `ends` is copied. The ends themselves may never be reached: what stands last may be no record.
 * @throws UpswellError LOG_UNAVAILABLE, TOPIC_MISSING
 */
export async function isCopied(place: ReplayPlace, ends: Ranges): Promise<boolean> {
  return await isEmpty(place.log, place.originTopic, await stretchesToCopy(place, ends))
}

/** As `isCopied`, of what is scored of the replay's own log. @throws UpswellError LOG_UNAVAILABLE, STORE_UNAVAILABLE, TOPIC_MISSING */
export async function isScored(place: ReplayPlace, ends: Ranges): Promise<boolean> {
  return await isEmpty(place.log, place.topic, await stretchesToScore(place, ends))
}

/** Both, of what the replay's own log holds now. @throws UpswellError LOG_UNAVAILABLE, STORE_UNAVAILABLE, TOPIC_MISSING */
export async function isThrough(place: ReplayPlace, ends: Ranges): Promise<boolean> {
  return (await isCopied(place, ends)) && (await isScored(place, await place.log.ranges(place.topic)))
}

type Ranges = ReadonlyMap<number, OffsetRange>

async function stretchesToCopy(
  { log, originTopic, copyGroup }: ReplayPlace,
  ranges: Ranges,
): Promise<Stretch[]> {
  const { committed } = await log.group(copyGroup, originTopic)
  return Array.from(ranges, ([partition, { first, end }]) => ({
    partition,
    from: Math.max(first, committed.get(partition) ?? 0),
    to: end,
  })).filter(({ from, to }) => from < to)
}

async function stretchesToScore({ store }: ReplayPlace, ranges: Ranges): Promise<Stretch[]> {
  const stretches: Stretch[] = []
  for (const [partition, { end }] of ranges)
    stretches.push({ partition, from: await store.readWatermark(partition), to: end })
  return stretches.filter(({ from, to }) => from < to)
}

async function watermarks({ log, store, topic }: ReplayPlace): Promise<number> {
  let sum = 0
  for (const partition of (await log.ranges(topic)).keys()) sum += await store.readWatermark(partition)
  return sum
}

async function isEmpty(log: Log, topic: string, stretches: readonly Stretch[]): Promise<boolean> {
  if (stretches.length === 0) return true
  for await (const _ of log.read(topic, stretches)) return false
  return true
}
