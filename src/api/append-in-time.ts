import { UpswellError } from '../lib/errors.ts'
import { settlesWithin } from '../lib/waiting.ts'
import type { Signal } from '../signals/signal.ts'
import type { Sequence } from './read/sequence.ts'

export type AppendSignals = (signals: readonly Signal[], observedAt: number) => Promise<readonly Sequence[]>

/** As long as the API waits for a silent store. */
const PATIENCE_MS = 5_000
/** Their signals stay in memory after their requests were answered: 5 MiB each at most. */
const MAX_LATE_APPENDS = 8

/**
 * Appends signals, but waits for a silent log only 5 s. Fastify's `handlerTimeout` cannot do this: its timer
 * ends as soon as the body of a request has been read. While 8 late appends still run, no other one begins.
 * @throws UpswellError LOG_UNAVAILABLE
 */
export function appendInTime(append: AppendSignals): AppendSignals {
  let late = 0
  return async (signals, observedAt) => {
    if (late >= MAX_LATE_APPENDS) throw silentLog()
    const appending = append(signals, observedAt)
    const settled = appending.then(
      () => {},
      // The caller sees the error, unless it has gone.
      () => {},
    )
    if (await settlesWithin(PATIENCE_MS, settled)) return await appending
    late++
    void settled.then(() => {
      late--
    })
    throw silentLog()
  }
}

function silentLog(): UpswellError {
  return new UpswellError('LOG_UNAVAILABLE', 'the log has not answered for 5 s', { canRetry: true })
}
