import type { Attempt } from '../../lib/attempt.ts'
import type { GroupFacts } from '../../log/kafka/inspect/kafka-facts.ts'
import { type Finding, notChecked, ok, problem, warning } from './finding.ts'
import { countText, namesText } from './units.ts'

/** One partition of the log of the serving lineage, beside its store. */
export interface PartitionPosition {
  readonly partition: number
  readonly first: number
  readonly end: number
  /** Undefined: the group has none. */
  readonly committed: number | undefined
  readonly stored: number
  /** The cut of the newest checkpoint; undefined: there is none, or nobody looked because `first` is 0. */
  readonly checkpoint: number | undefined
}

export interface StoreFacts {
  readonly topic: string
  readonly positions: readonly PartitionPosition[]
  /** The number of partitions that the state was made with; undefined: there is no state. */
  readonly claimed: number | undefined
}

/** Whether the log has what a rebuild and a replay need. */
export function judgeBeginning({ topic, positions }: StoreFacts): Finding {
  const check = 'log-beginning'
  const cut = positions.filter(({ first }) => first > 0)
  if (cut.length === 0)
    return ok(check, `${topic} has its first record in all ${positions.length} partitions`)
  const lost = cut.filter(({ first, checkpoint }) => checkpoint === undefined || checkpoint < first)
  const found = `retention has deleted the first records of ${topic} in the partitions ${namesOf(cut)}`
  if (lost.length > 0)
    return problem(
      check,
      `${found}, and no checkpoint covers them in ${namesOf(lost)}`,
      'the log from its beginning, or a checkpoint that is not older',
      'keep Redis running, and follow "Retention has deleted signals" in docs/runbook.md',
    )
  return warning(
    check,
    `${found}; checkpoints cover them`,
    'the log from its beginning: a replay begins where the log begins',
    'set retention.ms=-1, protect activity-checkpoints, do not use rebuild --from-log',
  )
}

export function judgeStorePartitions({ topic, positions, claimed }: StoreFacts): Finding {
  const check = 'store-partitions'
  if (claimed === undefined) return ok(check, `${topic} has ${positions.length}, and the store is empty`)
  if (claimed === positions.length) return ok(check, `${claimed} in ${topic} and in the store`)
  return problem(
    check,
    `${topic} has ${positions.length} partitions, and the store was made with ${claimed}`,
    'the same number',
    'is REDIS_URL, KAFKA_BROKERS or UPSWELL_NAMESPACE another installation\'s? Else see "More partitions were added in Kafka" in docs/runbook.md',
  )
}

/** More records than a scorer folds in some seconds. */
const MANY_RECORDS = 100_000

export function judgePosition({ topic, positions }: StoreFacts): Finding {
  const check = 'store-position'
  const ahead = positions.filter(({ stored, end }) => stored > end)
  if (ahead.length > 0)
    return problem(
      check,
      `the store holds more than ${topic} in the partitions ${namesOf(ahead)}`,
      'at most the end of the log',
      'see "signals was deleted or recreated" in docs/runbook.md',
    )
  const movedBack = positions.filter(({ stored, committed }) => stored > (committed ?? 0))
  if (movedBack.length > 0)
    return warning(
      check,
      `the store is ahead of the group in the partitions ${namesOf(movedBack)}: offsets were lost or moved back`,
      'at most the committed offset',
      'nothing, if this was intended: records that the store holds are skipped. See "Group offsets" in docs/runbook.md',
    )
  const missing = sumOf(positions, ({ stored, committed }) => (committed ?? 0) - stored)
  const found = `${missing} scored records are missing from the store, in ${positions.length} partitions`
  if (missing > MANY_RECORDS)
    return warning(
      check,
      found,
      `fewer than ${MANY_RECORDS}`,
      'watch: scorers fill the store. If none runs, start them, or run `upswell rebuild`',
    )
  return ok(check, found)
}

export interface GroupPosition {
  readonly group: string
  readonly facts: Attempt<GroupFacts>
  /** Records that the group has not read. */
  readonly lag: number
  /** `topic/partition` whose committed offset no longer exists. */
  readonly lost: readonly string[]
  /** Whether the group has committed anything. */
  readonly hasCommitted: boolean
}

export function judgeGroup(check: 'score-group' | 'ingest-group', position: GroupPosition): Finding {
  const { group, facts, lag, lost, hasCommitted } = position
  if (lost.length > 0)
    return problem(
      check,
      `retention has deleted records that ${group} has not read, or the topic was recreated: ${namesText(lost)}`,
      'a committed offset that exists',
      'see "Group offsets were reset or lost" in docs/runbook.md, before you start the processes',
    )
  if ('reason' in facts) return notChecked(check, facts.reason)
  const { state, members } = facts.value
  const found = `${group} is ${state} with ${countText(members.length, 'member')}, ${countText(lag, 'record')} behind`
  if (state === 'Stable' && lag <= MANY_RECORDS) return ok(check, found)
  if (state === 'Stable')
    return warning(
      check,
      found,
      `fewer than ${MANY_RECORDS} behind`,
      'see "Scale" in docs/runbook.md if the number does not fall',
    )
  const isIngest = check === 'ingest-group'
  if (isIngest && !hasCommitted && lag === 0)
    return ok(check, `${group} has never read anything, and the source topics are empty`)
  if (state === 'Empty' || state === 'Dead')
    return warning(
      check,
      found,
      'a group with members',
      isIngest
        ? 'start ingest, unless your producers write signals themselves'
        : 'start the scorers: nothing is scored',
    )
  return warning(check, found, 'Stable', 'look again in some seconds: the members are sharing the partitions')
}

export interface LetterFacts {
  /** Offsets in the topic, which include the markers of transactions. */
  readonly offsets: number
  readonly newest: { readonly reason: string; readonly at: number } | undefined
  /** The reasons of the latest dead letters, the most frequent first. */
  readonly reasons: readonly (readonly [reason: string, count: number])[]
}

export function judgeDeadLetters(topic: string, { offsets, newest, reasons }: LetterFacts): Finding {
  const counts = namesText(
    reasons.map(([reason, count]) => `${count} ${reason}`),
    3,
  )
  if (newest === undefined) return ok('dead-letters', `${topic} holds none`)
  return warning(
    'dead-letters',
    `${topic} holds up to ${offsets}; the newest, of ${new Date(newest.at).toISOString()}, is ${newest.reason}; among the latest: ${counts}`,
    'none',
    reasons.some(([reason]) => reason === 'wrong-partition')
      ? 'correct the producer: see "Dead letters" in docs/runbook.md, and for wrong-partition docs/write-signals.md'
      : 'correct the producer: see "Dead letters" in docs/runbook.md',
  )
}

export interface ReplayFacts {
  readonly name: string
  readonly state: 'serves' | 'promoted' | 'shadow'
  /** Records that are not copied or not scored yet. */
  readonly left: number
  /** Whether a process works on it. */
  readonly isRunning: boolean
}

/** @param leftOver topics of a replay without its log */
export function judgeReplays(replays: readonly ReplayFacts[], leftOver: readonly string[]): Finding {
  if (leftOver.length > 0)
    return warning(
      'replays',
      `topics of a replay without its log: ${namesText(leftOver)}`,
      'none: `replay drop` was interrupted',
      'run `upswell replay drop NAME`',
    )
  const forgotten = replays.filter(({ state, isRunning }) => state === 'shadow' && !isRunning)
  if (forgotten.length > 0)
    return warning(
      'replays',
      forgotten.map(({ name, left }) => `no process works on ${name}, ${left} records are left`).join(', '),
      'a replay that runs, is promoted, or is dropped',
      'continue it with `upswell replay --into NAME`, or run `upswell replay drop NAME`: it takes space in Kafka and Redis',
    )
  if (replays.length === 0) return ok('replays', 'there are none')
  return ok('replays', replays.map(({ name, state }) => `${name} (${state})`).join(', '))
}

function namesOf(positions: readonly PartitionPosition[]): string {
  return namesText(positions.map(({ partition }) => String(partition)))
}

function sumOf(
  positions: readonly PartitionPosition[],
  numberOf: (position: PartitionPosition) => number,
): number {
  return positions.reduce((sum, position) => sum + Math.max(0, numberOf(position)), 0)
}
