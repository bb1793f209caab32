import { Type } from '@sinclair/typebox'
import type { Registry } from 'prom-client'
import type { ApiInstance } from '../api-instance.ts'
import { problemResponses } from '../documents/schemas.ts'
import { Problem } from '../plugins/problems.ts'

const Status = Type.Object({ status: Type.String() }, { description: 'It does' })
const TAGS = ['operations']
const LINKS = {
  accounts: '/v1/accounts',
  account: '/v1/accounts/{id}',
  explanation: '/v1/accounts/{id}/explanation',
  signals: '/v1/signals',
  openapi: '/openapi.json',
  alive: '/livez',
  ready: '/readyz',
  metrics: '/metrics',
}

/** Liveness, readiness, metrics, and where everything is. */
export function routeOperations(
  api: ApiInstance,
  problems: () => Promise<readonly string[]>,
  metrics: Registry,
): void {
  api.get(
    '/livez',
    { schema: { operationId: 'livez', summary: 'The process runs', tags: TAGS, response: { 200: Status } } },
    async () => ({ status: 'ok' }),
  )

  api.get(
    '/readyz',
    {
      schema: {
        operationId: 'readyz',
        summary: 'The service can do its work',
        tags: TAGS,
        response: { 200: Status, ...problemResponses({ 503: 'errors says what is wrong' }) },
      },
    },
    async () => {
      const found = await problems()
      if (found.length === 0) return { status: 'ready' }
      const entries = found.map(detail => ({ detail }))
      throw new Problem('NOT_READY', found.join('; '), entries)
    },
  )

  api.get(
    '/metrics',
    {
      schema: {
        operationId: 'metrics',
        summary: 'Metrics for Prometheus',
        tags: TAGS,
        response: { 200: { description: 'Text', content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  )

  api.get(
    '/openapi.json',
    {
      schema: {
        operationId: 'openapi',
        summary: 'This description, in OpenAPI 3.1',
        tags: TAGS,
        response: {
          200: Type.Object({}, { additionalProperties: true, description: 'An OpenAPI document' }),
        },
      },
    },
    async () => api.swagger(),
  )

  api.get(
    '/',
    {
      schema: {
        operationId: 'index',
        summary: 'Where everything is',
        tags: TAGS,
        response: {
          200: Type.Object(
            {
              name: Type.String(),
              links: Type.Record(Type.String(), Type.String()),
            },
            { description: 'Paths, by what is there' },
          ),
        },
      },
    },
    async () => ({ name: 'Upswell', links: LINKS }),
  )
}
