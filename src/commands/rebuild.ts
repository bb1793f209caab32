import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig } from '../app/config.ts'
import { findCheckpoint } from '../consumers/checkpoints/read-checkpoint.ts'
import {
  emptyPartition,
  type RebuiltPartition,
  rebuildPartition,
} from '../consumers/checkpoints/rebuild-partition.ts'
import { findServed } from '../consumers/lineage/find-served.ts'
import { scoreGroup } from '../consumers/lineage/lineage-names.ts'
import type { FoundLineage } from '../consumers/lineage/lineages.ts'
import { alwaysServing } from '../consumers/scorer/publication.ts'
import type { ScorerContext } from '../consumers/scorer/scorer-context.ts'
import { isUpswellError, UpswellError } from '../lib/errors.ts'
import type { Log, Stretch } from '../log/log.ts'
import { readPublished } from '../log/published-offset.ts'
import { CHECKPOINTS } from '../log/topic-names.ts'
import type { AccountStore } from '../store/store.ts'
import { progressReport } from './progress-bar.ts'
import { lineLogger } from './terminal.ts'
import { withLineages } from './with-lineages.ts'

export interface RebuildOptions {
  /** All partitions if left out. */
  readonly partition?: readonly number[]
  readonly fromLog?: true
}

const LOOK_INTERVAL_MS = 500

// Who fills the emptied store:
//
//   scorers run     each scorer its own partitions; this command watches
//   no scorer runs  this command

/**
 * `upswell rebuild`: empties the store and fills it again from checkpoints and the log. Returns the exit
 * code.
 * @throws UpswellError INVALID_SETTINGS, LOG_UNAVAILABLE, PARTITIONS_CHANGED, STORE_UNAVAILABLE,
 * TOPIC_MISSING
 */
export async function rebuild({ partition: wanted, fromLog }: RebuildOptions): Promise<number> {
  const config = readConfig()
  const logger = lineLogger(config.logLevel)
  return await withLineages(config, async ({ lineages, library, backend }) => {
    const lineage = await findServed(lineages)
    const { names } = lineage
    const { store, log } = lineage.backend
    const topic = names.topics.signals
    const { isConsuming } = await log.group(scoreGroup(names), topic)
    if (isConsuming && fromLog === true)
      throw new UpswellError(
        'INVALID_SETTINGS',
        'scorers are running, and they use checkpoints; stop them to rebuild the store from the log alone',
      )
    const partitions = await partitionsToRebuild(lineage, wanted)
    if (partitions.length === 0) {
      process.stdout.write(`No record of ${topic} has been scored yet: there is nothing to rebuild.\n`)
      return 0
    }
    const checkpoints = fromLog === true ? {} : await checkpointsOf(lineage)
    await requireWhole(lineage, partitions, checkpoints)
    logger.info(
      `Emptying ${partitions.length} partitions of ${names.namespace} (${await countAccounts(store, partitions)} accounts), and filling them again. The API does not answer for them meanwhile; no event is published a second time.`,
    )
    const shares = backend.memory.accounts
    const own = { library, logger, shares, ...checkpoints }
    const startedAtMs = performance.now()
    await emptyAndFill(lineage, partitions, isConsuming ? undefined : own)
    const accounts = await countAccounts(store, partitions)
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1)
    process.stdout.write(
      `Rebuilt ${accounts} accounts in ${partitions.length} partitions of ${names.namespace}, in ${seconds} s${isConsuming ? ' (by the scorers that run)' : ''}.\n`,
    )
    return 0
  })
}

/** Partitions with scored records or with data in the store; the latter may come from another log. */
async function partitionsToRebuild(
  { names, backend: { log, store } }: FoundLineage,
  wanted: readonly number[] | undefined,
): Promise<RebuiltPartition[]> {
  const topic = names.topics.signals
  const ranges = await log.ranges(topic)
  const unknown = wanted?.filter(partition => !ranges.has(partition)) ?? []
  if (unknown.length > 0)
    throw new UpswellError(
      'INVALID_SETTINGS',
      `${topic} has no partition ${unknown.join(', ')}; 0 to ${ranges.size - 1} are accepted`,
    )
  const { committed, metadata } = await log.group(scoreGroup(names), topic)
  const found: RebuiltPartition[] = []
  for (const [partition, { first, end }] of ranges) {
    if (wanted !== undefined && !wanted.includes(partition)) continue
    const offset = committed.get(partition) ?? 0
    const scoresPublished = readPublished(offset, metadata.get(partition))?.scoresPublished
    const committedOffset = Math.min(scoresPublished ?? offset, end)
    const isPublished = scoresPublished !== undefined
    if (committedOffset > 0 || (await store.readStoredOffset(partition)) > 0)
      found.push({ topic, partition, firstOffset: first, committedOffset, isPublished })
  }
  return found.sort((a, b) => a.partition - b.partition)
}

async function checkpointsOf({
  names,
  backend: { log },
}: FoundLineage): Promise<Pick<ScorerContext, 'checkpoints'>> {
  const topic = names.topics[CHECKPOINTS]
  return (await log.topics()).includes(topic) ? { checkpoints: { topic, timing: undefined } } : {}
}

/**
 * Checks before anything is emptied that all partitions can be rebuilt completely.
 * @throws UpswellError INVALID_SETTINGS
 */
async function requireWhole(
  { backend: { log } }: FoundLineage,
  partitions: readonly RebuiltPartition[],
  { checkpoints }: Pick<ScorerContext, 'checkpoints'>,
): Promise<void> {
  for (const { topic, partition, firstOffset, committedOffset } of partitions) {
    if (firstOffset === 0) continue
    const found =
      checkpoints === undefined ? undefined : await findCheckpoint(log, checkpoints.topic, partition)
    if (found !== undefined && found.cut >= firstOffset && found.cut <= committedOffset) continue
    const instead =
      checkpoints === undefined
        ? 'checkpoints are not used'
        : found === undefined
          ? 'there is no checkpoint'
          : `the newest checkpoint is at offset ${found.cut}`
    throw new UpswellError(
      'INVALID_SETTINGS',
      `${topic} partition ${partition} begins at offset ${firstOffset}: retention has deleted the records before it, and ${instead}. The store cannot be rebuilt from the rest, so it was not changed.`,
    )
  }
}

/** `own` undefined: scorers fill the store, and this watches. */
async function emptyAndFill(
  lineage: FoundLineage,
  partitions: readonly RebuiltPartition[],
  own: Pick<ScorerContext, 'library' | 'logger' | 'checkpoints' | 'shares'> | undefined,
): Promise<void> {
  const { names, backend } = lineage
  const report = progressReport('rebuilding', 'records')
  const total = partitions.reduce((sum, { committedOffset }) => sum + committedOffset, 0)
  const done = new Map<number, number>()
  const onStored = (partition: number, storedOffset: number): void => {
    done.set(partition, storedOffset)
    report.update(
      [...done.values()].reduce((sum, each) => sum + each, 0),
      total,
    )
  }
  try {
    // A store that lost everything does not know its partitions either, and readers would find no accounts.
    await backend.store.claimPartitions(await backend.log.partitions(names.topics.signals))
    for (const partition of partitions) await emptyPartition(backend.store, partition)
    const leftToScorers =
      own === undefined
        ? partitions
        : await rebuildAll(
            {
              backend,
              publication: alwaysServing(names.topics),
              partitions: await backend.log.partitions(names.topics.signals),
              ...own,
              onScored: () => {},
            },
            partitions,
            onStored,
          )
    await untilRebuilt(lineage, leftToScorers, onStored)
  } finally {
    report.stop()
  }
}

/** While one partition waits for Kafka or Redis, others are rebuilt. */
const PARTITIONS_AT_ONCE = 4

/** Returns the partitions that scorers took over. */
async function rebuildAll(
  options: ScorerContext,
  partitions: readonly RebuiltPartition[],
  onStored: (partition: number, storedOffset: number) => void,
): Promise<RebuiltPartition[]> {
  const left = [...partitions]
  const takenOver: RebuiltPartition[] = []
  const work = async (): Promise<void> => {
    for (let each = left.shift(); each !== undefined; each = left.shift())
      if (!(await rebuildOne(options, each, onStored))) takenOver.push(each)
  }
  await Promise.all(Array.from({ length: PARTITIONS_AT_ONCE }, work))
  return takenOver
}

/** False: a scorer took it over. */
async function rebuildOne(
  options: ScorerContext,
  rebuilt: RebuiltPartition,
  onStored: (partition: number, storedOffset: number) => void,
): Promise<boolean> {
  try {
    await rebuildPartition(options, rebuilt, storedOffset => onStored(rebuilt.partition, storedOffset))
    return true
  } catch (error) {
    if (!isUpswellError(error, 'STORE_FENCED', 'STORE_MOVED')) throw error
    options.logger.info(`a scorer took over partition ${rebuilt.partition} and continues it`)
    return false
  }
}

async function untilRebuilt(
  { backend: { store, log } }: FoundLineage,
  partitions: readonly RebuiltPartition[],
  onStored: (partition: number, storedOffset: number) => void,
): Promise<void> {
  for (const { topic, partition, committedOffset } of partitions) {
    let before: number | undefined
    for (;;) {
      const storedOffset = await store.readStoredOffset(partition)
      onStored(partition, storedOffset)
      if (storedOffset >= committedOffset) break
      // The rest may be markers of transactions, which nobody scores.
      const left = { partition, from: storedOffset, to: committedOffset }
      if (storedOffset === before && !(await hasRecords(log, topic, left))) break
      before = storedOffset
      await sleep(LOOK_INTERVAL_MS)
    }
  }
}

async function hasRecords(log: Log, topic: string, stretch: Stretch): Promise<boolean> {
  for await (const _ of log.read(topic, [stretch])) return true
  return false
}

async function countAccounts(store: AccountStore, partitions: readonly RebuiltPartition[]): Promise<number> {
  let accounts = 0
  for (const { partition } of partitions)
    accounts += await store.countDue(partition, Number.POSITIVE_INFINITY)
  return accounts
}
