import type { Scoring } from '../../consumers/scorer/score-partitions.ts'
import type { Logger } from '../../lib/logger.ts'
import type { ModelSource } from '../../models/model-library.ts'
import type { Config } from '../config.ts'
import type { ScoredCounts } from '../scored-counts.ts'
import { startThread } from './start-thread.ts'

export interface ScoreThreadsOptions {
  readonly threads: number
  readonly config: Config
  readonly models: readonly ModelSource[]
  readonly logger: Logger
  readonly onCounts: (counts: ScoredCounts) => void
  /** Ends threads that have not joined yet as well. */
  readonly stop: AbortSignal
  /** What the threads run, in place of `score-thread.ts`: something that calls `runScoreThread`. */
  readonly entry?: URL | undefined
  /** A thread ended without being told to. Left out: the process ends with 1, as of any uncaught error. */
  readonly onDeath?: (error: Error) => void
}

/** Built, the sources have another ending; `tsc` rewrites those of imports only. */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './score-thread.ts' : './score-thread.js',
  import.meta.url,
)

/**
 * Scores in threads, each a member of the group with a log and a store of its own, and resolves when all have joined. What it tells is at most some 100 ms old.
 * @throws what a thread threw that could not start, and then all are stopped; UpswellError LOG_UNAVAILABLE if they were stopped before
 */
export async function scoreInThreads(options: ScoreThreadsOptions): Promise<Scoring> {
  const { threads: count, config, models, logger, onCounts, stop, entry = ENTRY, onDeath = die } = options
  const data = { config, models }
  const threads = Array.from({ length: count }, (_, i) =>
    startThread(`thread ${i + 1}`, { entry, data, logger, onCounts, onDeath }),
  )
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
    assignments: () => threads.flatMap(thread => thread.assignments()),
    modelsActive: () => threads.every(thread => thread.modelsActive()),
  }
}

/** As of any uncaught error the process ends. With fewer threads than it was told to have it would fall behind, and nobody would know why. */
function die(error: Error): never {
  throw error
}
