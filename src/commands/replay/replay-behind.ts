import { copyGroup, type LineageNames } from '../../consumers/lineage/lineage-names.ts'
import type { Replay } from '../../consumers/lineage/replay-record.ts'
import type { Log, LogRecord, Stretch } from '../../log/log.ts'
import { recordKind } from '../../log/own-records.ts'
import type { AccountStore } from '../../store/store.ts'

export interface ReplayState {
  readonly log: Log
  /** The replay's own store. */
  readonly store: AccountStore
  readonly names: LineageNames
  readonly replay: Replay
}

/** Records are nearly in the order of their times: the next few show how far the replay is. */
const NEXT_RECORDS = 100

/**
 * Whether the replay has not read all signals from before `end` yet. False if nobody knows: a broker forgets
 * the offsets of groups that are gone.
 * @throws UpswellError LOG_UNAVAILABLE, STORE_UNAVAILABLE
 */
export async function isBehind(state: ReplayState, end: number): Promise<boolean> {
  const { log, names, replay } = state
  return (
    (await hasOlder(log, names.topics.signals, await stretchesToScore(state), replay, end)) ||
    (await hasOlder(log, replay.origin.topic, await stretchesToCopy(state), replay, end))
  )
}

async function stretchesToCopy({ log, names, replay }: ReplayState): Promise<Stretch[]> {
  const { topic } = replay.origin
  const { committed } = await log.group(copyGroup(names), topic)
  if (committed.size === 0) return []
  return Array.from(await log.ranges(topic), ([partition, { first, end }]) => ({
    partition,
    from: committed.get(partition) ?? first,
    to: end,
  }))
}

async function stretchesToScore({ log, store, names }: ReplayState): Promise<Stretch[]> {
  const stretches: Stretch[] = []
  for (const [partition, { end }] of await log.ranges(names.topics.signals))
    stretches.push({ partition, from: await store.readStoredOffset(partition), to: end })
  return stretches
}

async function hasOlder(
  log: Log,
  topic: string,
  stretches: readonly Stretch[],
  { from }: Replay,
  end: number,
): Promise<boolean> {
  for (const { partition, from: first, to } of stretches) {
    const some = { partition, from: first, to: Math.min(to, first + NEXT_RECORDS) }
    for await (const record of log.read(topic, [some]))
      if (movesTime(record) && record.timestamp < end && (from === null || record.timestamp >= from))
        return true
  }
  return false
}

/** Only signals and ticks move the time; other records have the time at which they were written. */
function movesTime(record: LogRecord): boolean {
  const kind = recordKind(record)
  return kind === undefined || kind === 'tick'
}
