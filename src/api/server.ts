import swagger from '@fastify/swagger'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  fastify,
  LogController,
} from 'fastify'
import type { Registry } from 'prom-client'
import type { ModelLibrary } from '../models/model-library.ts'
import type { AccountStore } from '../store/store.ts'
import type { ApiInstance } from './api-instance.ts'
import { SHARED_SCHEMAS } from './documents/schemas.ts'
import { acceptJson } from './plugins/accept-json.ts'
import { answerProblems, answerThrown } from './plugins/answer-problems.ts'
import { measureRequests } from './plugins/measure-requests.ts'
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
