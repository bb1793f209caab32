import type { Scoring } from '../../consumers/scorer/score-partitions.ts'
import type { Logger } from '../../lib/logger.ts'
import type { ModelSource } from '../../models/model-library.ts'
import type { Config } from '../config.ts'
import { instanceIdOf, threadInstanceId } from '../instance-id.ts'
import type { ThreadMetrics } from '../meters/process-registry.ts'
import type { ScoredCounts } from '../scored-counts.ts'
import { startThread } from './start-thread.ts'

export interface ScoreThreadsOptions {
  readonly threads: number
  readonly config: Config
  readonly models: readonly ModelSource[]
  readonly logger: Logger
  readonly onCounts: (counts: ScoredCounts) => void
  readonly onMetrics: (thread: string, metrics: ThreadMetrics) => void
  /** Also ends threads that have not joined yet. */
  readonly stop: AbortSignal
  /** A module that calls `runScoreThread`; runs instead of `score-thread.ts`. */
  readonly entry?: URL | undefined
  /** Called if a thread ends by itself. Left out: the process ends with 1, as after any uncaught error. */
  readonly onDeath?: (error: Error) => void
}

/** Built files end in `.js`; `tsc` rewrites only the endings of imports. */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './score-thread.ts' : './score-thread.js',
  import.meta.url,
)

/**
 * Scores in threads, each a member of the group with its own log and store. Resolves when all have joined.
 * Its answers are about 100 ms old.
 * @throws the error of a thread that can never start, after all are stopped; UpswellError LOG_UNAVAILABLE if
 * they were stopped before they joined
 */
export async function scoreInThreads(options: ScoreThreadsOptions): Promise<Scoring> {
  const {
    threads: count,
    config,
    models,
    logger,
    onCounts,
    onMetrics,
    stop,
    entry = ENTRY,
    onDeath = die,
  } = options
  const threads = Array.from({ length: count }, (_, i) => {
    const data = { config, models, instanceId: threadInstanceId(instanceIdOf(config), i + 1) }
    return startThread(`thread ${i + 1}`, { entry, data, logger, onCounts, onMetrics, onDeath })
  })
  const stopAll = async (): Promise<void> => {
    const stopped = await Promise.allSettled(threads.map(thread => thread.stop()))
    for (const result of stopped) if (result.status === 'rejected') throw result.reason
  }
  const stopWaiting = (): void => void stopAll().catch(() => {})
  stop.addEventListener('abort', stopWaiting, { once: true })
  try {
    await Promise.all(threads.map(({ joined }) => joined))
  } catch (error) {
    await stopAll().catch(() => {})
    throw error
  } finally {
    stop.removeEventListener('abort', stopWaiting)
  }
  return {
    stop: stopAll,
    problem: () => threads.map(thread => thread.problem()).find(problem => problem !== undefined),
    waitingMs: () => Math.max(...threads.map(thread => thread.waitingMs())),
    assignments: () => threads.flatMap(thread => thread.assignments()),
    modelsActive: () => threads.every(thread => thread.modelsActive()),
  }
}

/** A dead thread ends the process: with fewer threads it would fall behind silently. */
function die(error: Error): never {
  throw error
}
