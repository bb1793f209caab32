import { Backoff } from './backoff.ts'
import { describeError, isUpswellError } from './errors.ts'
import type { Logger } from './logger.ts'

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
  const backoff = new Backoff({ firstMs: FIRST_WAIT_MS, longestMs: LONGEST_WAIT_MS, signal: stop })
  while (!stop.aborted) {
    try {
      return await start()
    } catch (error) {
      if (!isUpswellError(error) || !error.canRetry) throw error
      if (stop.aborted) return undefined
      logger.warn(`${role} cannot start yet: ${describeError(error)}; trying again in ${backoff.nextMs} ms`)
      await backoff.wait()
    }
  }
  return undefined
}
