import type { Logger } from '../src/lib/logger.ts'

/** Prints only what could make a figure wrong. */
export const QUIET_LOGGER: Logger = {
  info: () => {},
  warn: line => process.stderr.write(`warning: ${line}\n`),
  error: line => process.stderr.write(`error: ${line}\n`),
}
