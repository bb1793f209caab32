import { startBroker } from './java-broker.ts'
import { fetchMavenArtifacts, MavenFetchError, missingForMaven } from './maven-artifacts.ts'
import { startRedis } from './redis-server.ts'
import type { RunningServices, UnavailableServices } from './service-addresses.ts'

/** Kafka and Redis as processes of this machine, from what Maven Central publishes. */
export async function startMavenServices(): Promise<RunningServices | UnavailableServices> {
  const missing = await missingForMaven()
  if (missing !== undefined) return { unavailable: missing }
  try {
    await fetchMavenArtifacts()
  } catch (error) {
    if (error instanceof MavenFetchError) return { unavailable: error.message }
    throw error
  }
  const [broker, redis] = await startBoth()
  return {
    kafkaBrokers: `127.0.0.1:${broker.port}`,
    redisUrl: `redis://127.0.0.1:${redis.port}`,
    source: 'maven',
    stop: async () => {
      await Promise.all([broker.stop(), redis.stop()])
    },
  }
}

async function startBoth() {
  const starting = [startBroker(), startRedis()] as const
  try {
    return await Promise.all(starting)
  } catch (error) {
    await Promise.all(starting.map(server => server.then(started => started.stop()).catch(() => {})))
    throw error
  }
}
