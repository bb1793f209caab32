import type { Logger } from '../../lib/logger.ts'

const REPEAT_AFTER_MS = 30_000
/** A line may hold a number of its own, so what is remembered is bounded. */
const MOST_REMEMBERED = 1_000

/** A logger that gives the same warning or error at most every 30 s: while Kafka is away, every attempt of every partition has one. */
export function withoutRepeats(logger: Logger): Logger {
  const saidAt = new Map<string, number>()
  const isNews = (line: string): boolean => {
    const now = performance.now()
    if (now - (saidAt.get(line) ?? Number.NEGATIVE_INFINITY) < REPEAT_AFTER_MS) return false
    if (saidAt.size >= MOST_REMEMBERED) saidAt.clear()
    saidAt.set(line, now)
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
