import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin } from 'kafkajs'
import { UpswellError } from '../errors.ts'
import { type KafkaConnection, kafkaClients } from './kafka-client.ts'
import { asLogError, isProtocolError } from './kafka-errors.ts'

export interface TopicToCreate {
  readonly name: string
  readonly partitions: number
  /** The broker's default if left out. */
  readonly replicationFactor?: number
  /** As in `kafka-topics.sh --config`. */
  readonly config?: Readonly<Record<string, string>>
}

export interface CreatedTopics {
  readonly created: readonly string[]
  readonly existing: readonly string[]
  /** Existing with another number of partitions than asked for; they were left alone, since more partitions would move accounts. */
  readonly different: readonly {
    readonly name: string
    readonly partitions: number
    readonly wanted: number
  }[]
}

const BROKER_DEFAULT = -1
const CREATE_TIMEOUT_MS = 15_000

/**
 * Creates the topics that are missing; existing ones are only looked at.
 * @throws UpswellError LOG_UNAVAILABLE
 */
export async function createTopics(
  options: KafkaConnection & { readonly topics: readonly TopicToCreate[] },
): Promise<CreatedTopics> {
  const clients = kafkaClients(options)
  const admin = clients.create().admin()
  const created: string[] = []
  const existing: string[] = []
  const different: { name: string; partitions: number; wanted: number }[] = []
  try {
    await admin.connect()
    const present = new Set(await admin.listTopics())
    for (const topic of options.topics)
      if (!present.has(topic.name) && (await createTopic(admin, topic))) created.push(topic.name)
    for (const topic of options.topics) {
      const partitions = await partitionsWhenReady(admin, topic.name)
      if (created.includes(topic.name)) continue
      existing.push(topic.name)
      if (partitions !== topic.partitions)
        different.push({ name: topic.name, partitions, wanted: topic.partitions })
    }
    return { created, existing, different }
  } catch (error) {
    throw asLogError(error, 'create the topics')
  } finally {
    await admin.disconnect().catch(() => {})
    clients.close()
  }
}

/** False: someone else was faster. */
async function createTopic(admin: Admin, topic: TopicToCreate): Promise<boolean> {
  const configEntries = Object.entries(topic.config ?? {}).map(([name, value]) => ({ name, value }))
  try {
    return await admin.createTopics({
      topics: [
        {
          topic: topic.name,
          numPartitions: topic.partitions,
          replicationFactor: topic.replicationFactor ?? BROKER_DEFAULT,
          configEntries,
        },
      ],
      // kafkajs does not wait where the broker has not heard of the topic yet.
      waitForLeaders: false,
      timeout: CREATE_TIMEOUT_MS,
    })
  } catch (error) {
    for (const type of ['INVALID_REPLICATION_FACTOR', 'INVALID_CONFIG', 'INVALID_TOPIC_EXCEPTION'])
      if (isProtocolError(error, type))
        throw new UpswellError('INVALID_SETTINGS', `Kafka refused the topic ${topic.name}: ${type}`, {
          cause: error,
        })
    throw error
  }
}

/** Waits until the brokers have heard of the topic and lead all its partitions, and answers with their number. */
async function partitionsWhenReady(admin: Admin, topic: string): Promise<number> {
  const deadline = performance.now() + CREATE_TIMEOUT_MS
  while (true) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      // Only the leaders answer this.
      await admin.fetchTopicOffsets(topic)
      return topics[0]!.partitions.length
    } catch (error) {
      if (!YOUNG_TOPIC_ERRORS.some(type => isProtocolError(error, type)) || performance.now() > deadline)
        throw error
    }
    await sleep(50)
  }
}

const YOUNG_TOPIC_ERRORS = [
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
] as const
