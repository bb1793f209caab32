import swagger from '@fastify/swagger'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify, LogController } from 'fastify'
import { collectDefaultMetrics, Histogram, type Registry } from 'prom-client'
import type { ByteQuota } from '../lib/byte-quota.ts'
import type { Logger } from '../lib/logger.ts'
import type { ApiInstance } from './api-instance.ts'
import type { AppendSignals } from './append-in-time.ts'
import { SHARED_SCHEMAS } from './documents/schemas.ts'
import { acceptBodies } from './plugins/accept-bodies.ts'
import { answerBrokenRequest, answerProblems, answerThrown } from './plugins/answer-problems.ts'
import { limitConnections } from './plugins/limit-connections.ts'
import { limitMemory } from './plugins/limit-memory.ts'
import { refuseEmptyParameters } from './plugins/refuse-empty-parameters.ts'
import { answerRequestIds, requestIdOf } from './plugins/request-ids.ts'
import type { RequestsUnderWay } from './plugins/requests-under-way.ts'
import { type EndOfLog, RecordWaiter } from './read/record-waiter.ts'
import type { Served } from './read/served.ts'
import { routeExplainAccount } from './routes/explain-account.ts'
import { routeGetAccount } from './routes/get-account.ts'
import { routeGetRate } from './routes/get-rate.ts'
import { routeListAccounts } from './routes/list-accounts.ts'
import { routeListKpis } from './routes/list-kpis.ts'
import { type Lag, routeOperations } from './routes/operations.ts'
import { routePostSignals } from './routes/post-signals.ts'

export interface ApiDependencies {
  readonly served: Served
  /**
   * Appends to the topic `signals`; resolves when durable, with positions in the order of the signals.
   * @throws UpswellError LOG_UNAVAILABLE: the outcome is unknown; TOPIC_MISSING: nothing was written
   */
  readonly appendSignals: AppendSignals
  readonly endOfLog: EndOfLog
  /** The requests that a stop answers first. */
  readonly requests: RequestsUnderWay
  /** The memory of the requests under way. */
  readonly memory: ByteQuota
  /** The reasons why the service cannot do its work now, one sentence each; empty: it is ready. */
  readonly problems: () => Promise<readonly string[]>
  readonly metrics: Registry
  /** How far the process is behind the log; undefined: it reads nothing, or does not know yet. */
  readonly lag?: () => Promise<Lag | undefined>
  /** The wall clock, ms. */
  readonly now: () => number
  readonly logger: Logger
}

/** An account id has up to 512 bytes, and percent-encoding takes three characters for each. */
const MAX_PARAM_LENGTH = 512 * 3
const REQUEST_TIMEOUT_MS = 30_000
/** Longer than `?after=` waits (5 s). */
const HANDLER_TIMEOUT_MS = 10_000

// A request passes, top to bottom:
//
//   route found      frameworkErrors, if the URL is not valid
//   memory taken     limitMemory
//   body parsed      acceptBodies: unpacked, JSON
//   validated        refuseEmptyParameters, then by the route's schema
//   handled          routes/
//   serialised       by the route's schema
//   onSend           answerUnchanged: ETag, 304
//   onResponse       measureRequests
//
// An error at any step goes to answerProblems.

/** The query API, ready to listen. It reads the store, and writes only to the log. */
export function createApi(dependencies: ApiDependencies): FastifyInstance {
  const { served, appendSignals, endOfLog, requests, memory, problems, metrics, lag, now, logger } =
    dependencies
  const api: FastifyInstance = fastify({
    genReqId: requestIdOf,
    logger: { level: 'warn', stream: { write: line => reportFastify(logger, line) } },
    // Metrics count requests; the logger reports failures only.
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: REQUEST_TIMEOUT_MS,
    handlerTimeout: HANDLER_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: answerThrown(logger),
    clientErrorHandler: answerBrokenRequest,
    // During a stop the requests that still arrive are answered as usual (requests-under-way.ts).
    return503OnClosing: false,
    ajv: {
      customOptions: {
        // A misspelt parameter is an error, and an answer shows all errors with the values found.
        removeAdditional: false,
        allErrors: true,
        verbose: true,
      },
    },
  })
  requests.track(api)
  answerRequestIds(api)
  limitConnections(api, metrics)
  limitMemory(api, memory)
  acceptBodies(api)
  refuseEmptyParameters(api)
  answerProblems(api, logger)
  measureRequests(api, metrics)
  for (const schema of SHARED_SCHEMAS) api.addSchema(schema)
  describeApi(api)
  api.register(async (scope: ApiInstance) => {
    const waiter = new RecordWaiter(requests, endOfLog)
    routeListAccounts(scope, served)
    routeGetAccount(scope, served, waiter)
    routeExplainAccount(scope, served, waiter)
    routeGetRate(scope, served, now)
    routeListKpis(scope, served, now)
    routePostSignals(scope, served, appendSignals, now)
    routeOperations(scope, problems, metrics, lag)
  })
  return api
}

/** Fastify warns of mistakes in routes, as a line of JSON. */
function reportFastify(logger: Logger, line: string): void {
  const { msg, reqId, err } = JSON.parse(line) as { msg: string; reqId?: string; err?: { stack?: string } }
  logger.warn(`fastify: ${msg}`, { requestId: reqId, stack: err?.stack })
}

/** The client closed the connection before its answer: nobody's fault here. The number is nginx's. */
const CLIENT_LEFT = 499
const DURATIONS = 'upswell_http_request_duration_seconds'
/** A default metric of prom-client. If the registry has it, the default metrics are already collected. */
const DEFAULT_METRIC = 'process_cpu_seconds_total'

/** Measures each answer. Collects the process's default metrics too, unless the registry already does. */
function measureRequests(api: FastifyInstance, registry: Registry): void {
  if (registry.getSingleMetric(DEFAULT_METRIC) === undefined) collectDefaultMetrics({ register: registry })
  registry.removeSingleMetric(DURATIONS)
  const durations = new Histogram({
    name: DURATIONS,
    help: 'Time from the arrival of a request to the end of its answer, by route, method and status',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  const observe = ({ method, routeOptions }: FastifyRequest, status: number, elapsedMs: number): void => {
    // The route as declared, not the path: paths hold account ids, and their number is unbounded.
    durations.observe({ route: routeOptions.url ?? 'none', method, status }, elapsedMs / 1000)
  }
  // Fastify reports no answer that nobody waits for any more, or the status that it would have had.
  const left = new WeakSet<FastifyReply>()
  api.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => {
      if (reply.raw.writableEnded) return
      left.add(reply)
      observe(request, CLIENT_LEFT, reply.elapsedTime)
    })
  })
  api.addHook('onResponse', async (request, reply) => {
    if (!left.has(reply)) observe(request, reply.statusCode, reply.elapsedTime)
  })
}

function describeApi(api: FastifyInstance): void {
  api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Upswell',
        version: '1.0.0',
        description:
          'Expansion scores of accounts: the scores, the reasons, and what to do next. Times are RFC 3339 in UTC with milliseconds.',
      },
      tags: [
        { name: 'accounts', description: 'The scores of accounts, and why' },
        { name: 'population', description: 'Rates and key figures over all accounts' },
        { name: 'signals', description: 'The input that scores are made of' },
        { name: 'operations', description: 'For the people who run the service' },
      ],
    },
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, i) => String(json['$id'] ?? `def-${i}`) },
  })
}
