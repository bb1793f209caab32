import { openKafkaRedisBackend } from '../src/consumers/kafka-redis-backend.ts'
import type { ModelSource } from '../src/models/model-library.ts'
import type { Signal } from '../src/scoring/signal.ts'
import { fillLog } from './fill-log.ts'
import type { KafkaJob, Measurement } from './jobs.ts'
import { connectionTo, createBenchTopics, topicsOfRun } from './kafka-bench-topics.ts'
import { QUIET_LOGGER } from './logger.ts'
import { collectGarbage, peakRssBytes } from './measure.ts'
import { readModel } from './models.ts'
import { watchRedis } from './redis-usage.ts'
import { scoreLog } from './score-log.ts'

export type KafkaPlace = Pick<KafkaJob, 'brokers' | 'redisUrl' | 'namespace'>

export function openBenchBackend({ brokers, redisUrl, namespace }: KafkaPlace) {
  return openKafkaRedisBackend({
    kafka: {
      ...connectionTo(brokers),
      groupPrefix: `${namespace}-`,
      transactionalIdPrefix: namespace,
    },
    redis: { url: redisUrl, namespace, log: QUIET_LOGGER },
  })
}

/** Makes the topic and fills it; returns how many records it has. */
export async function fillKafka(
  place: KafkaPlace,
  signalsTopic: string,
  model: ModelSource,
  signals: Iterable<Signal>,
): Promise<number> {
  await createBenchTopics(place.brokers, [signalsTopic])
  const backend = await openBenchBackend(place)
  try {
    return await fillLog(backend.log, signalsTopic, [model], signals)
  } finally {
    await backend.close()
  }
}

/** Exactly once: a transaction a batch, then a fenced write. The state is removed again, the topics are not. */
export async function runKafka(job: KafkaJob): Promise<Measurement> {
  const { brokers, redisUrl, signalsTopic, namespace, batchSize, records } = job
  const topics = topicsOfRun(namespace, signalsTopic)
  await createBenchTopics(brokers, Object.values(topics))
  const redis = await watchRedis(redisUrl)
  const backend = await openBenchBackend(job)
  try {
    const bytesBefore = await backend.store.sizeBytes()
    const redisBefore = await redis.cpuSeconds()
    collectGarbage()
    const models = [readModel('rolling-score')]
    const scored = await scoreLog({ backend, topics, models, batchSize, records })
    const redisCpuSeconds = (await redis.cpuSeconds()) - redisBefore
    const storeBytes = (await backend.store.sizeBytes()) - bytesBefore
    return { ...scored, storeBytes, redisCpuSeconds, peakRssBytes: peakRssBytes() }
  } finally {
    await backend.close()
    await redis.forget(namespace)
    redis.close()
  }
}
