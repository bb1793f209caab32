// Every error that Upswell throws on purpose has a code that scripts and alerts can match.

export type ErrorCode =
  | 'INVALID_MODEL'
  | 'INVALID_SETTINGS'
  | 'INVALID_INSTALLATION'
  | 'STORE_FENCED'
  | 'STORE_MOVED'
  | 'STORE_UNAVAILABLE'
  | 'LOG_FENCED'
  | 'LOG_UNAVAILABLE'
  | 'TOPIC_MISSING'
  | 'PARTITIONS_CHANGED'
  | 'STATE_UNREADABLE'
  | 'INPUT_UNREADABLE'
  | 'INPUT_OUT_OF_ORDER'
  | 'PORT_IN_USE'

/** `canRetry`: the same call may succeed later without a change by a person. */
export class UpswellError extends Error {
  readonly code: ErrorCode
  readonly canRetry: boolean

  constructor(code: ErrorCode, message: string, options: { canRetry?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'UpswellError'
    this.code = code
    this.canRetry = options.canRetry ?? false
  }
}

export function isUpswellError(thrown: unknown, ...codes: ErrorCode[]): thrown is UpswellError {
  return thrown instanceof UpswellError && (codes.length === 0 || codes.includes(thrown.code))
}

/** A text for anything thrown. Errors of kafkajs and ioredis can have empty messages. */
export function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const code = (thrown as { code?: unknown }).code
  const text = thrown.message || thrown.name
  return typeof code === 'string' && !text.includes(code) ? `${code}: ${text}` : text
}
