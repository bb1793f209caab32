import { setTimeout as sleep } from 'node:timers/promises'
import type { FoundLineage, Lineages } from '../../consumers/lineage/lineages.ts'
import {
  isCopied,
  isScored,
  type ReplayLocation,
  readProgress,
  replayLocation,
} from '../../consumers/lineage/replay-progress.ts'
import type { Replay } from '../../consumers/lineage/replay-record.ts'
import { tickRecord } from '../../log/signals-topic-records.ts'
import { progressReport } from '../progress-bar.ts'
import { print } from '../terminal.ts'

const LOOK_INTERVAL_MS = 1_000
/** So few may come in during one look; some of them are markers of transactions, which nobody scores. */
const FEW_LEFT = 1_000

// How watching a replay ends, and what is printed:
//
//   replay with an end     all scored    → time passes to the end        Replayed …
//   replay without an end  all scored    → the replay follows the log    Caught up …
//                          promoted      → "upswell score" continues it  … was promoted
//   any                    Ctrl-C                                        Stopped …

/** Shows the progress of a replay until it ends, is promoted, or is stopped. Returns the exit code. */
export async function watchReplay(
  lineages: Lineages,
  lineage: FoundLineage,
  replay: Replay,
  stopping: AbortSignal,
): Promise<number> {
  const { log } = lineage.backend
  const { namespace } = lineage.names
  const location = replayLocation(lineage, replay)
  const ends = await log.ranges(location.originTopic)
  const report = progressReport('replaying', 'records')
  /**
   * The ends of the replay's log once it holds a copy of the origin up to `ends`. Later records may never
   * stop coming.
   */
  let copied: Awaited<ReturnType<typeof log.ranges>> | undefined
  let isFollowing = false
  try {
    while (!stopping.aborted) {
      const progress = await readProgress(location)
      if (!isFollowing) report.update(progress.scored, progress.scored + progress.left)
      const isNear = progress.left <= FEW_LEFT && !isFollowing
      if (isNear && copied === undefined && (await isCopied(location, ends)))
        copied = await log.ranges(location.topic)
      const isThrough = isNear && copied !== undefined && (await isScored(location, copied))
      if (isThrough && replay.to !== null) {
        await passTime(location, replay.to)
        report.stop()
        print(
          `Replayed ${progress.scored} records, to ${new Date(replay.to).toISOString()}. To compare its results: upswell replay diff ${replay.name}`,
        )
        return 0
      }
      if (isThrough) {
        report.stop()
        isFollowing = true
        print(
          `Caught up after ${progress.scored} records; it follows the log now. Ctrl-C stops it, and the same command continues it.\n` +
            `To compare its results: upswell replay diff ${replay.name}. To serve it: upswell replay promote ${replay.name}.`,
        )
      }
      if (isFollowing && (await lineages.served()).names.namespace === namespace) {
        print(`${replay.name} was promoted: "upswell score" continues it.`)
        return 0
      }
      await sleep(LOOK_INTERVAL_MS, undefined, { signal: stopping }).catch(() => {})
    }
    print('Stopped; the same command continues where it was.')
    return 0
  } finally {
    report.stop()
  }
}

/** Each of the last ticks names one slice: a batch of its own. */
const SLICES = 64

/**
 * Passes the time to the end of the window for every account, so that all boundaries before it are evaluated.
 */
async function passTime({ log, store, topic }: ReplayLocation, to: number): Promise<void> {
  const partitions = await log.partitions(topic)
  const ticks = Array.from({ length: partitions * SLICES }, (_, i) =>
    tickRecord(topic, Math.floor(i / SLICES), to - 1, {
      slice: i % SLICES,
      of: SLICES,
      scope: 'due',
      clock: 'event',
    }),
  )
  const positions = await log.append(ticks)
  for (const { partition, offset } of positions)
    while ((await store.readStoredOffset(partition)) <= offset) await sleep(20)
}
