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

export interface UpswellErrorOptions {
  readonly canRetry?: boolean
  readonly needsPerson?: boolean
  readonly cause?: unknown
}

/**
 * `canRetry`: the same call may succeed later. `needsPerson`: but only after a person has changed something,
 * such as a permission.
 */
export class UpswellError extends Error {
  readonly code: ErrorCode
  readonly canRetry: boolean
  readonly needsPerson: boolean

  constructor(code: ErrorCode, message: string, options: UpswellErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'UpswellError'
    this.code = code
    this.canRetry = options.canRetry ?? false
    this.needsPerson = options.needsPerson ?? false
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

const MOST_CAUSES = 10

/** The stacks of an error and its causes. Not their fields: the fields of ioredis hold passwords and data. */
export function stackOf(thrown: unknown): string {
  const stacks: string[] = []
  for (let error = thrown; error !== undefined && stacks.length < MOST_CAUSES; ) {
    const code = (error as { code?: unknown } | null)?.code
    const stack = error instanceof Error ? (error.stack ?? describeError(error)) : String(error)
    stacks.push(typeof code === 'string' ? `${stack}\n    code: ${code}` : stack)
    error = error instanceof Error ? error.cause : undefined
  }
  return stacks.join('\ncaused by ')
}
