import type { LogLevel } from '../app/config.ts'
import type { Logger } from '../lib/logger.ts'

const RANK = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 } as const

/** For people at a terminal: a line each on stderr, so that stdout stays the command's answer. */
export function lineLogger(level: LogLevel): Logger {
  const line = (rank: keyof typeof RANK, label: string) => (message: string) => {
    if (RANK[rank] >= RANK[level]) process.stderr.write(`${label}${message}\n`)
  }
  return { info: line('info', ''), warn: line('warn', 'warning: '), error: line('error', 'error: ') }
}
