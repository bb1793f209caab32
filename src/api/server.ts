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
  /** The store of the line of scoring that serves; after a promotion it is another one. */
  readonly store: () => AccountStore
  /** Shared with the scorer, if it runs in this process: a model is then compiled once. */
  readonly library: ModelLibrary
  /** Appends to the signals topic; answers when durable. Positions in the order given. @throws UpswellError LOG_UNAVAILABLE */
  readonly appendSignals: AppendSignals
  /** What keeps the service from its work now, each in a sentence; none: it is ready. */
  readonly problems: () => Promise<readonly string[]>
  readonly metrics: Registry
  /** ms */
  readonly now: () => number
  /** A pino instance, or options for one; false for none. */
  readonly logger: FastifyBaseLogger | FastifyServerOptions['logger']
}

/** An account id is up to 512 bytes, and each may take three characters in a path. */
const MAX_PARAM_LENGTH = 512 * 3
const REQUEST_TIMEOUT_MS = 30_000
/** More than `?after=` waits. */
const HANDLER_TIMEOUT_MS = 10_000

/** The query API, ready to listen. It reads the store; what it writes it appends to the log. */
export function createApi(dependencies: ApiDependencies): FastifyInstance {
  const { store, library, appendSignals, problems, metrics, now, logger } = dependencies
  const api: FastifyInstance = fastify({
    ...(isLogger(logger) ? { loggerInstance: logger } : { logger: logger ?? false }),
    // Metrics count requests; the log is for what goes wrong.
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: REQUEST_TIMEOUT_MS,
    handlerTimeout: HANDLER_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: answerThrown,
    ajv: {
      customOptions: {
        // A misspelt parameter is an error, not ignored; and all errors are shown, with what was found.
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
    routePostSignals(scope, appendSignals, now)
    routeOperations(scope, problems, metrics)
  })
  return api
}

function isLogger(logger: ApiDependencies['logger']): logger is FastifyBaseLogger {
  return typeof logger === 'object' && 'child' in logger
}

/** JSON is the only content type that is accepted. */
function acceptJson(api: FastifyInstance): void {
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

const NAME = 'upswell_http_request_duration_seconds'
/** One that is always collected by default: tells whether the composition root, or an earlier API on the registry, has done so. */
const DEFAULT_METRIC = 'process_cpu_seconds_total'

/** Measures each answer, and collects the process's own metrics unless that is done already. */
function measureRequests(api: FastifyInstance, registry: Registry): void {
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

function describeApi(api: FastifyInstance): void {
  api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Upswell',
        version: '1.0.0',
        description: 'Expansion scores of accounts: what they are, why, and what to do next.',
      },
      tags: [
        { name: 'accounts', description: 'Scores' },
        { name: 'population', description: 'Rates and key figures over all accounts' },
        { name: 'signals', description: 'What scores are made of' },
        { name: 'operations', description: 'For those who run the service' },
      ],
    },
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, i) => String(json['$id'] ?? `def-${i}`) },
  })
}
