import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { PACKAGE_ROOT, readConfig } from '../app/config.ts'
import { isEmbedded } from '../app/open-backend.ts'
import type { Role } from '../app/running-roles.ts'
import { type Service, startService } from '../app/service.ts'
import { endProcess } from '../lib/end-process.ts'
import { UpswellError } from '../lib/errors.ts'
import type { Logger } from '../lib/logger.ts'
import { openServiceLog } from './service-log.ts'

/** Runs one role, or all of them, on Kafka and Redis until SIGTERM or SIGINT. */
export async function run(...roles: readonly Role[]): Promise<void> {
  const { logger, setLevel } = openServiceLog({ role: roles.join(','), version: readVersion() })
  const config = readConfig()
  setLevel(config.logLevel)
  if (isEmbedded(config)) {
    throw new UpswellError(
      'INVALID_SETTINGS',
      `upswell ${roles.join(' ')} runs on Kafka and Redis: set KAFKA_BROKERS=host:port and REDIS_URL. Without them, upswell start runs everything in one process.`,
    )
  }
  const service = await startService({ config, roles: new Set(roles), logger })
  // From this line on it can be stopped, so it listens for the signals before.
  const stopped = untilStopped(service, logger)
  logger.info(
    `${roles.join(', ')} on ${config.kafkaBrokers.join(',')}: ${service.url} answers /livez, /readyz and /metrics`,
  )
  await stopped
}

function readVersion(): string {
  const text = readFileSync(resolve(PACKAGE_ROOT, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** After this time the process ends in any case. The next start recovers unfinished work. */
const STOP_TIMEOUT_MS = 15_000

/** Returns after a clean stop by SIGTERM or SIGINT; rejects, after stopping, if a role can never run. */
export async function untilStopped(service: Service, logger: Logger): Promise<void> {
  const signalled = new Promise<string>(resolve => {
    const first = (signal: NodeJS.Signals): void => {
      resolve(signal)
      // A second signal ends the process at once.
      process.once('SIGINT', () => endProcess(130))
      process.once('SIGTERM', () => endProcess(143))
    }
    process.once('SIGTERM', first)
    process.once('SIGINT', first)
  })
  const failed = new Promise<never>((_, reject) => service.started.catch(reject))
  try {
    const signal = await Promise.race([signalled, failed])
    logger.info(`${signal}: finishing what is under way`)
  } finally {
    const timer = setTimeout(() => {
      logger.error(`did not stop within ${STOP_TIMEOUT_MS} ms`)
      endProcess(1)
    }, STOP_TIMEOUT_MS)
    await service.stop()
    clearTimeout(timer)
  }
  logger.info('stopped')
}
