import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { describeError, isUpswellError, stackOf } from '../../lib/errors.ts'
import type { Logger } from '../../lib/logger.ts'
import { RETRY_PROMISE } from '../documents/retry-promise.ts'
import { BODY_ENCODINGS } from './accept-bodies.ts'
import { Problem, type ProblemCode, type ProblemEntry, problemDocument, statusOf } from './problems.ts'

const RETRY_AFTER_SECONDS = '1'

/** Answers every error with an `application/problem+json`. */
export function answerProblems(api: FastifyInstance, logger: Logger): void {
  api.setErrorHandler(answerThrown(logger))
  api.setNotFoundHandler((request, reply) => {
    const detail = `There is no ${request.method} ${pathOf(request)}. /openapi.json lists the routes.`
    return answer(new Problem('ROUTE_NOT_FOUND', detail), request, reply)
  })
}

/** Also answers errors from before a route is found. */
export function answerThrown(
  logger: Logger,
): (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (thrown, request, reply) => {
    // Requests that a test injects have no such field.
    const hasArrived = request.raw.complete !== false
    const problem = toProblem(thrown, hasArrived)
    report(logger, thrown, problem, request)
    return answer(problem, request, reply)
  }
}

/** Codes of 5xx that are no failure: the process stops, or somebody asks whether it is ready. */
const EXPECTED: ReadonlySet<ProblemCode> = new Set(['STOPPING', 'NOT_READY'])

/** One line for an answer with 5xx. It has the path, but not the query: that can hold a caller's secret. */
function report(logger: Logger, thrown: unknown, { code }: Problem, request: FastifyRequest): void {
  const route = request.routeOptions.url ?? 'no route'
  const fields = { requestId: request.id, path: pathOf(request).slice(0, MOST_PATH), code }
  const reason = describeError(thrown)
  if (code === 'INTERNAL_ERROR')
    logger.error(`${request.method} ${route} failed: ${reason}`, { ...fields, stack: stackOf(thrown) })
  else if (statusOf(code) >= 500 && !EXPECTED.has(code))
    logger.warn(`${request.method} ${route} was answered with 503 ${code}: ${reason}`, fields)
}

const MOST_PATH = 1_000

/** Answers a request that never became one: it is broken, or did not arrive in time. */
export function answerBrokenRequest(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const problem = brokenRequest(error)
  const document = problemDocument(problem, '/')
  const body = JSON.stringify(document)
  const head = [
    `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status]}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  // Not `end`: a client that keeps its side open would keep the connection for ever.
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.destroySoon()
}

function brokenRequest({ code }: ConnectionError): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return tooSlow()
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Problem('HEADERS_TOO_LARGE', 'The headers are larger than 16 KiB.')
  return new Problem('INVALID_REQUEST', 'What arrived is not an HTTP/1.1 request.')
}

function answer(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const document = problemDocument(problem, request.url, request.id)
  if (document.status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS)
  if (problem.code === 'UNSUPPORTED_ENCODING') reply.header('accept-encoding', BODY_ENCODINGS.join(', '))
  if (document.status === 408) reply.header('connection', 'close')
  return reply.code(document.status).type('application/problem+json').send(document)
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0]!
}

/** Maps a thrown value to a problem. Its text reaches the client only if it was written for clients. */
function toProblem(thrown: unknown, hasArrived: boolean): Problem {
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
  return fromFastify(thrown as FastifyFailure, hasArrived) ?? internalError()
}

interface FastifyFailure {
  readonly code?: unknown
  readonly statusCode?: unknown
  readonly message?: unknown
  readonly validation?: readonly ValidationError[]
}

function fromFastify(error: FastifyFailure | undefined | null, hasArrived: boolean): Problem | undefined {
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
      return hasArrived ? new Problem('TIMED_OUT', 'There was no answer in time. Ask again.') : tooSlow()
    case 'UNREADABLE_BODY':
      return new Problem('INVALID_JSON', String(error.message))
  }
  // Fastify's other client errors, such as a URL that cannot be decoded. Their texts hold nothing of ours.
  const isClients = typeof error?.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500
  return isClients ? new Problem('INVALID_REQUEST', String(error.message)) : undefined
}

function tooSlow(): Problem {
  return new Problem(
    'TOO_SLOW',
    'The request did not arrive completely in time. Send it again, with fewer signals at a time if the line is slow.',
  )
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
