import type { FastifyInstance } from 'fastify'
import { Problem } from './problems.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Query parameters for which an empty value has a meaning. */
    readonly emptyParameters?: readonly string[]
  }
}

/**
 * Refuses a query parameter without a value: a script that sends one has lost the value, and must not get an
 * answer to another question.
 */
export function refuseEmptyParameters(api: FastifyInstance): void {
  api.addHook('preValidation', async ({ query, routeOptions }) => {
    const allowed = routeOptions.config.emptyParameters ?? []
    const empty = Object.entries(query as Readonly<Record<string, unknown>>)
      .filter(([name, value]) => [value].flat().includes('') && !allowed.includes(name))
      .map(([name]) => name)
    if (empty.length === 0) return
    const entries = empty.map(field => ({
      field,
      found: '',
      accepted: 'a value; or leave the parameter out',
    }))
    throw new Problem('INVALID_REQUEST', `Without a value: ${empty.join(', ')}.`, entries)
  })
}
