import { findCheckpoint } from '../../consumers/checkpoints/read-checkpoint.ts'
import { copyGroup, type LineageNames, scoreGroup } from '../../consumers/lineage/lineage-names.ts'
import type { FoundLineage, Lineages } from '../../consumers/lineage/lineages.ts'
import type { Attempt } from '../../lib/attempt.ts'
import type { GroupFacts } from '../../log/kafka/inspect/kafka-facts.ts'
import type { Log, LogRecord } from '../../log/log.ts'
import { CHECKPOINTS } from '../../log/topic-names.ts'
import { REPLAY_ROLES } from '../../log/topic-settings.ts'
import { findReplays } from '../replay/find-replays.ts'
import type { GroupPosition, LetterFacts, PartitionPosition, ReplayFacts, StoreFacts } from './judge-store.ts'

/** @throws UpswellError LOG_UNAVAILABLE, STORE_UNAVAILABLE, TOPIC_MISSING */
export async function readStoreFacts({ names, backend: { log, store } }: FoundLineage): Promise<StoreFacts> {
  const topic = names.topics.signals
  const { committed } = await log.group(scoreGroup(names), topic)
  const ranges = await log.ranges(topic)
  const positions = await Promise.all(
    Array.from(ranges, async ([partition, { first, end }]): Promise<PartitionPosition> => {
      const stored = await store.readStoredOffset(partition)
      // Nobody needs a checkpoint while the log is whole.
      const checkpoint =
        first === 0 ? undefined : await findCheckpoint(log, names.topics[CHECKPOINTS], partition)
      return {
        partition,
        first,
        end,
        committed: committed.get(partition),
        stored,
        checkpoint: checkpoint?.cut,
      }
    }),
  )
  positions.sort((a, b) => a.partition - b.partition)
  return { topic, positions, claimed: await store.partitions() }
}

/** @throws UpswellError LOG_UNAVAILABLE, TOPIC_MISSING */
export async function readGroupPosition(
  log: Log,
  group: string,
  topics: readonly string[],
  facts: Attempt<GroupFacts>,
): Promise<GroupPosition> {
  let lag = 0
  let hasCommitted = false
  const lost: string[] = []
  await Promise.all(
    topics.map(async topic => {
      const { committed } = await log.group(group, topic)
      for (const [partition, { first, end }] of await log.ranges(topic)) {
        const offset = committed.get(partition)
        hasCommitted ||= offset !== undefined
        lag += Math.max(0, end - Math.max(first, offset ?? 0))
        if (offset !== undefined && (offset < first || offset > end)) lost.push(`${topic}/${partition}`)
      }
    }),
  )
  return { group, facts, lag, lost: lost.sort(), hasCommitted }
}

/** The last offsets may be markers of transactions. */
const LATEST_OFFSETS = 50

/** @throws UpswellError LOG_UNAVAILABLE, TOPIC_MISSING */
export async function readDeadLetters(log: Log, topic: string): Promise<LetterFacts> {
  const ranges = await log.ranges(topic)
  const stretches = Array.from(ranges, ([partition, { first, end }]) => ({
    partition,
    from: Math.max(first, end - LATEST_OFFSETS),
    to: end,
  })).filter(({ from, to }) => from < to)
  let newest: LogRecord | undefined
  const counts = new Map<string, number>()
  if (stretches.length > 0)
    for await (const record of log.read(topic, stretches)) {
      const reason = reasonOf(record)
      counts.set(reason, (counts.get(reason) ?? 0) + 1)
      if (newest === undefined || record.timestamp >= newest.timestamp) newest = record
    }
  const offsets = [...ranges.values()].reduce((sum, { first, end }) => sum + end - first, 0)
  const reasons = [...counts].sort(([, a], [, b]) => b - a)
  if (newest === undefined) return { offsets, newest: undefined, reasons }
  return { offsets, newest: { reason: reasonOf(newest), at: newest.timestamp }, reasons }
}

function reasonOf({ headers }: LogRecord): string {
  return headers['upswell-reason']?.toString() ?? 'without a reason'
}

/** @throws UpswellError LOG_UNAVAILABLE, STORE_UNAVAILABLE */
export async function readReplays(
  lineages: Lineages,
  log: Log,
  topicPrefix: string,
): Promise<{ readonly replays: readonly ReplayFacts[]; readonly leftOver: readonly string[] }> {
  const found = await findReplays(lineages, log, topicPrefix)
  const replays: ReplayFacts[] = []
  for (const { replay, names, state, left } of found)
    replays.push({
      name: replay.name,
      state,
      left,
      isRunning: await isRunning(log, names, replay.origin.topic),
    })
  return { replays, leftOver: leftOverTopics(await log.topics(), topicPrefix) }
}

async function isRunning(log: Log, names: LineageNames, originTopic: string): Promise<boolean> {
  if ((await log.group(copyGroup(names), originTopic)).isConsuming) return true
  return (await log.group(scoreGroup(names), names.topics.signals)).isConsuming
}

/** Topics named as a replay names them, whose `NAME.signals` is gone: it is deleted last. */
export function leftOverTopics(topics: readonly string[], topicPrefix: string): string[] {
  const there = new Set(topics)
  return topics.filter(topic => {
    const [name, role, more] = topic.slice(topicPrefix.length).split('.')
    const isOfReplay =
      topic.startsWith(topicPrefix) &&
      more === undefined &&
      REPLAY_ROLES.some(each => each === role && each !== 'signals')
    return isOfReplay && !there.has(`${topicPrefix}${name}.signals`)
  })
}
