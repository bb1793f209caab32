import { startBenchBroker, startBenchRedis } from './servers.ts'

export interface Services {
  readonly brokers: readonly string[]
  readonly redisUrl: string
  stop(): Promise<void>
}

/**
 * The named Kafka and Redis, else KAFKA_BROKERS and REDIS_URL, else new ones on this machine.
 * @throws Error that says what is missing
 */
export async function findServices(named: { brokers?: string; redis?: string }): Promise<Services> {
  const existing = namedServices(named)
  if (existing !== undefined) return existing
  const broker = await startBenchBroker()
  try {
    const redis = await startBenchRedis()
    return {
      brokers: [`127.0.0.1:${broker.port}`],
      redisUrl: `redis://127.0.0.1:${redis.port}`,
      stop: async () => {
        await Promise.all([broker.stop(), redis.stop()])
      },
    }
  } catch (error) {
    await broker.stop()
    throw error
  }
}

/**
 * Undefined if none are named.
 * @throws Error if only one of the two is
 */
export function namedServices(named: { brokers?: string; redis?: string }): Services | undefined {
  const brokers = named.brokers ?? process.env['KAFKA_BROKERS']
  const redisUrl = named.redis ?? process.env['REDIS_URL']
  if (brokers && redisUrl) return { brokers: brokers.split(','), redisUrl, stop: async () => {} }
  if (brokers || redisUrl) throw new Error('name both a Kafka and a Redis, or neither')
  return undefined
}
