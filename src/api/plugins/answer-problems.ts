import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isUpswellError } from '../../lib/errors.ts'
import { RETRY_PROMISE } from '../documents/retry-promise.ts'
import { Problem, type ProblemEntry, problemDocument } from './problems.ts'

const RETRY_AFTER_SECONDS = '1'

/** Answers every error with an `application/problem+json`. */
export function answerProblems(api: FastifyInstance): void {
  api.setErrorHandler(answerThrown)
  api.setNotFoundHandler((request, reply) => {
    const detail = `There is no ${request.method} ${pathOf(request)}. /openapi.json lists the routes.`
    return answer(new Problem('ROUTE_NOT_FOUND', detail), request, reply)
  })
}

/** Also answers errors from before a route is found. */
export function answerThrown(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(thrown)
  if (problem.code === 'INTERNAL_ERROR')
    request.log.error({ err: thrown, url: request.url }, 'request failed')
  else if (problem !== thrown && problem.code.endsWith('_UNAVAILABLE'))
    request.log.warn({ err: thrown, url: request.url }, 'request failed')
  return answer(problem, request, reply)
}

function answer(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const document = problemDocument(problem, request.url)
  if (document.status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS)
  return reply.code(document.status).type('application/problem+json').send(document)
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0]!
}

/** Maps a thrown value to a problem. Its text reaches the client only if it was written for clients. */
function toProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown
  if (isUpswellError(thrown, 'STORE_UNAVAILABLE')) {
    return new Problem('STORE_UNAVAILABLE', 'The store cannot be read at the moment. Ask again.')
  }
  if (isUpswellError(thrown, 'LOG_UNAVAILABLE')) {
    return new Problem(
      'LOG_UNAVAILABLE',
      `It is unknown whether the signals were written. Send them again with the same ids: ${RETRY_PROMISE}.`,
    )
  }
  if (isUpswellError(thrown, 'TOPIC_MISSING')) {
    return new Problem(
      'LOG_UNAVAILABLE',
      'The topics are missing; nothing was written. Create them with "upswell topics create", and send the signals again.',
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
      return new Problem('BODY_TOO_LARGE', 'The body is larger than 5 MiB. Send fewer signals at a time.')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem('UNSUPPORTED_MEDIA_TYPE', 'Only the content type application/json is accepted.')
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new Problem('NOT_FOUND', 'No account has an id of that length.')
    case 'FST_ERR_HANDLER_TIMEOUT':
      return new Problem('TIMED_OUT', 'There was no answer in time. Ask again.')
  }
  // Fastify's other client errors, such as a URL that cannot be decoded. Their texts hold nothing of ours.
  const isClients = typeof error?.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500
  return isClients ? new Problem('INVALID_REQUEST', String(error.message)) : undefined
}

function internalError(): Problem {
  return new Problem('INTERNAL_ERROR', 'The reason is in the log of the service.')
}

/** An error of Ajv with the option `verbose`. */
interface ValidationError {
  readonly keyword: string
  readonly instancePath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message?: string
  readonly data?: unknown
  readonly parentSchema?: {
    readonly description?: string
    readonly properties?: Readonly<Record<string, unknown>>
  }
}

const MAX_ENTRIES = 20
const MAX_FOUND_LENGTH = 100

/** For each error in a query: the field, what was found and what is accepted. */
function describeValidation(errors: readonly ValidationError[]): ProblemEntry[] {
  return errors.slice(0, MAX_ENTRIES).map(error => {
    const { keyword, instancePath, params, message, data, parentSchema } = error
    if (keyword === 'additionalProperties') {
      const field = String(params['additionalProperty'])
      const found = (data as Readonly<Record<string, unknown>>)[field]
      const accepted = Object.keys(parentSchema?.properties ?? {}).join(', ')
      return { field, found: shorten(found), accepted: `one of the fields ${accepted}` }
    }
    const accepted = parentSchema?.description ?? message ?? ''
    return { field: instancePath.slice(1).replaceAll('/', '.'), found: shorten(data), accepted }
  })
}

function shorten(found: unknown): unknown {
  if (typeof found === 'number' || typeof found === 'boolean' || found === null) return found
  const text = typeof found === 'string' ? found : JSON.stringify(found)
  return text.length > MAX_FOUND_LENGTH ? `${text.slice(0, MAX_FOUND_LENGTH)}…` : text
}
