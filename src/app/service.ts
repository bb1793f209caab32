import { setTimeout as sleep } from 'node:timers/promises'
import { createApi } from '../api/server.ts'
import { startIngest } from '../consumers/ingest/ingest.ts'
import { type FoundLineage, Lineages } from '../consumers/lineage/lineages.ts'
import { ServingLineage } from '../consumers/lineage/serving-lineage.ts'
import { startParityLoop } from '../consumers/parity/parity-loop.ts'
import { paritySourceOf } from '../consumers/parity/parity-source.ts'
import type { BatchReport } from '../consumers/scorer/batch-report.ts'
import type { Scoring } from '../consumers/scorer/score-partitions.ts'
import { describeError, UpswellError } from '../lib/errors.ts'
import type { Logger } from '../lib/logger.ts'
import { untilAvailable } from '../lib/until-available.ts'
import type { Consumption } from '../log/log.ts'
import { signalRecord } from '../log/make-records.ts'
import { ModelLibrary, type ModelSource } from '../models/model-library.ts'
import type { CompiledModel } from '../scoring/definition/compile-model.ts'
import type { Config } from './config.ts'
import { createMetrics } from './metrics.ts'
import { isEmbedded, openBackend } from './open-backend.ts'
import { readModelFiles } from './read-model-files.ts'
import { scoreAsConfigured } from './score-as-configured.ts'
import { scoreInThreads } from './score-threads/score-in-threads.ts'
import { CountedBatches } from './scored-counts.ts'

export type Role = 'ingest' | 'score' | 'api'

export interface ServiceOptions {
  readonly config: Config
  readonly roles: ReadonlySet<Role>
  readonly logger: Logger
  /** Called where the main thread scores, as it does embedded. */
  readonly onScored?: (batch: BatchReport) => void
  /** What threads that score run, for those who want to look into them; the product's own if left out. */
  readonly scoreThreadEntry?: URL
}

export interface Service {
  /** Where the API, or at least health and metrics, answer. */
  readonly url: string
  readonly backend: Awaited<ReturnType<typeof openBackend>>
  readonly library: ModelLibrary
  /** The configured models. */
  readonly models: readonly ModelSource[]
  /** The line of scoring that serves: what the settings name, until a replay is promoted. */
  served(): FoundLineage
  /** What the API answers with: the models that are active in the line that serves. @throws UpswellError STORE_UNAVAILABLE */
  activeModels(): Promise<readonly CompiledModel[]>
  /** Resolves when all roles have joined; rejects if one never can: a missing topic, another number of partitions. */
  readonly started: Promise<void>
  /** Resolves when everything works and the configured models are active. */
  ready(): Promise<void>
  /** Finishes what is under way, leaves the groups, closes everything. */
  stop(): Promise<void>
}

/**
 * Starts the roles of one process. Returns once health answers; Kafka and Redis are waited for behind it, however long it takes.
 * @throws InvalidModelError, UpswellError INVALID_SETTINGS, PORT_IN_USE, STORE_UNAVAILABLE (embedded only)
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, roles, logger, onScored } = options
  const library = new ModelLibrary()
  const models = (await readModelFiles(config.models)).map(({ file, text }) => ({ file, text }))
  library.compileAll(models)
  const backend = await openBackend(config, logger)
  const lineages = new Lineages(config, backend, library)
  const served = new ServingLineage(lineages, logger)
  const running = new Map<Role, Consumption>()
  const stopping = new AbortController()
  let scoring: Scoring | undefined
  const metrics = createMetrics(
    () => [...running.values()].reduce((sum, consumption) => sum + consumption.assignments().length, 0),
    () => problems(),
  )

  const problems = async (): Promise<string[]> => {
    const found: string[] = []
    for (const role of ['ingest', 'score'] as const) {
      if (!roles.has(role)) continue
      const consumption = running.get(role)
      const problem = consumption === undefined ? 'waiting for the log' : consumption.problem()
      if (problem !== undefined) found.push(`${role}: ${problem}`)
    }
    if (scoring !== undefined && !scoring.modelsActive())
      found.push('score: the configured models are not active yet')
    if (roles.has('score') || roles.has('api'))
      await backend.store.ping().catch(error => found.push(`store: ${describeError(error)}`))
    if (roles.has('api') && !roles.has('score'))
      await backend.log
        .partitions(backend.topics.signals)
        .catch(error => found.push(`log: ${describeError(error)}`))
    // It is looked for in the store and the log: while either is away, that says enough.
    if (roles.has('api') && !served.isKnown && found.length === 0)
      found.push('api: it is not known yet whether a replay was promoted')
    return found
  }

  const api = createApi({
    store: () => served.current.backend.store,
    library,
    appendSignals: (signals, observedAt) => {
      const topic = served.current.names.topics.signals
      return backend.log.append(signals.map(signal => signalRecord(topic, signal, observedAt)))
    },
    problems,
    metrics: metrics.registry,
    now: Date.now,
    logger: { level: 'error', stream: { write: line => logger.error(withoutJson(line)) } },
  })
  const url = await listen(api, config).catch(async error => {
    await backend.close()
    throw error
  })

  if (roles.has('api') || roles.has('ingest')) served.start()
  const common = { log: backend.log, topics: backend.topics, batchSize: config.batchSize, logger }
  const begin = async (role: Role, start: () => Promise<Consumption>): Promise<void> => {
    const consumption = await untilAvailable(start, role, logger, stopping.signal)
    if (consumption !== undefined) running.set(role, consumption)
  }
  const batches = new CountedBatches()
  const startScoring = (): Promise<Scoring> =>
    config.scoreThreads > 1 && !isEmbedded(config)
      ? scoreInThreads({
          threads: config.scoreThreads,
          config,
          models,
          logger,
          onCounts: metrics.onScored,
          stop: stopping.signal,
          entry: options.scoreThreadEntry,
        })
      : scoreAsConfigured({
          config,
          lineages,
          library,
          models,
          logger,
          onScored: batch => {
            batches.add(batch)
            const counts = batches.take()
            if (counts !== undefined) metrics.onScored(counts)
            onScored?.(batch)
          },
        })
  const started = Promise.all([
    roles.has('ingest') &&
      begin('ingest', () =>
        startIngest({
          ...common,
          signalsTopic: () => served.current.names.topics.signals,
          group: `${config.group}-ingest`,
          now: Date.now,
          onIngested: metrics.onIngested,
        }),
      ),
    roles.has('score') &&
      begin('score', async () => {
        scoring = await startScoring()
        return scoring
      }),
  ]).then(() => undefined)
  const parity =
    roles.has('score') && config.parityIntervalMs > 0
      ? startParityLoop({
          source: async () => paritySourceOf(await lineages.served(), library),
          logger,
          intervalMs: config.parityIntervalMs,
          partitions: topic =>
            (scoring?.assignments() ?? [])
              .filter(assigned => assigned.topic === topic)
              .map(({ partition }) => partition),
          random: Math.random,
          onChecked: metrics.onParityChecked,
        })
      : undefined

  return {
    url,
    backend,
    library,
    models,
    served: () => served.current,
    activeModels: async () => {
      const { modelSets } = await lineages.memory(served.current.backend.store, 0)
      const active = modelSets.at(-1)!.models
      // A partition that was taken this very moment has none yet.
      return active.length > 0 ? active : library.compileAll(models)
    },
    started,
    ready: async () => {
      await started
      while (!stopping.signal.aborted && (await problems()).length > 0) await sleep(20)
    },
    stop: async () => {
      stopping.abort()
      const parityStopped = parity?.stop()
      // What cannot be stopped as it should must not keep the rest from being closed.
      const failures: unknown[] = []
      const stopRunning = () =>
        Promise.all(
          [...running.values()].map(consumption =>
            consumption.stop().catch((error: unknown) => failures.push(error)),
          ),
        )
      await stopRunning()
      served.stop()
      await api.close()
      await parityStopped
      await lineages.close()
      // Closing the log also ends those that wait for a group that cannot be joined.
      await backend.close()
      await started.catch(() => undefined)
      await stopRunning()
      if (failures.length > 0) throw failures[0]
    },
  }
}

async function listen(api: ReturnType<typeof createApi>, { host, port }: Config): Promise<string> {
  try {
    return await api.listen({ host, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
      throw new UpswellError(
        'INVALID_SETTINGS',
        `cannot listen on port ${port} of ${host}: ${describeError(error)}; set UPSWELL_HOST and UPSWELL_PORT to what this machine allows`,
        { cause: error },
      )
    }
    throw new UpswellError(
      'PORT_IN_USE',
      `port ${port} of ${host} is in use; stop what uses it, or set UPSWELL_PORT (0: any free one)`,
    )
  }
}

/** What fastify logs as JSON, as a text: the logger may write JSON itself. */
function withoutJson(line: string): string {
  const { msg, url, err } = JSON.parse(line) as { msg: string; url?: string; err?: { stack?: string } }
  return [msg, url, err?.stack].filter(part => part !== undefined).join(': ')
}
