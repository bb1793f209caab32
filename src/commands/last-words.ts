import { describeError, isUpswellError, stackOf, UpswellError } from '../lib/errors.ts'
import { InvalidModelError } from '../models/problems.ts'

// Exit codes: 0 done; 1 something failed or was left out; 2 the command, a setting or a model is wrong.
export const WRONG_USE = 2

/** Why a process ends, for its last message. */
export interface LastWords {
  readonly text: string
  readonly exitCode: number
  /** Undefined: a bug. */
  readonly code: string | undefined
}

export function lastWordsOf(error: unknown): LastWords {
  const exitCode = isUpswellError(error, 'INVALID_SETTINGS', 'INVALID_MODEL') ? WRONG_USE : 1
  // One line for each problem; it begins with file:line:column, which editors can open.
  if (error instanceof InvalidModelError) return { text: error.message, exitCode, code: error.code }
  if (error instanceof UpswellError)
    return { text: `upswell: ${describeError(error)}`, exitCode, code: error.code }
  return { text: `upswell: this should not have happened\n${stackOf(error)}`, exitCode, code: undefined }
}
