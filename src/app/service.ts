import { setTimeout as sleep } from 'node:timers/promises'
import { type ServingStore, servedFrom, servedOnceKnown } from '../api/read/served.ts'
import { startIngest } from '../consumers/ingest/ingest.ts'
import { scoreGroup } from '../consumers/lineage/lineage-names.ts'
import { type FoundLineage, Lineages } from '../consumers/lineage/lineages.ts'
import { ServingLineage } from '../consumers/lineage/serving-lineage.ts'
import { type ParityLoop, startParityLoop } from '../consumers/parity/parity-loop.ts'
import { paritySourceOf } from '../consumers/parity/parity-source.ts'
import type { Scoring } from '../consumers/scorer/score-partitions.ts'
import type { StepReport } from '../consumers/scorer/step-report.ts'
import type { Logger } from '../lib/logger.ts'
import type { TrustedClock } from '../lib/trusted-clock.ts'
import { readPublishedOffsets } from '../log/read-published-offsets.ts'
import { signalRecord } from '../log/signals-topic-records.ts'
import { ModelLibrary, type ModelSource } from '../models/model-library.ts'
import type { CompiledModel } from '../scoring/definition/compiled-model.ts'
import type { Config } from './config.ts'
import { instanceIdOf } from './instance-id.ts'
import { createMeters, type Meters, readLag, watchLag } from './meters/meters.ts'
import { ProcessRegistry } from './meters/process-registry.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { isEmbedded, type OpenedBackend, openBackend } from './open-backend.ts'
import { ProcessMemory } from './process-memory.ts'
import { readModelFiles } from './read-model-files.ts'
import { Readiness } from './readiness.ts'
import { type Role, RunningRoles } from './running-roles.ts'
import { scoreAsConfigured } from './score-as-configured.ts'
import { scoreInThreads } from './score-threads/score-in-threads.ts'
import { CountedBatches } from './scored-counts.ts'
import { startServiceApi } from './service-api.ts'
import { startClock } from './start-clock.ts'

export interface ServiceOptions {
  readonly config: Config
  readonly roles: ReadonlySet<Role>
  readonly logger: Logger
  /** Called if the main thread scores, as it does embedded. */
  readonly onScored?: (report: StepReport) => void
  /** Runs in score threads instead of the product's own entry, to observe them. */
  readonly scoreThreadEntry?: URL
  /** This machine's clock, ms; undefined: `Date.now`. */
  readonly wallClock?: () => number
}

export interface Service {
  /** Where the API, or at least health and metrics, answer. */
  readonly url: string
  readonly backend: OpenedBackend
  readonly library: ModelLibrary
  /** The configured models. */
  readonly models: readonly ModelSource[]
  /** The serving lineage: the settings name it, until a replay is promoted. */
  served(): FoundLineage
  /**
   * The models that are active in the serving lineage: the API answers with them.
   * @throws UpswellError STORE_UNAVAILABLE
   */
  activeModels(): Promise<readonly CompiledModel[]>
  /**
   * Resolves when all roles have joined; rejects if one never can: a missing topic, another number of
   * partitions.
   */
  readonly started: Promise<void>
  /** Resolves when everything works and the configured models are active. */
  ready(): Promise<void>
  /** Aborted when the stop begins. */
  readonly stopping: AbortSignal
  /** Finishes the work under way, leaves the groups, closes everything. */
  stop(): Promise<void>
}

/**
 * Starts the roles of one process. Returns once health answers; the roles join as soon as Kafka and Redis are
 * available.
 * @throws InvalidModelError; UpswellError INVALID_SETTINGS, PORT_IN_USE, STORE_UNAVAILABLE (embedded only)
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, logger } = options
  const library = new ModelLibrary()
  const models = (await readModelFiles(config.models)).map(({ file, text }) => ({ file, text }))
  library.compileAll(models)
  const registry = new ProcessRegistry()
  const memory = ProcessMemory.ofThisThread(config)
  const meters = createMeters(registry, memory)
  const backend = await openBackend(config, logger, { meters, memory, instanceId: instanceIdOf(config) })
  const { warning } = memory.budget
  if (warning !== undefined) logger.warn(`memory: ${warning.found}; ${warning.advice}`)
  const lineages = new Lineages(config, backend, library)
  const serving = new ServingLineage(lineages, logger)
  const stopping = new AbortController()
  const roles = new RunningRoles(options.roles, logger, stopping.signal)
  const { clock, stop: stopClock } = await startClock(backend.store, logger, options.wallClock)
  const served = servedFrom(() => servingStore(serving.current), library)
  const readiness = new Readiness({
    roles,
    backend,
    clock,
    isServingKnown: () => serving.isKnown,
    lacks: () => served().partitions.lacks(),
  })
  const problems = async (patienceMs?: number) =>
    stopping.signal.aborted ? [STOPPING] : await readiness.problems(patienceMs)
  const metrics = createMetrics(
    () => roles.countPartitions(),
    problems,
    clock,
    () => roles.waits(),
    registry,
  )
  const stopLag = watchLag(registry, meters, backend.log, { now: clock.now, logger })

  const api = await startServiceApi(
    {
      served: servedOnceKnown(() => serving.isKnown, served),
      appendSignals: (signals, observedAt) => {
        const topic = serving.current.names.topics.signals
        return backend.log.append(signals.map(signal => signalRecord(topic, signal, observedAt)))
      },
      endOfLog: async partition =>
        (await backend.log.ranges(serving.current.names.topics.signals)).get(partition)?.end,
      problems: () => problems(),
      memory: memory.requests,
      now: clock.now,
      metrics: metrics.registry,
      lag: () => readLag(registry),
    },
    config,
    logger,
  ).catch(async error => {
    stopClock()
    stopLag()
    await backend.close()
    throw error
  })

  const parts = {
    options,
    library,
    models,
    backend,
    lineages,
    serving,
    roles,
    metrics,
    meters,
    clock,
    stop: stopping.signal,
  }
  // Every role answers the API's routes, so every role must know.
  serving.start()
  const started = startRoles(parts)
  const parity = startParity(parts)

  return {
    url: api.url,
    backend,
    library,
    models,
    served: () => serving.current,
    activeModels: async () => {
      const { modelSets } = await lineages.memory(serving.current.backend.store, 0)
      const active = modelSets.at(-1)!.models
      // A partition that was taken at this very moment has no models yet.
      return active.length > 0 ? active : library.compileAll(models)
    },
    started,
    stopping: stopping.signal,
    ready: async () => {
      await started
      while (!stopping.signal.aborted && (await problems()).length > 0) await sleep(20)
    },
    stop: async () => {
      stopping.abort()
      api.beginStop()
      stopClock()
      stopLag()
      const parityStopped = parity?.stop()
      // A part that fails to stop must not keep the rest from closing.
      const failures: unknown[] = []
      // Requests under way need the store and the log, but no role: a role that stops slowly delays none.
      const apiClosed = api.close().catch((error: unknown) => failures.push(error))
      await Promise.all([roles.stop(failures), apiClosed])
      serving.stop()
      await parityStopped
      await lineages.close()
      // Closing the log also ends roles that wait for a group that they cannot join.
      await backend.close()
      await started.catch(() => undefined)
      await roles.stop(failures)
      if (failures.length > 0) throw failures[0]
    },
  }
}

function servingStore({ names, backend: { log, store } }: FoundLineage): ServingStore {
  const { signals } = names.topics
  return { store, publishedOffsets: () => readPublishedOffsets(log, scoreGroup(names), signals) }
}

const STOPPING = 'api: the service is stopping'

/** The parts of one service. */
interface Parts {
  readonly options: ServiceOptions
  readonly library: ModelLibrary
  readonly models: readonly ModelSource[]
  readonly backend: OpenedBackend
  readonly lineages: Lineages
  readonly serving: ServingLineage
  readonly roles: RunningRoles
  readonly metrics: Metrics
  readonly meters: Meters
  readonly clock: TrustedClock
  readonly stop: AbortSignal
}

/** Resolves when all consuming roles have joined. */
async function startRoles(parts: Parts): Promise<void> {
  const { roles, backend, serving, metrics, clock, options } = parts
  const { config, logger } = options
  await Promise.all([
    roles.start('ingest', () =>
      startIngest({
        log: backend.log,
        topics: backend.topics,
        batchSize: config.batchSize,
        logger,
        signalsTopic: () => serving.current.names.topics.signals,
        group: `${config.group}-ingest`,
        now: clock.now,
        onIngested: metrics.onIngested,
        onDeadLetters: metrics.onDeadLetters,
      }),
    ),
    roles.startScoring(() =>
      config.scoreThreads > 1 && !isEmbedded(config) ? startScoreThreads(parts) : startScoringHere(parts),
    ),
  ])
}

function startScoreThreads({ options, models, metrics, stop }: Parts): Promise<Scoring> {
  const { config, logger, scoreThreadEntry: entry } = options
  const threads = config.scoreThreads
  return scoreInThreads({
    threads,
    config,
    models,
    logger,
    onCounts: metrics.onScored,
    onMetrics: (thread, values) => metrics.registry.setThread(thread, values),
    stop,
    entry,
  })
}

/** Scores in the main thread. */
function startScoringHere(parts: Parts): Promise<Scoring> {
  const { options, library, models, backend, lineages, metrics, meters, clock } = parts
  const { config, logger, onScored } = options
  const batches = new CountedBatches()
  return scoreAsConfigured({
    config,
    lineages,
    library,
    models,
    logger,
    clock,
    memory: backend.memory,
    onScored: report => {
      batches.add(report)
      const counts = batches.take()
      if (counts !== undefined) metrics.onScored(counts)
      onScored?.(report)
    },
    meter: meters.scorer,
  })
}

/** Undefined: this process does not score, or the settings turn the checks off. */
function startParity({ options, library, lineages, roles, metrics }: Parts): ParityLoop | undefined {
  const { config, logger } = options
  if (!roles.has('score') || config.parityIntervalMs === 0) return undefined
  return startParityLoop({
    source: async () => paritySourceOf(await lineages.served(), library),
    logger,
    intervalMs: config.parityIntervalMs,
    partitions: topic => roles.scoredPartitions(topic),
    random: Math.random,
    onChecked: metrics.onParityChecked,
  })
}
