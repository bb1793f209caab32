/** What a line says beside its text, for searches: `{ topic: 'signals', partition: 3 }`. */
export type LogFields = Readonly<Record<string, string | number | undefined>>

/**
 * Writes messages for operators, one line each. `error`: somebody must act. `warn`: it heals, or can wait a
 * day. `info`: the life of the process. `debug`: what else happened.
 */
export interface Logger {
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** Left out: such lines are dropped. */
  debug?(message: string, fields?: LogFields): void
  /** What fails now in this process, shared by all its parts. Left out: a part has its own. */
  readonly outages?: Outages
}

/** Takes what fails and is tried again, so that an outage has few lines however often each part tries. */
export interface Outages {
  /** `part` failed, and tries again. It begins the text: `signals/3`. */
  failed(part: string, thrown: unknown, fields?: LogFields): void
  /** `part` works again, or is no longer tried. Cheap while nothing fails. */
  works(part: string): void
}

/** The same logger; each line also has these fields. */
export function withFields(logger: Logger, own: LogFields): Logger {
  return {
    info: (message, fields) => logger.info(message, { ...own, ...fields }),
    warn: (message, fields) => logger.warn(message, { ...own, ...fields }),
    error: (message, fields) => logger.error(message, { ...own, ...fields }),
    debug: (message, fields) => logger.debug?.(message, { ...own, ...fields }),
    ...(logger.outages === undefined ? {} : { outages: logger.outages }),
  }
}
