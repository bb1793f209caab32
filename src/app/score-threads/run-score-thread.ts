import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { Registry } from 'prom-client'
import { Lineages } from '../../consumers/lineage/lineages.ts'
import type { Scoring } from '../../consumers/scorer/score-partitions.ts'
import type { LogFields, Logger, Outages } from '../../lib/logger.ts'
import { reportWarning } from '../../lib/report-warning.ts'
import { untilAvailable } from '../../lib/until-available.ts'
import { untilAborted } from '../../lib/waiting.ts'
import { ModelLibrary } from '../../models/model-library.ts'
import { createMeters, watchLag } from '../meters/meters.ts'
import { type OpenedBackend, openBackend } from '../open-backend.ts'
import { ProcessMemory } from '../process-memory.ts'
import { scoreAsConfigured } from '../score-as-configured.ts'
import { CountedBatches } from '../scored-counts.ts'
import { startClock } from '../start-clock.ts'
import {
  type FromScoreThread,
  type ScoreThreadData,
  type ThreadStatus,
  type ToScoreThread,
  toPlainError,
} from './messages.ts'

const SILENT: Logger = { info: () => {}, warn: () => {}, error: () => {} }

/** How often the thread checks whether it has something to report. */
const REPORT_INTERVAL_MS = 100
const METRICS_INTERVAL_MS = 1_000
/** The status is sent this often even if it has not changed, as a sign of life. */
const SIGN_OF_LIFE_INTERVAL_MS = 1_000

/**
 * Scores in this thread until the main thread stops it. The thread is a member of the group with its own log
 * and store; `prepare` gets them before they are used. An error after the start stays uncaught, and ends the
 * process.
 */
export async function runScoreThread(prepare: (backend: OpenedBackend) => void = () => {}): Promise<void> {
  const port = parentPort!
  const { config, instanceId, models } = workerData as ScoreThreadData
  const post = (message: FromScoreThread): void => port.postMessage(message)
  const stopping = untilStopped(port)
  const logger = postingLogger(post)
  process.removeAllListeners('warning')
  process.on('warning', warning => reportWarning(logger, warning))
  const library = new ModelLibrary()
  const registry = new Registry()
  const memory = ProcessMemory.ofThisThread(config)
  const meters = createMeters(registry, memory)
  const backend = await openBackend(config, logger, { meters, memory, instanceId })
  prepare(backend)
  const lineages = new Lineages(config, backend, library)
  // The main thread's own clock reports the same.
  const { clock, stop: stopClock } = await startClock(backend.store, SILENT)
  const stopLag = watchLag(registry, meters, backend.log, { now: clock.now, logger })
  const batches = new CountedBatches()
  let scoring: Scoring | undefined
  const starting = untilAvailable(
    () =>
      scoreAsConfigured({
        config,
        lineages,
        library,
        models,
        logger,
        clock,
        memory,
        onScored: report => batches.add(report),
        meter: meters.scorer,
      }),
    'score',
    logger,
    stopping,
  )
  const started = starting.then(
    begun => {
      scoring = begun
    },
    (error: unknown) => post({ type: 'failed', error: toPlainError(error) }),
  )
  const report = reporter(post, batches, () => (scoring === undefined ? undefined : statusOf(scoring)))
  void started.then(report)
  const timer = setInterval(report, REPORT_INTERVAL_MS)
  const postMetrics = async (): Promise<void> =>
    post({ type: 'metrics', metrics: await registry.getMetricsAsJSON() })
  const metricsTimer = setInterval(() => void postMetrics(), METRICS_INTERVAL_MS)

  await untilAborted(stopping)
  stopClock()
  stopLag()
  await scoring?.stop()
  await lineages.close()
  // This also ends the wait for a group that cannot be joined.
  await backend.close()
  await started
  await scoring?.stop()
  clearInterval(timer)
  clearInterval(metricsTimer)
  report()
  await postMetrics()
  post({ type: 'stopped' })
}

function untilStopped(port: MessagePort): AbortSignal {
  const stopping = new AbortController()
  port.on('message', (message: ToScoreThread) => {
    switch (message) {
      case 'stop':
        stopping.abort()
        break
      default:
        message satisfies never
    }
  })
  return stopping.signal
}

function postingLogger(post: (message: FromScoreThread) => void): Logger {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (text: string, fields?: LogFields) =>
    post({ type: 'log', level, text, fields })
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    outages: postingOutages(post),
  }
}

/** The main thread holds the outages of all threads together. */
function postingOutages(post: (message: FromScoreThread) => void): Outages {
  const failing = new Set<string>()
  return {
    failed: (part, thrown, fields) => {
      failing.add(part)
      post({ type: 'failed part', part, error: toPlainError(thrown), fields })
    },
    works: part => {
      if (failing.delete(part)) post({ type: 'part works', part })
    },
  }
}

/** Each call posts new counts and a changed status. */
function reporter(
  post: (message: FromScoreThread) => void,
  batches: CountedBatches,
  readStatus: () => ThreadStatus | undefined,
): () => void {
  let posted = ''
  let postedAtMs = 0
  return () => {
    const counts = batches.take()
    if (counts !== undefined) post({ type: 'counts', counts })
    const status = readStatus()
    if (status === undefined) return
    const text = JSON.stringify(status)
    const nowMs = performance.now()
    if (text === posted && nowMs - postedAtMs < SIGN_OF_LIFE_INTERVAL_MS) return
    post({ type: 'status', status })
    posted = text
    postedAtMs = nowMs
  }
}

function statusOf(scoring: Scoring): ThreadStatus {
  return {
    problem: scoring.problem(),
    waitingMs: Math.floor(scoring.waitingMs() / 1_000) * 1_000,
    assignments: scoring.assignments(),
    modelsActive: scoring.modelsActive(),
  }
}
