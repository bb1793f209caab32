import { setTimeout as sleep } from 'node:timers/promises'
import { brokerSettings } from './broker-settings.ts'
import type { RunningServices, UnavailableServices } from './service-addresses.ts'

const DETECT_TIMEOUT_MS = 5_000

/** Kafka and Redis as containers, where a container engine answers. */
export async function startDockerServices(): Promise<RunningServices | UnavailableServices> {
  const unavailable = await whyUnavailable()
  if (unavailable !== undefined) return { unavailable }
  const starting = [startKafkaContainer(), startRedisContainer()] as const
  try {
    const [kafka, redis] = await Promise.all(starting)
    return {
      kafkaBrokers: `${kafka.getHost()}:${kafka.getMappedPort(9093)}`,
      redisUrl: `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`,
      source: 'docker',
      stop: async () => {
        await Promise.all([kafka.stop(), redis.stop()])
      },
    }
  } catch (error) {
    for (const container of starting) await container.then(started => started.stop()).catch(() => {})
    throw error
  }
}

async function whyUnavailable(): Promise<string | undefined> {
  const { getContainerRuntimeClient } = await import('testcontainers')
  const timeout = new AbortController()
  try {
    return await Promise.race([
      getContainerRuntimeClient().then(() => undefined),
      sleep(DETECT_TIMEOUT_MS, 'the container engine did not answer', { signal: timeout.signal, ref: false }),
    ])
  } catch {
    return 'no container engine'
  } finally {
    timeout.abort()
  }
}

async function startKafkaContainer() {
  const { KafkaContainer } = await import('@testcontainers/kafka')
  const environment = Object.entries(brokerSettings).map(
    ([key, value]) => [`KAFKA_${key.toUpperCase().replaceAll('.', '_')}`, value] as const,
  )
  // Kafka 4.1 in Confluent's packaging, the only one whose start script KafkaContainer knows.
  return new KafkaContainer('confluentinc/cp-kafka:8.1.0')
    .withEnvironment(Object.fromEntries(environment))
    .start()
}

async function startRedisContainer() {
  const { GenericContainer } = await import('testcontainers')
  return new GenericContainer('redis:7.2.16-bookworm')
    .withCommand(['redis-server', '--save', '', '--appendonly', 'no'])
    .withExposedPorts(6379)
    .start()
}
