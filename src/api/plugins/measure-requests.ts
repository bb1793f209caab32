import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Histogram, type Registry } from 'prom-client'

const NAME = 'upswell_http_request_duration_seconds'
/** One that is always collected by default: tells whether the composition root, or an earlier API on the registry, has done so. */
const DEFAULT_METRIC = 'process_cpu_seconds_total'

/** Measures each answer, and collects the process's own metrics unless that is done already. */
export function measureRequests(api: FastifyInstance, registry: Registry): void {
  if (registry.getSingleMetric(DEFAULT_METRIC) === undefined) collectDefaultMetrics({ register: registry })
  registry.removeSingleMetric(NAME)
  const durations = new Histogram({
    name: NAME,
    help: 'Time from the arrival of a request to the end of its answer, by route, method and status',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  api.addHook('onResponse', async (request, reply) => {
    // The route as it was declared: paths hold account ids, of which there is no end.
    const route = request.routeOptions.url ?? 'none'
    durations.observe({ route, method: request.method, status: reply.statusCode }, reply.elapsedTime / 1000)
  })
}
