import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { expect } from 'vitest'
import { kafkaClients } from '../../src/log/kafka/client.ts'
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { createTopics } from '../../src/log/kafka/kafka-topics.ts'
import { openTransactionWriter } from '../../src/log/kafka/transactions.ts'
import { connectRedis } from '../../src/store/redis/redis-connection.ts'
import { redisStoreOn } from '../../src/store/redis/redis-store.ts'
import { logContract } from '../contract/log-contract.ts'
import { storeContract } from '../contract/store-contract.ts'
import { describeIntegration } from '../support/servers/integration.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }

describeIntegration('Kafka and Redis', ({ kafkaBrokers, redisUrl }) => {
  logContract('Kafka', async () => {
    const connection = { brokers: kafkaBrokers.split(','), clientId: 'contract', logger: silent }
    const transactionalIdPrefix = `contract-${randomUUID()}`
    const log = openKafkaLog({ ...connection, transactionalIdPrefix })
    return {
      log,
      createTopic: async partitions => {
        const name = `contract-${randomUUID()}`
        await createTopics({ ...connection, topics: [{ name, partitions }] })
        return name
      },
      abort: async records => {
        const clients = kafkaClients(connection)
        // At the second question the records are sent and the commit is not.
        const answers = [true, false]
        const writer = await openTransactionWriter(clients.create(), {
          transactionalId: randomUUID(),
          mayCommit: () => answers.shift()!,
        })
        await expect(writer.write(records)).rejects.toMatchObject({ code: 'LOG_FENCED' })
        await writer.discard()
        clients.close()
      },
      close: () => log.close(),
    }
  })

  storeContract('Redis', async () => {
    const namespace = `contract-${randomUUID()}`
    const connection = await connectRedis({ url: redisUrl, logger: silent })
    const store = redisStoreOn(connection, namespace)
    const empty = () => removeKeys(redisUrl, `upswell:${namespace}:*`)
    return {
      store,
      empty,
      inNamespace: name => redisStoreOn(connection, `${namespace}/${name}`),
      close: async () => {
        await connection.close()
        await removeKeys(redisUrl, `upswell:${namespace}*`)
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
