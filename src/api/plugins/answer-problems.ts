import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem, problemDocument } from './problems.ts'
import { toProblem } from './to-problem.ts'

const RETRY_AFTER_SECONDS = '1'

/** Makes everything that goes wrong an `application/problem+json`. */
export function answerProblems(api: FastifyInstance): void {
  api.setErrorHandler(answerThrown)
  api.setNotFoundHandler((request, reply) => {
    const detail = `There is no ${request.method} ${pathOf(request)}. /openapi.json lists the routes.`
    return answer(new Problem('ROUTE_NOT_FOUND', detail), request, reply)
  })
}

/** Also for what goes wrong before a route is found. */
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
