import { type ErrorCode, isUpswellError, UpswellError } from '../../lib/errors.ts'
import type { LogFields } from '../../lib/logger.ts'
import type { ModelSource } from '../../models/model-library.ts'
import type { Config } from '../config.ts'
import type { ThreadMetrics } from '../meters/process-registry.ts'
import type { ScoredCounts } from '../scored-counts.ts'

// Messages between the main thread and a score thread:
//
//   main → thread   'stop'      finish the work under way, leave the groups, close everything
//   thread → main   'log'       a message for the process's logger
//                   'failed part'  a part failed and tries again, for the process's outages
//                   'part works'   it works again
//                   'status'    on each change and once a second; the first one: the groups are joined
//                   'counts'    what was scored since the last counts
//                   'metrics'   the values of its metrics, once a second
//                   'failed'    the thread can never start
//                   'stopped'   the last message: everything is finished and closed

/** The `workerData` of a thread. */
export interface ScoreThreadData {
  readonly config: Config
  readonly models: readonly ModelSource[]
  /** The thread's own. */
  readonly instanceId: string | undefined
}

export type ToScoreThread = 'stop'

export type FromScoreThread =
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly text: string
      readonly fields?: LogFields | undefined
    }
  | {
      readonly type: 'failed part'
      readonly part: string
      readonly error: PlainError
      readonly fields?: LogFields | undefined
    }
  | { readonly type: 'part works'; readonly part: string }
  | { readonly type: 'status'; readonly status: ThreadStatus }
  | { readonly type: 'counts'; readonly counts: ScoredCounts }
  | { readonly type: 'metrics'; readonly metrics: ThreadMetrics }
  | { readonly type: 'failed'; readonly error: PlainError }
  | { readonly type: 'stopped' }

/** The answers of `Scoring`. */
export interface ThreadStatus {
  readonly problem: string | undefined
  /** In whole seconds, so that a wait is no new status every time. */
  readonly waitingMs: number
  readonly assignments: readonly { readonly topic: string; readonly partition: number }[]
  readonly modelsActive: boolean
}

/** An error as plain data: a message between threads loses an error's class and code. */
export type PlainError =
  | {
      readonly type: 'upswell'
      readonly code: ErrorCode
      readonly message: string
      readonly canRetry: boolean
      readonly needsPerson?: boolean
    }
  /** A bug. */
  | { readonly type: 'other'; readonly message: string; readonly stack: string | undefined }

export function toPlainError(thrown: unknown): PlainError {
  if (isUpswellError(thrown)) {
    const { code, message, canRetry, needsPerson } = thrown
    return { type: 'upswell', code, message, canRetry, needsPerson }
  }
  return thrown instanceof Error
    ? { type: 'other', message: thrown.message, stack: thrown.stack }
    : { type: 'other', message: String(thrown), stack: undefined }
}

export function fromPlainError(plain: PlainError): Error {
  if (plain.type === 'upswell') {
    const { code, message, canRetry, needsPerson = false } = plain
    return new UpswellError(code, message, { canRetry, needsPerson })
  }
  const error = new Error(plain.message)
  if (plain.stack !== undefined) error.stack = plain.stack
  return error
}
