import compress from '@fastify/compress'
import type { FastifyInstance } from 'fastify'
import { Problem } from './problems.ts'

/** Accepted values of `content-encoding`. */
export const BODY_ENCODINGS = ['gzip', 'deflate', 'br', 'identity'] as const

/**
 * Accepts JSON only, plain or compressed. A route's `bodyLimit` is also the most that a body unpacks to: the
 * unpacking ends there.
 */
export function acceptBodies(api: FastifyInstance): void {
  // RFC 9110: the case of a coding does not matter, and gzip has a second name. The library knows neither.
  api.addHook('onRequest', async ({ headers }) => {
    const encoding = headers['content-encoding']?.toLowerCase()
    if (encoding !== undefined) headers['content-encoding'] = encoding === 'x-gzip' ? 'gzip' : encoding
  })
  api.register(compress, {
    // Answers are not compressed: a proxy can do that, and their ETags would change.
    global: false,
    globalDecompression: true,
    requestEncodings: [...BODY_ENCODINGS],
    onUnsupportedRequestEncoding: encoding => unsupportedEncoding(encoding),
    // The library copies its fields to the error that it found.
    onInvalidRequestPayload: encoding => ({
      code: 'UNREADABLE_BODY',
      name: 'Error',
      statusCode: 400,
      message: `The body cannot be unpacked as ${encoding}.`,
    }),
  })
  const decoder = new TextDecoder('utf-8', { fatal: true })
  api.removeAllContentTypeParsers()
  // Fastify's own parser reads bytes that are not UTF-8 as replacement characters, so two account ids could
  // become one. It also refuses the whole body for a key `__proto__`; checkSignal refuses only that signal,
  // and names it.
  api.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => {
      if (body.length === 0) throw new Problem('INVALID_JSON', 'The body is empty. A JSON value is accepted.')
      try {
        return JSON.parse(decoder.decode(body)) as unknown
      } catch (thrown) {
        throw new Problem('INVALID_JSON', `The body is not JSON in UTF-8: ${(thrown as Error).message}`)
      }
    },
  )
}

function unsupportedEncoding(encoding: string): Problem {
  const accepted = BODY_ENCODINGS.join(', ')
  return new Problem(
    'UNSUPPORTED_ENCODING',
    `content-encoding is ${JSON.stringify(encoding.slice(0, 100))}; accepted: ${accepted}.`,
  )
}
