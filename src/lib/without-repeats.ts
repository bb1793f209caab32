import type { Logger } from './logger.ts'

const REPEAT_AFTER_MS = 30_000
/** A line can contain a number that differs each time, so the memory is bounded. */
const MAX_REMEMBERED = 1_000

/**
 * A logger that writes the same warning or error at most every 30 s. While Kafka is away, every attempt of
 * every partition has one.
 */
export function withoutRepeats(logger: Logger): Logger {
  const writtenAt = new Map<string, number>()
  const isNews = (line: string): boolean => {
    const now = performance.now()
    if (now - (writtenAt.get(line) ?? Number.NEGATIVE_INFINITY) < REPEAT_AFTER_MS) return false
    if (writtenAt.size >= MAX_REMEMBERED) writtenAt.clear()
    writtenAt.set(line, now)
    return true
  }
  return {
    info: line => logger.info(line),
    warn: line => {
      if (isNews(line)) logger.warn(line)
    },
    error: line => {
      if (isNews(line)) logger.error(line)
    },
  }
}
