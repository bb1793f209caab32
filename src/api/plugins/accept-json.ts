import type { FastifyInstance } from 'fastify'
import { Problem } from './problems.ts'

/** JSON is the only content type that is accepted. */
export function acceptJson(api: FastifyInstance): void {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  api.removeAllContentTypeParsers()
  // Instead of Fastify's parser, which reads bytes that are not UTF-8 as replacement characters (two account ids could become one), and
  // refuses the whole body for a key `__proto__`: checkSignal refuses the one signal, and says which.
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
