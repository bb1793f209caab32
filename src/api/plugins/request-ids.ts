import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'

const HEADER = 'x-request-id'
/** Ids of proxies and tracing libraries fit; a text that could break a log line or a header does not. */
const ACCEPTED = /^[\w.:/+=@-]{1,128}$/

/** The caller's id of a request, if it sends a usable one; else a new one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers[HEADER]
  return typeof given === 'string' && ACCEPTED.test(given) ? given : randomUUID()
}

/** Each answer has the id of its request. */
export function answerRequestIds(api: FastifyInstance): void {
  api.addHook('onRequest', async (request, reply) => {
    reply.header(HEADER, request.id)
  })
}
