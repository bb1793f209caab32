import { isUpswellError } from '../../lib/errors.ts'
import { describeValidation, type ValidationError } from './describe-validation.ts'
import { Problem } from './problems.ts'

/** What anything that was thrown while answering is to the client. Never its text, unless it was written for the client. */
export function toProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown
  if (isUpswellError(thrown, 'STORE_UNAVAILABLE')) {
    return new Problem('STORE_UNAVAILABLE', 'The store cannot be read at the moment. Ask again.')
  }
  if (isUpswellError(thrown, 'LOG_UNAVAILABLE')) {
    return new Problem(
      'LOG_UNAVAILABLE',
      'It is not known whether the signals were written. Send them again with the same ids: an id that was seen changes nothing.',
    )
  }
  if (isUpswellError(thrown, 'TOPIC_MISSING')) {
    return new Problem(
      'LOG_UNAVAILABLE',
      'The topics are missing: nothing was written. Create them with "upswell topics create" and send again.',
    )
  }
  return fromFastify(thrown as FastifyFailure) ?? internalError()
}

interface FastifyFailure {
  readonly code?: unknown
  readonly statusCode?: unknown
  readonly message?: unknown
  readonly validation?: readonly ValidationError[]
}

function fromFastify(error: FastifyFailure | undefined | null): Problem | undefined {
  if (error?.validation !== undefined) {
    const entries = describeValidation(error.validation)
    return new Problem('INVALID_REQUEST', 'The query is not valid; see errors.', entries)
  }
  switch (error?.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem(
        'BODY_TOO_LARGE',
        'The body is larger than the 5 MiB that are accepted. Send less at a time.',
      )
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem('UNSUPPORTED_MEDIA_TYPE', 'The content type application/json is accepted.')
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new Problem('NOT_FOUND', 'No account has an id of that length.')
    case 'FST_ERR_HANDLER_TIMEOUT':
      return new Problem('TIMED_OUT', 'There was no answer in time. Ask again.')
  }
  // Fastify's other errors of the client's making, such as a URL that cannot be decoded; their texts hold nothing of ours.
  const isClients = typeof error?.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500
  return isClients ? new Problem('INVALID_REQUEST', String(error.message)) : undefined
}

function internalError(): Problem {
  return new Problem('INTERNAL_ERROR', 'The reason is in the log of the service.')
}
