import { startDockerServices } from './docker-services.ts'
import { startMavenServices } from './maven-services.ts'
import type { RunningServices, UnavailableServices } from './service-addresses.ts'

/**
 * A real Kafka and a real Redis: the ones that KAFKA_BROKERS and REDIS_URL name, else containers, else
 * processes from Maven's artifacts.
 *
 * @throws Error when there is a way to have them but they do not come up
 */
export async function startServices(): Promise<RunningServices | UnavailableServices> {
  const { KAFKA_BROKERS: kafkaBrokers, REDIS_URL: redisUrl } = process.env
  if (kafkaBrokers && redisUrl) return { kafkaBrokers, redisUrl, source: 'environment', stop: async () => {} }

  const docker = await startDockerServices()
  if (!('unavailable' in docker)) return docker

  const maven = await startMavenServices()
  if (!('unavailable' in maven)) return maven

  return { unavailable: `Docker: ${docker.unavailable}. Java and Maven: ${maven.unavailable}.` }
}
