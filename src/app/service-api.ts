import { BlockList, isIP } from 'node:net'
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
  if (!isLoopback(config.host))
    logger.warn(
      `the API listens on ${config.host}, beyond this machine, and asks nobody who they are: anyone who reaches port ${new URL(url).port} may read scores, append signals and override scores. Let only a proxy that authenticates reach it`,
    )
  return {
    url,
    beginStop: () => requests.beginStop(),
    close: () => requests.closeAnswered(api),
  }
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')

/** Whether only programs on this machine reach the address. A name that is no address may mean any. */
function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  const family = isIP(host)
  return family !== 0 && LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4')
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
