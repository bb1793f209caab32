import { expect, test } from 'vitest'
import { protocolError } from '../../../src/kafka-wire/hooks/protocol-errors.ts'
import type { KafkaAdmin } from '../../../src/log/kafka/admin.ts'
import { createMissingTopics } from '../../../src/log/kafka/kafka-topics.ts'

const NOT_LEADER_FOR_PARTITION = 6

test('waits for the leaders of many partitions, however kafkajs reports that there are none yet', async () => {
  const young = protocolError(NOT_LEADER_FOR_PARTITION)
  const failures = [young, new Error('kafkajs has given up', { cause: young })]
  let asked = 0
  const admin = {
    listTopics: async () => [],
    createTopics: async () => true,
    fetchTopicOffsets: async () => {
      const failure = failures[asked++]
      if (failure !== undefined) throw failure
      return []
    },
  }
  const kafka = {
    ask: (_: string, question: (asking: unknown) => Promise<unknown>) => question(admin),
  } as unknown as KafkaAdmin
  const created = await createMissingTopics(kafka, [{ name: 'signals', partitions: 100 }])
  expect([created, asked]).toEqual([{ created: ['signals'], existing: [] }, 3])
})
