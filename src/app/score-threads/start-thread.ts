import { Worker } from 'node:worker_threads'
import type { Scoring } from '../../consumers/scorer/score-partitions.ts'
import { deferred } from '../../lib/deferred.ts'
import { UpswellError } from '../../lib/errors.ts'
import type { Logger } from '../../lib/logger.ts'
import { settlesWithin } from '../../lib/waiting.ts'
import type { ScoredCounts } from '../scored-counts.ts'
import type { FromScoreThread, ScoreThreadData, ThreadStatus, ToScoreThread } from './messages.ts'
import { fromPlainError } from './plain-error.ts'

export interface ThreadOptions {
  /** What it runs: something that calls `runScoreThread`. */
  readonly entry: URL
  readonly data: ScoreThreadData
  readonly logger: Logger
  readonly onCounts: (counts: ScoredCounts) => void
  /** It ended without being told to: of an uncaught error, or out of memory. Where that comes while it stops, `stop` rejects with it. */
  readonly onDeath: (error: Error) => void
}

/** A thread that scores, as the main thread knows it: at most some 100 ms ago. */
export interface ScoreThread extends Scoring {
  /** Resolves when its groups were joined; rejects if they never can be, or if it was stopped before. */
  readonly joined: Promise<void>
}

const WAITING: ThreadStatus = { problem: 'waiting for the log', assignments: [], modelsActive: false }
/** It tells something at least once a second. A fold of one batch takes a tenth of one; a garbage collection of a full heap may take several. */
const SILENCE_MS = 10_000
/** Longer than `upswell score` has to stop, which then ends with 1; for those who call it otherwise. */
const STOP_TIMEOUT_MS = 20_000

export function startThread(name: string, options: ThreadOptions): ScoreThread {
  const { entry, data, logger, onCounts, onDeath } = options
  const worker = new Worker(entry, { workerData: data, name })
  const joined = deferred()
  const ended = deferred()
  let status = WAITING
  let heardAtMs = Number.POSITIVE_INFINITY
  let stopping: Promise<void> | undefined
  let isOver = false
  let failure: Error | undefined

  worker.on('message', (message: FromScoreThread) => {
    heardAtMs = performance.now()
    switch (message.type) {
      case 'log':
        logger[message.level](`${name}: ${message.text}`)
        break
      case 'status':
        // One that was under way when it ended.
        if (!isOver) status = message.status
        joined.resolve()
        break
      case 'counts':
        onCounts(message.counts)
        break
      case 'failed':
        joined.reject(fromPlainError(message.error))
        break
      case 'stopped':
        isOver = true
        ended.resolve()
        break
      default:
        message satisfies never
    }
  })
  const die = (what: string, cause?: Error): void => {
    if (isOver) return
    isOver = true
    ended.resolve()
    const text = `${name} of the score role ended by itself: ${what}`
    logger.error(text)
    const error = new Error(text, { cause })
    // The others may be in the midst of their last write: whoever stops them all hears of it afterwards.
    if (stopping === undefined) onDeath(error)
    else failure = error
  }
  worker.once('error', error => die(error.message, error))
  worker.once('exit', code => die(`exit code ${code}`))

  const stop = async (): Promise<void> => {
    worker.postMessage('stop' satisfies ToScoreThread)
    if (!(await settlesWithin(STOP_TIMEOUT_MS, ended.promise)))
      logger.error(`${name} did not stop within ${STOP_TIMEOUT_MS} ms`)
    isOver = true
    status = WAITING
    await worker.terminate()
    joined.reject(
      new UpswellError('LOG_UNAVAILABLE', `${name} was stopped before it joined`, { canRetry: true }),
    )
    if (failure !== undefined) throw failure
  }
  return {
    joined: joined.promise,
    stop: () => {
      stopping ??= stop()
      return stopping
    },
    problem: () => {
      const silentMs = performance.now() - heardAtMs
      return silentMs > SILENCE_MS
        ? `${name} has not answered for ${Math.round(silentMs / 1_000)} s`
        : status.problem
    },
    assignments: () => status.assignments,
    modelsActive: () => status.modelsActive,
  }
}
