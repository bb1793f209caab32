import { Worker } from 'node:worker_threads'
import type { Scoring } from '../../consumers/scorer/score-partitions.ts'
import { deferred } from '../../lib/deferred.ts'
import { UpswellError } from '../../lib/errors.ts'
import { type Logger, withFields } from '../../lib/logger.ts'
import { outagesOf } from '../../lib/outages.ts'
import { settlesWithin } from '../../lib/waiting.ts'
import type { ThreadMetrics } from '../meters/process-registry.ts'
import type { ScoredCounts } from '../scored-counts.ts'
import {
  type FromScoreThread,
  fromPlainError,
  type ScoreThreadData,
  type ThreadStatus,
  type ToScoreThread,
} from './messages.ts'

export interface ThreadOptions {
  /** A module that calls `runScoreThread`. */
  readonly entry: URL
  readonly data: ScoreThreadData
  readonly logger: Logger
  readonly onCounts: (counts: ScoredCounts) => void
  readonly onMetrics: (thread: string, metrics: ThreadMetrics) => void
  /**
   * Called if the thread ends by itself: an uncaught error, or out of memory. During a stop, `stop` rejects
   * instead.
   */
  readonly onDeath: (error: Error) => void
}

/** A score thread as the main thread knows it: its answers are about 100 ms old. */
export interface ScoreThread extends Scoring {
  /** Resolves when it has joined its groups; rejects if it never can, or if it was stopped before. */
  readonly joined: Promise<void>
}

const WAITING: ThreadStatus = {
  problem: 'waiting for the log',
  waitingMs: 0,
  assignments: [],
  modelsActive: false,
}
/**
 * A thread posts at least once a second. A fold of one batch takes 0.1 s; a garbage collection of a full heap
 * several.
 */
const SILENCE_MS = 10_000
/** For other callers than `upswell score`, which stops waiting earlier and ends with 1. */
const STOP_TIMEOUT_MS = 20_000

export function startThread(name: string, options: ThreadOptions): ScoreThread {
  const { entry, data, logger, onCounts, onMetrics, onDeath } = options
  const worker = new Worker(entry, { workerData: data, name })
  const own = withFields(logger, { thread: name })
  const outages = outagesOf(logger)
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
        own[message.level]?.(message.text, message.fields)
        break
      case 'failed part':
        outages.failed(`${name}: ${message.part}`, fromPlainError(message.error), {
          thread: name,
          ...message.fields,
        })
        break
      case 'part works':
        outages.works(`${name}: ${message.part}`)
        break
      case 'status':
        // A late status of an ended thread is ignored.
        if (!isOver) status = message.status
        joined.resolve()
        break
      case 'counts':
        onCounts(message.counts)
        break
      case 'metrics':
        onMetrics(name, message.metrics)
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
  const die = (reason: string, cause?: Error): void => {
    if (isOver) return
    isOver = true
    ended.resolve()
    own.error(`${name} of the score role ended by itself: ${reason}`)
    const error = new Error(`${name} of the score role ended by itself: ${reason}`, { cause })
    // During a stop the other threads may be writing for the last time: `stop` rejects with the error
    // afterwards.
    if (stopping === undefined) onDeath(error)
    else failure = error
  }
  worker.once('error', error => die(error.message, error))
  worker.once('exit', code => die(`exit code ${code}`))

  const stop = async (): Promise<void> => {
    worker.postMessage('stop' satisfies ToScoreThread)
    if (!(await settlesWithin(STOP_TIMEOUT_MS, ended.promise)))
      own.error(`${name} did not stop within ${STOP_TIMEOUT_MS} ms`)
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
    waitingMs: () => status.waitingMs,
    assignments: () => status.assignments,
    modelsActive: () => status.modelsActive,
  }
}
