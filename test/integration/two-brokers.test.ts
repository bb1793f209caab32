import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kafkaClients } from '../../src/log/kafka/client.ts'
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { openTransactionWriter } from '../../src/log/kafka/transactions.ts'
import type { Log } from '../../src/log/log.ts'
import { silent } from '../support/log-handlers.ts'
import { startTwoBrokers } from '../support/servers/java-broker.ts'
import { missingForMaven } from '../support/servers/maven-artifacts.ts'
import type { ServerProcess } from '../support/servers/server-process.ts'

const TOPIC = 'of-two-brokers'
const PARTITIONS = 8
const TRANSACTIONS = 300

describe.skipIf((await missingForMaven()) !== undefined)('a cluster of two brokers', () => {
  let brokers: readonly ServerProcess[] = []
  let log: Log
  let clients: ReturnType<typeof kafkaClients>

  beforeAll(async () => {
    brokers = await startTwoBrokers()
    const connection = {
      brokers: brokers.map(({ port }) => `127.0.0.1:${port}`),
      clientId: 'two-brokers',
      logger: silent,
    }
    clients = kafkaClients(connection)
    log = openKafkaLog({ ...connection, transactionalIdPrefix: 'two-brokers' })
    await log.createTopics([{ name: TOPIC, partitions: PARTITIONS, config: {} }])
  })
  afterAll(async () => {
    await log?.close()
    clients?.close()
    await Promise.all(brokers.map(broker => broker.stop()))
  })

  test('holds each record of many transactions once, with the records of a transaction together', async () => {
    const kafka = clients.create()
    const admin = kafka.admin()
    await admin.connect()
    const { topics } = await admin.fetchTopicMetadata({ topics: [TOPIC] })
    expect(new Set(topics[0]!.partitions.map(({ leader }) => leader))).toEqual(new Set([1, 2]))
    await admin.disconnect()

    const writer = await openTransactionWriter(kafka, {
      transactionalId: 'two-brokers-1',
      mayCommit: () => true,
    })
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)
    for (let i = 0; i < TRANSACTIONS; i++) {
      const records = partitions.map(partition => ({ topic: TOPIC, partition, key: 'k', value: `${i}` }))
      const positions = await writer.write(records)
      expect(positions.map(({ partition }) => partition)).toEqual(partitions)
    }
    await writer.discard()

    const times = new Map<string, number>()
    for await (const { partition, value } of log.readAll(TOPIC)) {
      const record = `${partition}: ${value}`
      times.set(record, (times.get(record) ?? 0) + 1)
    }
    expect([...times].filter(([, count]) => count !== 1)).toEqual([])
    expect(times.size).toBe(TRANSACTIONS * PARTITIONS)
  })
})
