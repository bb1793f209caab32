import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, isUpswellError } from './errors.ts'
import type { Logger } from './logger.ts'

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 5_000

/** Calls `start` until the log and the store are there; undefined if it was stopped meanwhile. @throws what `start` throws that waiting cannot mend */
export async function untilAvailable<T>(
  start: () => Promise<T>,
  role: string,
  logger: Logger,
  stop: AbortSignal,
): Promise<T | undefined> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    if (stop.aborted) return undefined
    try {
      return await start()
    } catch (error) {
      if (!isUpswellError(error) || !error.canRetry) throw error
      if (stop.aborted) return undefined
      logger.warn(`${role} cannot start yet: ${describeError(error)}; trying again in ${waitMs} ms`)
      await sleep(waitMs, undefined, { signal: stop }).catch(() => undefined)
    }
  }
}
