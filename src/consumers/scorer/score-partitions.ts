import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { isUpswellError } from '../../lib/errors.ts'
import { everyInterval } from '../../lib/every-interval.ts'
import type { Consumption, PartitionHandler } from '../../log/log.ts'
import { SignalScanner } from '../../signals/scan-signal.ts'
import { flushPartition, isFlushDue } from './flush-partition.ts'
import { scoreRecords } from './score-partition.ts'
import type { ScoringOptions } from './scoring-options.ts'
import { StoreWrites } from './store-writes.ts'
import { type OwnedPartition, startOffset, takePartition } from './take-partition.ts'
import { Ticker } from './ticker.ts'

export interface Scoring extends Consumption {
  /** Whether every partition that is ours runs the configured models. */
  modelsActive(): boolean
}

/** The score loop: `signals` → fold → outputs and state, for the partitions that the group gives us. */
export async function startScoring(given: ScoringOptions): Promise<Scoring> {
  // One for all partitions: it remembers names and account ids.
  const options = {
    scanner: new SignalScanner(),
    writes: new StoreWrites(),
    ...(await withCheckpointsIfPossible(given)),
  }
  const { backend, topics } = options
  const partitions = await backend.log.partitions(topics.signals)
  await backend.store.claimPartitions(partitions)
  const owned = new Map<number, OwnedPartition>()
  const ticker = new Ticker(options, owned)
  let isStopping = false
  const flush = (partition: OwnedPartition, isDue: () => boolean): Promise<void> =>
    inTurn(partition, async () => {
      const isOurs = owned.get(partition.session.partition) === partition
      if (isOurs && isDue()) await flushPartition(options, partition)
    }).catch((error: unknown) => partition.session.lose(error))
  /** Of all partitions, whether it is time or not. */
  const flushAll = (): Promise<unknown> =>
    Promise.all(Array.from(owned.values(), partition => flush(partition, () => true)))
  /** Between batches: what a batch left unsaved, since its time had not come, is saved though no other comes; what waited longest first. */
  const flushWhatIsDue = async (): Promise<void> => {
    const byAge = [...owned.values()].sort((a, b) => a.flushedAt - b.flushedAt)
    await Promise.all(byAge.map(partition => flush(partition, () => isFlushDue(options, partition))))
  }
  const handler: PartitionHandler = {
    assigned: async session => {
      // Again: what was written at the start is lost with an emptied store, and readers go by it.
      await backend.store.claimPartitions(partitions)
      const partition = await takePartition(options, session, randomUUID())
      owned.set(session.partition, partition)
      ticker.look(session.partition)
      return startOffset(partition)
    },
    process: async (session, records) => {
      const partition = owned.get(session.partition)!
      await inTurn(partition, () => scoreRecords(options, partition, records)).catch((error: unknown) => {
        // At once: a write of the store that waits for its turn must not find what is of no use any more.
        session.lose(error)
        throw error
      })
      if (isStopping) await flushAll()
      ticker.look(session.partition)
    },
    released: session => {
      if (owned.get(session.partition)?.session === session) owned.delete(session.partition)
    },
  }
  const consumption = await backend.log.consume({
    group: options.group,
    topics: [topics.signals],
    handler,
    batchSize: options.batchSize,
  })
  ticker.start()
  const stopFlushing = flushEvery(options, () => void flushWhatIsDue())
  return {
    stop: async () => {
      ticker.stop()
      stopFlushing()
      // Whoever takes the partitions next has nothing to fold again.
      isStopping = true
      await Promise.race([flushAll(), sleep(LAST_FLUSH_MS, undefined, { ref: false })])
      await consumption.stop()
    },
    problem: () => consumption.problem(),
    assignments: () => consumption.assignments(),
    modelsActive: () => [...owned.values()].every(partition => ticker.runsConfiguredModels(partition)),
  }
}

/** How long the last write of the store may take when scoring stops; what it does not write is folded again. */
const LAST_FLUSH_MS = 3_000

/** One batch, or one write of the store, at a time. */
function inTurn(owned: OwnedPartition, work: () => Promise<void>): Promise<void> {
  const done = owned.turn.then(work)
  owned.turn = done.catch(() => {})
  return done
}

/** A fifth of the interval: by so much a write may come late. */
function flushEvery({ flush, every = everyInterval }: ScoringOptions, call: () => void): () => void {
  return flush === undefined ? () => {} : every(Math.max(10, flush.intervalMs / 5), call)
}

/** An installation that was made before there were checkpoints goes on without. */
async function withCheckpointsIfPossible(options: ScoringOptions): Promise<ScoringOptions> {
  const { backend, checkpoints, logger, ...rest } = options
  if (checkpoints === undefined) return options
  try {
    await backend.log.partitions(checkpoints.topic)
    return options
  } catch (error) {
    if (!isUpswellError(error, 'TOPIC_MISSING')) throw error
    logger.warn(
      `there is no topic ${checkpoints.topic}: no checkpoints are written, and an emptied store is made from the whole log; "upswell topics create" makes it`,
    )
    return { backend, logger, ...rest }
  }
}
