import { type LogFields, type Logger, withFields } from './logger.ts'

const REPEAT_AFTER_MS = 30_000
/** A line can contain a number that differs each time, so the memory is bounded. */
const MAX_REMEMBERED = 1_000

interface Written {
  readonly at: number
  repeats: number
}

/**
 * A logger that writes the same warning or error at most every 30 s. The others become debug lines; the next
 * one that is written says in `repeats` how many they were.
 */
export function withoutRepeats(logger: Logger, now: () => number = () => performance.now()): Logger {
  const written = new Map<string, Written>()
  const at = (level: 'warn' | 'error') => (line: string, fields?: LogFields) => {
    const last = written.get(line)
    if (last !== undefined && now() - last.at < REPEAT_AFTER_MS) {
      last.repeats++
      logger.debug?.(line, fields)
      return
    }
    if (written.size >= MAX_REMEMBERED) written.clear()
    written.set(line, { at: now(), repeats: 0 })
    const repeats = last?.repeats ?? 0
    logger[level](line, repeats === 0 ? fields : { ...fields, repeats })
  }
  return { ...withFields(logger, {}), warn: at('warn'), error: at('error') }
}
