/** Writes messages for operators, one line each. A pino logger fits. */
export interface Logger {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}
