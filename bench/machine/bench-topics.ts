import { setTimeout as sleep } from 'node:timers/promises'
import { kafkaClients } from '../../src/log/kafka/client.ts'
import { createTopics } from '../../src/log/kafka/kafka-topics.ts'
import type { TopicToCreate } from '../../src/log/log.ts'
import { type TopicNames, topicNames } from '../../src/log/topic-names.ts'
import { PARTITIONS } from '../jobs/jobs.ts'
import { QUIET_LOGGER } from '../logger.ts'

const CLIENT_ID = 'upswell-bench'

export function connectionTo(brokers: readonly string[]) {
  return { brokers, clientId: CLIENT_ID, logger: QUIET_LOGGER }
}

/** The topics of one run: its own for outputs, a shared one for signals. */
export function topicsOfRun(namespace: string, signalsTopic: string): TopicNames {
  return { ...topicNames(`${namespace}-`), signals: signalsTopic }
}

export async function createBenchTopics(brokers: readonly string[], names: readonly string[]): Promise<void> {
  await createTopics({
    ...connectionTo(brokers),
    // The signals' own times are in the past: retention by age would delete them.
    topics: names.map(name => ({ name, partitions: PARTITIONS, config: { 'retention.ms': '-1' } })),
  })
}

/** Deletes these topics if they exist, and creates all of them, empty. */
export async function recreateTopics(
  brokers: readonly string[],
  topics: readonly TopicToCreate[],
): Promise<void> {
  const clients = kafkaClients(connectionTo(brokers))
  const admin = clients.create().admin()
  try {
    await admin.connect()
    const names = new Set(topics.map(({ name }) => name))
    const listed = async () => (await admin.listTopics()).filter(name => names.has(name))
    const old = await listed()
    if (old.length > 0) await admin.deleteTopics({ topics: old })
    while ((await listed()).length > 0) await sleep(20)
  } finally {
    await admin.disconnect()
    clients.close()
  }
  await createTopics({ ...connectionTo(brokers), topics })
}

/**
 * Deletes the topics and groups whose names begin with the prefix. Kafka deletes a group only after its
 * members have left.
 */
export async function deleteBenchTopics(brokers: readonly string[], prefix: string): Promise<void> {
  const clients = kafkaClients(connectionTo(brokers))
  const admin = clients.create().admin()
  try {
    await admin.connect()
    const topics = (await admin.listTopics()).filter(name => name.startsWith(prefix))
    if (topics.length > 0) await admin.deleteTopics({ topics })
    const { groups } = await admin.listGroups()
    const ours = groups.map(({ groupId }) => groupId).filter(group => group.startsWith(prefix))
    if (ours.length > 0) await admin.deleteGroups(ours)
  } finally {
    await admin.disconnect()
    clients.close()
  }
}
