import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import type { Log } from '../../src/log/log.ts'
import { connectionTo, deleteBenchTopics } from './bench-topics.ts'
import { BENCH_PREFIX } from './installation.ts'
import { watchRedis } from './redis-usage.ts'
import { startBenchBroker, startBenchRedis } from './servers.ts'
import type { Services } from './services.ts'

/** The servers of the bench: one Kafka for everything, and a Redis for each run. */
export interface BenchServers {
  readonly brokers: readonly string[]
  readonly log: Log
  /** Calls `work` with a Redis that holds nothing from an earlier run. */
  withRedis<T>(work: (redisUrl: string) => Promise<T>): Promise<T>
  /** Removes what the bench made, and stops the servers that it started. */
  stop(): Promise<void>
}

/**
 * Uses the servers in `services`, or starts new ones on this machine. With its own servers, each run gets a
 * new Redis process, so that the memory of that process is the run's alone.
 * @throws Error that says what is missing
 */
export async function openBenchServers(services?: Services): Promise<BenchServers> {
  const broker = services === undefined ? await startBenchBroker() : undefined
  const brokers = services?.brokers ?? [`127.0.0.1:${broker!.port}`]
  const log = openKafkaLog({ ...connectionTo(brokers), transactionalIdPrefix: BENCH_PREFIX })
  return {
    brokers,
    log,
    withRedis: services === undefined ? withNewRedis : work => withCleanRedis(services.redisUrl, work),
    stop: async () => {
      await log.close()
      if (broker === undefined) await deleteBenchTopics(brokers, BENCH_PREFIX)
      else await broker.stop()
    },
  }
}

async function withNewRedis<T>(work: (redisUrl: string) => Promise<T>): Promise<T> {
  const redis = await startBenchRedis()
  try {
    return await work(`redis://127.0.0.1:${redis.port}`)
  } finally {
    await redis.stop()
  }
}

async function withCleanRedis<T>(redisUrl: string, work: (redisUrl: string) => Promise<T>): Promise<T> {
  try {
    return await work(redisUrl)
  } finally {
    const redis = await watchRedis(redisUrl)
    await redis.forget(`${BENCH_PREFIX}*`)
    redis.close()
  }
}
