import { type ErrorCode, isUpswellError, UpswellError } from '../../lib/errors.ts'

/** An error as a message between threads, which would lose its class and code. */
export type PlainError =
  | {
      readonly type: 'upswell'
      readonly code: ErrorCode
      readonly message: string
      readonly canRetry: boolean
    }
  /** A bug. */
  | { readonly type: 'other'; readonly message: string; readonly stack: string | undefined }

export function toPlainError(thrown: unknown): PlainError {
  if (isUpswellError(thrown)) {
    const { code, message, canRetry } = thrown
    return { type: 'upswell', code, message, canRetry }
  }
  return thrown instanceof Error
    ? { type: 'other', message: thrown.message, stack: thrown.stack }
    : { type: 'other', message: String(thrown), stack: undefined }
}

export function fromPlainError(plain: PlainError): Error {
  if (plain.type === 'upswell')
    return new UpswellError(plain.code, plain.message, { canRetry: plain.canRetry })
  const error = new Error(plain.message)
  if (plain.stack !== undefined) error.stack = plain.stack
  return error
}
