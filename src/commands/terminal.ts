import { once } from 'node:events'
import type { Config, LogLevel } from '../app/config.ts'
import type { LineLook } from '../console/styled-lines.ts'
import { endProcess } from '../lib/end-process.ts'
import type { Logger } from '../lib/logger.ts'
import { withOutages } from '../lib/outages.ts'

/** Prints one line for people. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Writes to standard output, and waits for a slow reader. */
export async function writeOut(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}

/**
 * Ends the process when the reader of its output or messages has gone, as `head` does: as SIGTERM does if the
 * command listens for it, else with 0.
 */
export function endWhenReaderLeaves(): void {
  let hasLeft = false
  // The listener stays: an error of a write that nobody waited for can come much later.
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error
    if (hasLeft) return
    hasLeft = true
    if (!process.emit('SIGTERM', 'SIGTERM')) endProcess(0)
  }
  process.stdout.on('error', onError)
  process.stderr.on('error', onError)
}

/** Colours and width for standard output: a file or a pipe gets no colours and lines of any length. */
export function lookOf(config: Config): LineLook {
  return {
    color: process.stdout.isTTY === true && !config.noColor,
    width: process.stdout.columns ?? Number.POSITIVE_INFINITY,
  }
}

const RANK = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 } as const

/**
 * For people at a terminal: one line each on standard error; standard output holds only the command's answer.
 */
export function lineLogger(level: LogLevel): Logger {
  // A message on a terminal is its text: fields are for searches in logs.
  const line = (rank: keyof typeof RANK, label: string) => (message: string) => {
    if (RANK[rank] >= RANK[level]) process.stderr.write(`${label}${message}\n`)
  }
  return withOutages({
    debug: line('debug', ''),
    info: line('info', ''),
    warn: line('warn', 'warning: '),
    error: line('error', 'error: '),
  })
}
