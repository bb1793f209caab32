import swagger from '@fastify/swagger'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  fastify,
  LogController,
} from 'fastify'
import { collectDefaultMetrics, Histogram, type Registry } from 'prom-client'
import type { ModelLibrary } from '../models/model-library.ts'
import type { AccountStore } from '../store/store.ts'
import type { ApiInstance } from './api-instance.ts'
import { SHARED_SCHEMAS } from './documents/schemas.ts'
import { answerProblems, answerThrown } from './plugins/answer-problems.ts'
import { Problem } from './plugins/problems.ts'
import { servedFrom } from './read/served.ts'
import { routeExplainAccount } from './routes/explain-account.ts'
import { routeGetAccount } from './routes/get-account.ts'
import { routeGetRate } from './routes/get-rate.ts'
import { routeListAccounts } from './routes/list-accounts.ts'
import { routeListKpis } from './routes/list-kpis.ts'
import { routeOperations } from './routes/operations.ts'
import { type AppendSignals, routePostSignals } from './routes/post-signals.ts'

export interface ApiDependencies {
  /** The store of the serving lineage; after a promotion another store. */
  readonly store: () => AccountStore
  /** Shared with a scorer in this process, so that each model is compiled once. */
  readonly library: ModelLibrary
  /**
   * Appends to the topic `signals`; resolves when durable, with positions in the order of the signals.
   * @throws UpswellError LOG_UNAVAILABLE: the outcome is unknown; TOPIC_MISSING: nothing was written
   */
  readonly appendSignals: AppendSignals
  /** The reasons why the service cannot do its work now, one sentence each; empty: it is ready. */
  readonly problems: () => Promise<readonly string[]>
  readonly metrics: Registry
  /** The wall clock, ms. */
  readonly now: () => number
  /** A pino instance, or options for one; false: no logger. */
  readonly logger: FastifyBaseLogger | FastifyServerOptions['logger']
}

/** An account id has up to 512 bytes, and percent-encoding takes three characters for each. */
const MAX_PARAM_LENGTH = 512 * 3
const REQUEST_TIMEOUT_MS = 30_000
/** Longer than `?after=` waits (5 s). */
const HANDLER_TIMEOUT_MS = 10_000

// A request passes, top to bottom:
//
//   route found      frameworkErrors, if the URL is not valid
//   body parsed      acceptJson
//   validated        by the route's schema
//   handled          routes/
//   serialised       by the route's schema
//   onSend           answerUnchanged: ETag, 304
//   onResponse       measureRequests
//
// An error at any step goes to answerProblems.

/** The query API, ready to listen. It reads the store, and writes only to the log. */
export function createApi(dependencies: ApiDependencies): FastifyInstance {
  const { store, library, appendSignals, problems, metrics, now, logger } = dependencies
  const api: FastifyInstance = fastify({
    ...(isLogger(logger) ? { loggerInstance: logger } : { logger: logger ?? false }),
    // Metrics count requests; the logger reports failures only.
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: REQUEST_TIMEOUT_MS,
    handlerTimeout: HANDLER_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: answerThrown,
    ajv: {
      customOptions: {
        // A misspelt parameter is an error, and an answer shows all errors with the values found.
        removeAdditional: false,
        allErrors: true,
        verbose: true,
      },
    },
  })
  acceptJson(api)
  answerProblems(api)
  measureRequests(api, metrics)
  for (const schema of SHARED_SCHEMAS) api.addSchema(schema)
  describeApi(api)
  api.register(async (scope: ApiInstance) => {
    const served = servedFrom(store, library)
    routeListAccounts(scope, served)
    routeGetAccount(scope, served)
    routeExplainAccount(scope, served)
    routeGetRate(scope, served, now)
    routeListKpis(scope, served, now)
    routePostSignals(scope, served, appendSignals, now)
    routeOperations(scope, problems, metrics)
  })
  return api
}

function isLogger(logger: ApiDependencies['logger']): logger is FastifyBaseLogger {
  return typeof logger === 'object' && 'child' in logger
}

/** Accepts JSON only. */
function acceptJson(api: FastifyInstance): void {
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
  api.addHook('onResponse', async (request, reply) => {
    // The route as declared, not the path: paths hold account ids, and their number is unbounded.
    const route = request.routeOptions.url ?? 'none'
    durations.observe({ route, method: request.method, status: reply.statusCode }, reply.elapsedTime / 1000)
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
