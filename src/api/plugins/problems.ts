/**
 * The RFC 9457 problems. A code is for programs and never changes; a title belongs to its code; a detail
 * tells a person what was found and what is accepted.
 */
const PROBLEMS = {
  INVALID_REQUEST: { status: 400, title: 'The request is not valid' },
  UNKNOWN_MODEL: { status: 400, title: 'No such scoring model' },
  UNKNOWN_TIER: { status: 400, title: 'No such tier' },
  UNKNOWN_FACET: { status: 400, title: 'No such facet' },
  UNKNOWN_MOTION: { status: 400, title: 'No such motion' },
  UNKNOWN_SEGMENT: { status: 400, title: 'No such segment' },
  INVALID_PERIOD: { status: 400, title: 'The period is not valid' },
  INVALID_CURSOR: { status: 400, title: 'The cursor does not belong to this query' },
  WRONG_PARTITION: { status: 400, title: 'The sequence belongs to another partition' },
  UNKNOWN_SEQUENCE: { status: 400, title: 'The log has no such record' },
  INVALID_JSON: { status: 400, title: 'The body is not JSON' },
  INVALID_SIGNALS: { status: 400, title: 'The signals are not valid' },
  NOT_FOUND: { status: 404, title: 'No such account' },
  NO_SCORE: { status: 404, title: 'The account has no score yet' },
  UNKNOWN_RATE: { status: 404, title: 'No such rate' },
  NO_KPIS: { status: 404, title: 'No key figures' },
  ROUTE_NOT_FOUND: { status: 404, title: 'No such route' },
  TOO_SLOW: { status: 408, title: 'The request arrived too slowly' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The content type is not accepted' },
  UNSUPPORTED_ENCODING: { status: 415, title: 'The content encoding is not accepted' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large' },
  INTERNAL_ERROR: { status: 500, title: 'An error in the service' },
  LOG_UNAVAILABLE: { status: 503, title: 'The log does not answer' },
  STORE_UNAVAILABLE: { status: 503, title: 'The store does not answer' },
  STORE_FILLING: { status: 503, title: 'The store is being filled' },
  NO_ACTIVE_MODEL: { status: 503, title: 'No scoring model is active yet' },
  NOT_CAUGHT_UP: { status: 503, title: 'The record is not in the store yet' },
  STOPPING: { status: 503, title: 'The service is stopping' },
  OVERLOADED: { status: 503, title: 'Too many requests are under way' },
  NOT_READY: { status: 503, title: 'Not ready' },
  TIMED_OUT: { status: 503, title: 'The answer took too long' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>

export type ProblemCode = keyof typeof PROBLEMS

/** One entry of `errors`: one thing that is wrong. */
export type ProblemEntry = object

/** Thrown by a route to answer with a problem. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly entries: readonly ProblemEntry[] | undefined

  constructor(code: ProblemCode, detail: string, entries?: readonly ProblemEntry[]) {
    super(detail)
    this.name = 'Problem'
    this.code = code
    this.entries = entries
  }
}

export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly instance: string
  readonly code: ProblemCode
  /** Left out: what arrived was no request. */
  readonly requestId?: string
  readonly errors?: readonly ProblemEntry[]
}

export function statusOf(code: ProblemCode): number {
  return PROBLEMS[code].status
}

/** @param instance the URL of the request */
export function problemDocument(
  { code, message, entries }: Problem,
  instance: string,
  requestId?: string,
): ProblemDocument {
  const { status, title } = PROBLEMS[code]
  const type = `/problems/${code.toLowerCase().replaceAll('_', '-')}`
  const id = requestId === undefined ? {} : { requestId }
  const document = { type, title, status, detail: message, instance, code, ...id }
  return entries === undefined ? document : { ...document, errors: entries }
}
