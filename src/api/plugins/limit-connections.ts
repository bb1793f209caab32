import type { FastifyInstance } from 'fastify'
import { Counter, type Registry } from 'prom-client'

/** An open connection takes about 10 KiB, and up to 16 KiB of headers while a request arrives. */
const MAX_CONNECTIONS = 2_000
const REFUSED = 'upswell_http_connections_refused_total'

/** Closes further connections at once, and counts them. */
export function limitConnections(api: FastifyInstance, registry: Registry, most = MAX_CONNECTIONS): void {
  registry.removeSingleMetric(REFUSED)
  const refused = new Counter({
    name: REFUSED,
    help: `Connections that were closed at once, because ${most} were open`,
    registers: [registry],
  })
  api.server.maxConnections = most
  api.server.on('drop', () => refused.inc())
}
