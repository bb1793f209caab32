import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { openKafkaLog } from '../../src/consumers/kafka-log.ts'
import { createTopics } from '../../src/consumers/kafka-topics.ts'
import { openRedisStore } from '../../src/store/redis-store.ts'
import { logContract } from '../contract/log-contract.ts'
import { storeContract } from '../contract/store-contract.ts'
import { describeIntegration } from '../support/integration.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }

describeIntegration('Kafka and Redis', ({ kafkaBrokers, redisUrl }) => {
  logContract('Kafka', async () => {
    const connection = { brokers: kafkaBrokers.split(','), clientId: 'contract', log: silent }
    const transactionalIdPrefix = `contract-${randomUUID()}`
    const log = openKafkaLog({ ...connection, transactionalIdPrefix })
    return {
      log,
      createTopic: async partitions => {
        const name = `contract-${randomUUID()}`
        await createTopics({ ...connection, topics: [{ name, partitions }] })
        return name
      },
      close: () => log.close(),
    }
  })

  storeContract('Redis', async () => {
    const namespace = `contract-${randomUUID()}`
    const store = await openRedisStore({ url: redisUrl, namespace, log: silent })
    const empty = () => removeKeys(redisUrl, `upswell:${namespace}:*`)
    return {
      store,
      empty,
      close: async () => {
        await store.close()
        await empty()
      },
    }
  })
})

async function removeKeys(redisUrl: string, pattern: string): Promise<void> {
  const redis = new Redis(redisUrl)
  try {
    for await (const keys of redis.scanStream({ match: pattern, count: 1_000 }))
      if (keys.length > 0) await redis.del(keys)
  } finally {
    redis.disconnect()
  }
}
