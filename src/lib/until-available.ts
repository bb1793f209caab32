import { Backoff } from './backoff.ts'
import { isUpswellError } from './errors.ts'
import type { Logger } from './logger.ts'
import { outagesOf } from './outages.ts'

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 5_000

/**
 * Calls `start` until the log and the store are available. Undefined: `stop` was aborted first.
 * @throws the error of `start`, if no later attempt can succeed
 */
export async function untilAvailable<T>(
  start: () => Promise<T>,
  role: string,
  logger: Logger,
  stop: AbortSignal,
): Promise<T | undefined> {
  const outages = outagesOf(logger)
  const part = `${role} cannot start yet`
  const backoff = new Backoff({ firstMs: FIRST_WAIT_MS, longestMs: LONGEST_WAIT_MS, signal: stop })
  while (!stop.aborted) {
    try {
      const started = await start()
      outages.works(part)
      return started
    } catch (error) {
      if (!isUpswellError(error) || !error.canRetry) throw error
      if (stop.aborted) return undefined
      outages.failed(part, error)
      await backoff.wait()
    }
  }
  return undefined
}
