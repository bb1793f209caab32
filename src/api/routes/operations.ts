import { type Static, Type } from '@sinclair/typebox'
import type { Registry } from 'prom-client'
import type { ApiInstance } from '../api-instance.ts'
import { problemResponses } from '../documents/schemas.ts'
import { Problem } from '../plugins/problems.ts'

const Status = Type.Object({ status: Type.String() }, { description: 'Yes' })
const LagSchema = Type.Object(
  {
    records: Type.Integer({ description: 'Records to the end of the log, of all partitions' }),
    seconds: Type.Integer({ description: 'Of the partition that is furthest behind' }),
  },
  { description: 'How far this process is behind the log. It is ready all the same' },
)
export type Lag = Readonly<Static<typeof LagSchema>>
const Ready = Type.Object({ status: Type.String(), lag: Type.Optional(LagSchema) }, { description: 'Yes' })
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

/** Liveness, readiness, metrics, the OpenAPI document and an index of paths. */
export function routeOperations(
  api: ApiInstance,
  problems: () => Promise<readonly string[]>,
  metrics: Registry,
  lag: () => Promise<Lag | undefined> = async () => undefined,
): void {
  api.get(
    '/livez',
    {
      schema: {
        operationId: 'livez',
        summary: 'Whether the process runs',
        tags: TAGS,
        response: { 200: Status },
      },
    },
    async () => ({ status: 'ok' }),
  )

  api.get(
    '/readyz',
    {
      schema: {
        operationId: 'readyz',
        summary: 'Whether the service can do its work',
        tags: TAGS,
        response: { 200: Ready, ...problemResponses({ 503: 'NOT_READY: errors lists the reasons' }) },
      },
    },
    async () => {
      const found = await problems()
      if (found.length === 0) {
        const behind = await lag()
        return { status: 'ready', ...(behind === undefined ? {} : { lag: behind }) }
      }
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
        response: {
          200: {
            description: 'Prometheus text format',
            content: { 'text/plain': { schema: Type.String() } },
          },
        },
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
        summary: 'The paths of this service',
        tags: TAGS,
        response: {
          200: Type.Object(
            {
              name: Type.String(),
              links: Type.Record(Type.String(), Type.String()),
            },
            { description: 'Each path by its purpose' },
          ),
        },
      },
    },
    async () => ({ name: 'Upswell', links: LINKS }),
  )
}
