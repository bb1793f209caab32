import { randomUUID } from 'node:crypto'
import { isUpswellError } from '../../lib/errors.ts'
import { everyInterval } from '../../lib/every-interval.ts'
import { settlesWithin } from '../../lib/waiting.ts'
import type { Consumption, PartitionHandler } from '../../log/log.ts'
import { decodePartitionMemory } from '../../models/partition-memory-codec.ts'
import { SignalScanner } from '../../signals/scan/scan-signal.ts'
import { ConfiguredModels } from './configured-models.ts'
import { FlushSchedule, type FlushTiming } from './flush/flush-policy.ts'
import { PartitionScorer } from './partition-scorer.ts'
import type { ScorerContext } from './scorer-context.ts'
import { Ticker, type TickerOptions } from './ticker.ts'

/** The topic of signals, and the consumer group that scores it. */
export interface SignalSource {
  readonly topic: string
  readonly group: string
  /** The most records of one batch. */
  readonly batchSize: number
}

export interface ScoringOptions extends Omit<ScorerContext, 'flushes' | 'scanner' | 'partitions'> {
  readonly source: SignalSource
  readonly ticks: TickerOptions
  /** Undefined: the store is written with each batch. */
  readonly flush?: FlushTiming
}

export interface Scoring extends Consumption {
  /** Whether every partition of this process runs the configured models. */
  modelsActive(): boolean
}

/** How long the last flush may take when scoring stops; what it does not write is folded again. */
const MAX_LAST_FLUSH_MS = 3_000

/**
 * The score loop: `signals` → fold → outputs and state, for the partitions that the group assigns to this
 * process.
 */
export async function startScoring(given: ScoringOptions): Promise<Scoring> {
  const options = await withoutMissingCheckpoints(given)
  const { backend, source, ticks, flush } = options
  const partitions = await backend.log.partitions(source.topic)
  // One scanner for all partitions: it remembers names and account ids.
  const context = {
    ...options,
    partitions,
    scanner: new SignalScanner(),
    ...(flush === undefined ? {} : { flushes: new FlushSchedule(flush) }),
  }
  await requireUneditedModels(context, partitions)
  await backend.store.claimPartitions(partitions)
  const scorers = new Map<number, PartitionScorer>()
  const ticker = new Ticker(options, scorers)
  let isStopping = false
  const handler: PartitionHandler = {
    assigned: async session => {
      // Once more: an emptied store has lost the number of partitions, and readers need it.
      await backend.store.claimPartitions(partitions)
      const scorer = await PartitionScorer.take(context, session, randomUUID())
      scorers.set(session.partition, scorer)
      ticker.look(session.partition)
      return scorer.offsets.start
    },
    process: async (session, records) => {
      await scorers.get(session.partition)!.score(records)
      ticks.sawRecord?.(records.at(-1)!.timestamp)
      if (isStopping) await flushAll(scorers)
      ticker.look(session.partition)
    },
    released: session => {
      const scorer = scorers.get(session.partition)
      if (scorer?.session !== session) return
      scorer.release()
      ticker.leave(session.partition)
      scorers.delete(session.partition)
    },
  }
  const { group, topic, batchSize } = source
  const stopMetering = options.meter?.scoring(topic, () => Array.from(scorers.values(), ({ state }) => state))
  const consumption = await backend.log.consume({ group, topics: [topic], handler, batchSize })
  ticker.start()
  const stopFlushing = flushEvery(
    flush,
    ticks.every ?? everyInterval,
    oneAtATime(() => flushDue(scorers)),
  )
  return {
    stop: async () => {
      ticker.stop()
      stopFlushing()
      // The next owner then has nothing to fold again.
      isStopping = true
      await settlesWithin(MAX_LAST_FLUSH_MS, flushAll(scorers))
      await consumption.stop()
      stopMetering?.()
    },
    problem: () => consumption.problem() ?? lackOf(scorers) ?? ticker.problem(),
    waitingMs: () => consumption.waitingMs(),
    assignments: () => consumption.assignments(),
    modelsActive: () => [...scorers.values()].every(scorer => ticker.runsConfiguredModels(scorer)),
  }
}

/**
 * Checks the models of every partition before anything is written. What the store does not know yet, the
 * ticker notices later.
 * @throws InvalidModelError a model was edited without a new version
 */
async function requireUneditedModels(
  { backend, library, publication, ticks }: ScoringOptions,
  partitions: number,
): Promise<void> {
  const configured = new ConfiguredModels(library, ticks)
  const numbers = Array.from({ length: partitions }, (_, partition) => partition)
  const stored = await Promise.all(numbers.map(partition => backend.store.readPartition(partition)))
  for (const { state } of stored) {
    const memory = decodePartitionMemory(state, library)
    if (publication.role(memory) !== 'serving') continue
    const edited = configured.findEdited(memory)
    if (edited !== undefined) throw edited
  }
}

type Scorers = ReadonlyMap<number, PartitionScorer>

function lackOf(scorers: Scorers): string | undefined {
  for (const { session, offsets, wholeFrom } of scorers.values()) {
    if (offsets.stored < wholeFrom)
      return `${session.topic} partition ${session.partition} is being filled: the store is at ${offsets.stored} of ${wholeFrom}`
  }
  return undefined
}

/** A failure has ended the scorer's session already, and is reported there. */
const IGNORED = (): void => {}

function flushAll(scorers: Scorers): Promise<unknown> {
  return Promise.all(Array.from(scorers.values(), scorer => scorer.flush().catch(IGNORED)))
}

/**
 * Between batches: a batch that was not flushed, since it was not yet time, is flushed though no other comes.
 * The oldest first.
 */
async function flushDue(scorers: Scorers): Promise<void> {
  const oldestFirst = [...scorers.values()].sort((a, b) => a.flushedAt - b.flushedAt)
  await Promise.all(oldestFirst.map(scorer => scorer.flushIfDue().catch(IGNORED)))
}

/** A call does nothing while the one before is at work: behind a busy partition, calls would pile up. */
function oneAtATime(work: () => Promise<void>): () => void {
  let isBusy = false
  return () => {
    if (isBusy) return
    isBusy = true
    void work().finally(() => {
      isBusy = false
    })
  }
}

/** Looks five times an interval: a flush may be late by a fifth of it. */
function flushEvery(
  flush: FlushTiming | undefined,
  every: NonNullable<TickerOptions['every']>,
  call: () => void,
): () => void {
  return flush === undefined ? () => {} : every(Math.max(10, flush.intervalMs / 5), call)
}

/** An installation that was created before there were checkpoints continues without them. */
async function withoutMissingCheckpoints(options: ScoringOptions): Promise<ScoringOptions> {
  const { checkpoints, ...rest } = options
  if (checkpoints === undefined) return options
  try {
    await options.backend.log.partitions(checkpoints.topic)
    return options
  } catch (error) {
    if (!isUpswellError(error, 'TOPIC_MISSING')) throw error
    options.logger.warn(
      `there is no topic ${checkpoints.topic}: no checkpoints are written, and an emptied store is rebuilt from the whole log; "upswell topics create" creates it`,
    )
    return rest
  }
}
