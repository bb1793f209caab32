import { pino } from 'pino'
import type { LogLevel } from '../app/config.ts'
import { endProcess } from '../lib/end-process.ts'
import type { LogFields, Logger } from '../lib/logger.ts'
import { withOutages } from '../lib/outages.ts'
import { reportWarning } from '../lib/report-warning.ts'
import { withoutRepeats } from '../lib/without-repeats.ts'
import { lastWordsOf } from './last-words.ts'

export interface ServiceLog {
  readonly logger: Logger
  /** Called when the settings are known. `silent` leaves only the message with which the process ends. */
  setLevel(level: LogLevel): void
}

/**
 * Makes standard output a log of JSON lines only, as log collectors expect it: what libraries and Node write
 * becomes lines too, and so does the error that ends the process. Call it once, before anything else.
 */
export function openServiceLog(fields: LogFields): ServiceLog {
  const lines = pino({
    level: 'info' satisfies LogLevel,
    base: { service: 'upswell', ...fields },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) },
  })
  const at = (level: Exclude<LogLevel, 'silent'>) => (message: string, fields?: LogFields) =>
    lines[level](fields ?? {}, message)
  const logger = withOutages(
    withoutRepeats({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }),
  )
  catchText(process.stdout, 'standard output', logger)
  catchText(process.stderr, 'standard error', logger)
  process.removeAllListeners('warning')
  process.on('warning', warning => reportWarning(logger, warning))
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', error => {
    const { text, exitCode, code } = lastWordsOf(error)
    lines.fatal({ code, exitCode }, text)
    endProcess(exitCode)
  })
  return {
    logger,
    setLevel: level => {
      lines.level = level === 'silent' ? 'fatal' : level
    },
  }
}

/** Some libraries write to the console. Our own lines do not pass here: pino writes to the file. */
function catchText(stream: NodeJS.WriteStream, name: string, logger: Logger): void {
  let begun = ''
  stream.write = (chunk: string | Uint8Array, ...others: unknown[]): boolean => {
    const lines = (begun + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())).split('\n')
    begun = lines.pop()!.slice(-MOST_BEGUN)
    const text = lines.join('\n').trim()
    if (text !== '') logger.warn(`a library wrote to ${name}: ${text}`)
    const done = others.find(other => typeof other === 'function') as (() => void) | undefined
    if (done !== undefined) process.nextTick(done)
    return true
  }
}

/** A line without an end is kept up to this length. */
const MOST_BEGUN = 10_000
