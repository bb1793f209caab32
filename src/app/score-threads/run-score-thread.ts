import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { Lineages } from '../../consumers/lineage/lineages.ts'
import type { Scoring } from '../../consumers/scorer/score-partitions.ts'
import type { Logger } from '../../lib/logger.ts'
import { untilAvailable } from '../../lib/until-available.ts'
import { untilAborted } from '../../lib/waiting.ts'
import { ModelLibrary } from '../../models/model-library.ts'
import { type OpenedBackend, openBackend } from '../open-backend.ts'
import { scoreAsConfigured } from '../score-as-configured.ts'
import { CountedBatches } from '../scored-counts.ts'
import type { FromScoreThread, ScoreThreadData, ThreadStatus, ToScoreThread } from './messages.ts'
import { toPlainError } from './plain-error.ts'

/** How often it is looked whether there is something to tell. */
const LOOK_INTERVAL_MS = 100
/** A sign of life is told so often, though nothing changed. */
const SIGN_INTERVAL_MS = 1_000

/**
 * Scores in this thread, as a member of the group with a log and a store of its own, until the main thread says that it shall stop. `prepare` gets the log and store before
 * they are used. What goes wrong and is not thrown at the start is left uncaught: then the process ends.
 */
export async function runScoreThread(prepare: (backend: OpenedBackend) => void = () => {}): Promise<void> {
  const port = parentPort!
  const { config, models } = workerData as ScoreThreadData
  const tell = (message: FromScoreThread): void => port.postMessage(message)
  const stopping = untilStopped(port)
  const logger = toldLogger(tell)
  const library = new ModelLibrary()
  const backend = await openBackend(config, logger)
  prepare(backend)
  const lineages = new Lineages(config, backend, library)
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
        onScored: batch => batches.add(batch),
      }),
    'score',
    logger,
    stopping,
  )
  const started = starting.then(
    begun => {
      scoring = begun
    },
    (error: unknown) => tell({ type: 'failed', error: toPlainError(error) }),
  )
  const look = looksOf(tell, batches, () => (scoring === undefined ? undefined : statusOf(scoring)))
  void started.then(look)
  const timer = setInterval(look, LOOK_INTERVAL_MS)

  await untilAborted(stopping)
  await scoring?.stop()
  await lineages.close()
  // This also ends what waits for a group that cannot be joined.
  await backend.close()
  await started
  await scoring?.stop()
  clearInterval(timer)
  look()
  tell({ type: 'stopped' })
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

function toldLogger(tell: (message: FromScoreThread) => void): Logger {
  const at = (level: 'info' | 'warn' | 'error') => (text: string) => tell({ type: 'log', level, text })
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

/** Each call tells what there is to tell. */
function looksOf(
  tell: (message: FromScoreThread) => void,
  batches: CountedBatches,
  readStatus: () => ThreadStatus | undefined,
): () => void {
  let told = ''
  let toldAtMs = 0
  return () => {
    const counts = batches.take()
    if (counts !== undefined) tell({ type: 'counts', counts })
    const status = readStatus()
    if (status === undefined) return
    const text = JSON.stringify(status)
    const nowMs = performance.now()
    if (text === told && nowMs - toldAtMs < SIGN_INTERVAL_MS) return
    tell({ type: 'status', status })
    told = text
    toldAtMs = nowMs
  }
}

function statusOf(scoring: Scoring): ThreadStatus {
  return {
    problem: scoring.problem(),
    assignments: scoring.assignments(),
    modelsActive: scoring.modelsActive(),
  }
}
