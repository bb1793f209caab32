/** What is told to an operator: one line each. pino fits. */
export interface Logger {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}
