import { RequestsUnderWay } from '../api/plugins/requests-under-way.ts'
import { createApi } from '../api/server.ts'
import { describeError, UpswellError } from '../lib/errors.ts'
import type { Logger } from '../lib/logger.ts'
import type { Config } from './config.ts'

export type ServiceApiOptions = Omit<Parameters<typeof createApi>[0], 'requests' | 'logger'>

export interface ServiceApi {
  /** Where it answers. */
  readonly url: string
  /** Call it when a stop begins: requests that wait for a record are answered at once. */
  readonly beginStop: () => void
  /** Answers the requests under way, which takes 5 s at most, and closes. */
  readonly close: () => Promise<void>
}

/**
 * Starts the API, or for roles without it at least health and metrics.
 * @throws UpswellError INVALID_SETTINGS, PORT_IN_USE
 */
export async function startServiceApi(
  options: ServiceApiOptions,
  config: Config,
  logger: Logger,
): Promise<ServiceApi> {
  const requests = new RequestsUnderWay()
  const api = createApi({ ...options, requests, logger })
  const url = await listen(api, config)
  return {
    url,
    beginStop: () => requests.beginStop(),
    close: () => requests.closeAnswered(api),
  }
}

async function listen(api: ReturnType<typeof createApi>, { host, port }: Config): Promise<string> {
  try {
    return await api.listen({ host, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
      throw new UpswellError(
        'INVALID_SETTINGS',
        `cannot listen on port ${port} of ${host}: ${describeError(error)}; set UPSWELL_HOST and UPSWELL_PORT to what this machine allows`,
        { cause: error },
      )
    }
    throw new UpswellError(
      'PORT_IN_USE',
      `port ${port} of ${host} is in use; stop what uses it, or set UPSWELL_PORT (0: any free one)`,
    )
  }
}
