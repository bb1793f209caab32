import type { Logger } from './logger.ts'

/**
 * Reports a warning of Node as one line. kafkajs sets timers that are due already, which some versions of
 * Node warn about; nothing is wrong then.
 */
export function reportWarning(logger: Logger, { name, message }: Error): void {
  if (name === 'TimeoutNegativeWarning') logger.debug?.(`Node warns: ${name}: ${message}`)
  else logger.warn(`Node warns: ${name}: ${message}`)
}
