import type { FastifyInstance } from 'fastify'
import { Problem } from './problems.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Query parameters for which an empty value has a meaning. */
    readonly emptyParameters?: readonly string[]
  }
}

/**
 * Refuses a query parameter whose value is empty or blank: a script that sends one has lost the value, and
 * must not get an answer to another question. Routes that take no parameters ignore all, as in
 * `/readyz?verbose`.
 */
export function refuseEmptyParameters(api: FastifyInstance): void {
  api.addHook('preValidation', async ({ query, routeOptions }) => {
    if (routeOptions.schema?.querystring === undefined) return
    const allowed = routeOptions.config.emptyParameters ?? []
    const empty = Object.entries(query as Readonly<Record<string, unknown>>)
      .map(([name, value]) => ({ name, blank: [value].flat().find(isBlank) }))
      .filter(({ name, blank }) => blank !== undefined && !(blank === '' && allowed.includes(name)))
    if (empty.length === 0) return
    const entries = empty.map(({ name, blank }) => ({
      field: name,
      found: blank,
      accepted: 'a value; or leave the parameter out',
    }))
    const names = empty.map(({ name }) => name).join(', ')
    throw new Problem('INVALID_REQUEST', `Without a value: ${names}.`, entries)
  })
}

function isBlank(value: unknown): value is string {
  return typeof value === 'string' && value.trim() === ''
}
