import { join } from 'node:path'
import { PACKAGE_ROOT } from '../src/config.ts'

export interface Services {
  readonly brokers: readonly string[]
  readonly redisUrl: string
  stop(): Promise<void>
}

/**
 * The Kafka and the Redis that were named, else those of KAFKA_BROKERS and REDIS_URL, else new ones of this machine, from the
 * artifacts that the tests use.
 * @throws Error with what is missing for that
 */
export async function findServices(named: { brokers?: string; redis?: string }): Promise<Services> {
  const brokers = named.brokers ?? process.env['KAFKA_BROKERS']
  const redisUrl = named.redis ?? process.env['REDIS_URL']
  if (brokers && redisUrl) return { brokers: brokers.split(','), redisUrl, stop: async () => {} }
  if (brokers || redisUrl) throw new Error('a Kafka and a Redis are named together, or neither is')
  const started = await startServices()
  if ('unavailable' in started)
    throw new Error(`no Kafka and no Redis: ${started.unavailable}. Name them: --brokers, --redis`)
  const { kafkaBrokers, stop } = started
  return { brokers: kafkaBrokers.split(','), redisUrl: started.redisUrl, stop }
}

async function startServices() {
  // It finds its POM and what Maven fetched by its own place in the sources, so it is run from there.
  const { runnerImport } = await import('vite')
  const { module } = await runnerImport<typeof import('../test/support/maven-services.ts')>(
    join(PACKAGE_ROOT, 'test/support/maven-services.ts'),
    { configFile: false, logLevel: 'error', root: PACKAGE_ROOT },
  )
  return await module.startMavenServices()
}
