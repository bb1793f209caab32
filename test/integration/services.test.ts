import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { expect, it } from 'vitest'
import { describeIntegration } from '../support/servers/integration.ts'

describeIntegration('the services of the integration tests', ({ kafkaBrokers, redisUrl }) => {
  it('Kafka hands a produced record to a consumer', async () => {
    const kafka = new Kafka({ brokers: kafkaBrokers.split(','), logLevel: logLevel.ERROR })
    const topic = `services-${randomUUID()}`
    const admin = kafka.admin()
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    const consumer = kafka.consumer({ groupId: topic })
    try {
      await admin.connect()
      await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true })
      await producer.connect()
      await producer.send({ topic, messages: [{ key: 'acme', value: 'login' }] })
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      const record = await new Promise<string>((resolve, reject) => {
        consumer
          .run({ eachMessage: async ({ message }) => resolve(`${message.key} ${message.value}`) })
          .catch(reject)
      })
      expect(record).toBe('acme login')
    } finally {
      await Promise.all([consumer.disconnect(), producer.disconnect()])
      await admin.deleteTopics({ topics: [topic] })
      await admin.disconnect()
    }
  })

  it('Redis answers PING and runs a Lua script', async () => {
    const redis = new Redis(redisUrl)
    const key = `services-${randomUUID()}`
    try {
      expect(await redis.ping()).toBe('PONG')
      const script = "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])"
      expect(await redis.eval(script, 1, key, 'kept')).toBe('kept')
    } finally {
      await redis.del(key)
      await redis.quit()
    }
  })
})
