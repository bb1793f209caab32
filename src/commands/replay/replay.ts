import { basename } from 'node:path'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { readConfig } from '../../app/config.ts'
import { createMeters, watchLag } from '../../app/meters/meters.ts'
import { isEmbedded } from '../../app/open-backend.ts'
import { ProcessMemory } from '../../app/process-memory.ts'
import { readModelFiles } from '../../app/read-model-files.ts'
import { startClock } from '../../app/start-clock.ts'
import { beginReplay } from '../../consumers/lineage/begin-replay.ts'
import { findServed } from '../../consumers/lineage/find-served.ts'
import type { FoundLineage, Lineages } from '../../consumers/lineage/lineages.ts'
import { type Replay, readReplay, type TimeLimit } from '../../consumers/lineage/replay-record.ts'
import { scoreReplay } from '../../consumers/lineage/score-lineages.ts'
import { UpswellError } from '../../lib/errors.ts'
import type { Log } from '../../log/log.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { lineLogger, print } from '../terminal.ts'
import { type OpenedLineages, withLineages } from '../with-lineages.ts'
import { serveMetrics } from './serve-metrics.ts'
import { watchReplay } from './watch-replay.ts'

export interface ReplayOptions {
  readonly into: string
  /** ms */
  readonly from?: number
  readonly to?: number | 'now'
  /** Files or folders. */
  readonly model?: readonly string[]
  readonly partitions?: number
  /** ms */
  readonly latest?: number
  /** 0: any free one; undefined: no metrics. */
  readonly metricsPort?: number
}

/** Larger than in live scoring: nobody waits for a single record. */
const BATCH_SIZE = 2_000

/**
 * `upswell replay --into NAME`: copies and rescores a log into its own namespace and topics. It ends at
 * `--to`; without `--to` it follows the log until it is stopped or promoted. Returns the exit code.
 * @throws InvalidModelError; UpswellError INVALID_SETTINGS, PARTITIONS_CHANGED, LOG_FENCED, LOG_UNAVAILABLE,
 * STORE_UNAVAILABLE
 */
export async function replay(options: ReplayOptions): Promise<number> {
  const config = readConfig()
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const memory = ProcessMemory.ofThisThread(config)
  const meters = createMeters(registry, memory)
  const score = async ({ lineages, library }: OpenedLineages): Promise<number> => {
    const lineage = await lineages.replay(options.into)
    const { log } = lineage.backend
    const wanted = await describeReplay(options, lineages, lineage, library)
    const partitions = options.partitions ?? (await partitionsOf(lineage, wanted))
    const { isNew } = await beginReplay(log, lineage.names, wanted, { partitions, now: Date.now() })
    print(introduction(wanted, lineage, partitions, isNew))
    const logger = lineLogger(config.logLevel)
    const { clock, stop: stopClock } = await startClock(lineage.backend.store, logger)
    const stopping = untilStopped()
    const stopLag = watchLag(registry, meters, log, { now: clock.now, logger })
    const { metricsPort } = options
    const stopServing =
      metricsPort === undefined ? undefined : await serveMetrics(registry, config.host, metricsPort)
    const scoring = await scoreReplay(
      {
        lineages,
        library,
        logger,
        shares: memory.accounts,
        batchSize: Math.max(config.batchSize, BATCH_SIZE),
        // After a promotion the scorers decide which models are active: their settings may be newer.
        ticks: {
          models: undefined,
          now: clock.now,
          isInDoubt: clock.isInDoubt,
          intervalMs: config.tickIntervalMs,
        },
        checkpointIntervalMs: isEmbedded(config) ? 0 : config.checkpointIntervalMs,
        onScored: () => {},
        meter: meters.scorer,
      },
      lineage,
    )
    try {
      return await watchReplay(lineages, lineage, wanted, stopping)
    } finally {
      stopClock()
      stopLag()
      stopServing?.()
      await scoring.stop()
    }
  }
  return await withLineages(config, score, { meters, memory })
}

/**
 * The wanted replay. A replay that was begun before keeps its origin and the time that `--to now` meant then.
 */
async function describeReplay(
  { into, from, to, model, latest }: ReplayOptions,
  lineages: Lineages,
  lineage: FoundLineage,
  library: ModelLibrary,
): Promise<Replay> {
  const { log } = lineage.backend
  const begun = await readReplay(log, lineage.names.topics.signals)
  const served = await findServed(lineages)
  if (served.names.namespace === lineage.names.namespace)
    throw new UpswellError(
      'INVALID_SETTINGS',
      `${into} was promoted and serves; choose another name for a new replay`,
    )
  const { topics, namespace } = served.names
  const origin = begun?.origin ?? {
    topic: topics.signals,
    partitions: await log.partitions(topics.signals),
    namespace,
  }
  const models = model === undefined ? null : await readModelFiles(model)
  library.compileAll(models ?? [])
  const end = to === 'now' ? (begun?.to ?? Date.now()) : (to ?? null)
  return {
    name: into,
    origin,
    from: from ?? null,
    to: end,
    models: models?.map(({ file, text }) => ({ file, text })) ?? null,
    latest: latest === undefined ? null : await limitOf(log, origin, latest, begun),
  }
}

/** A replay that was begun before keeps the ends that it was begun with. */
async function limitOf(
  log: Log,
  { topic, partitions }: Replay['origin'],
  time: number,
  begun: Replay | undefined,
): Promise<TimeLimit> {
  if (begun?.latest?.time === time) return begun.latest
  const ranges = await log.ranges(topic)
  return { time, ends: Array.from({ length: partitions }, (_, partition) => ranges.get(partition)?.end ?? 0) }
}

async function partitionsOf({ names, backend: { log } }: FoundLineage, { origin }: Replay): Promise<number> {
  const exists = (await log.topics()).includes(names.topics.signals)
  return exists ? await log.partitions(names.topics.signals) : origin.partitions
}

function introduction(
  { name, origin, from, to, models, latest }: Replay,
  { names }: FoundLineage,
  partitions: number,
  isNew: boolean,
): string {
  const start = from === null ? 'from the beginning' : `from ${isoTime(from)}`
  const end = to === null ? ', then following it' : ` to ${isoTime(to)}`
  const scoredWith =
    models === null ? 'the models that the log names' : models.map(({ file }) => basename(file)).join(', ')
  const lines = [
    `${isNew ? 'Replaying' : 'Continuing the replay of'} ${origin.topic} ${start}${end}`,
    `  into         ${name}: ${partitions} partitions, topics ${names.topics.signals}, ${names.topics['pql-events']} and so on`,
    `  scored with  ${scoredWith}`,
  ]
  if (latest !== undefined && latest !== null)
    lines.push(`  repaired     later times become ${isoTime(latest.time)}, and later ticks are left out`)
  return lines.join('\n')
}

function untilStopped(): AbortSignal {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
  return stopping.signal
}

function isoTime(time: number): string {
  return new Date(time).toISOString()
}
