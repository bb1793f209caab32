import type { Admin, ConfigResourceTypes } from 'kafkajs'
import { isProtocolError } from '../../kafka-wire/hooks/protocol-errors.ts'
import { type FoundTopic, type TopicDifference, topicDifferences } from '../topic-differences.ts'
import type { WantedTopic } from '../topic-settings.ts'
import { type KafkaAdmin, kafkaAdmin } from './admin.ts'
import { type KafkaConnection, kafkaClients } from './client.ts'

/** Node finds no export of this name in kafkajs, only the compiler does. */
const TOPIC: ConfigResourceTypes.TOPIC = 2

export interface FoundTopics {
  /** How many brokers the cluster has. */
  readonly brokers: number
  /** Those that exist, in the order asked. */
  readonly topics: readonly FoundTopic[]
}

/**
 * How the topics that exist differ from the wanted ones, without an open log.
 * @throws UpswellError LOG_UNAVAILABLE
 */
export async function compareTopics(
  options: KafkaConnection & { readonly topics: readonly WantedTopic[] },
): Promise<TopicDifference[]> {
  const clients = kafkaClients(options)
  try {
    const names = options.topics.map(({ name }) => name)
    const found = await describeTopics(kafkaAdmin(clients.create), names)
    return topicDifferences(options.topics, found.topics, found.brokers)
  } finally {
    clients.close()
  }
}

/** Reads partitions, replicas and settings of the topics that exist. @throws UpswellError LOG_UNAVAILABLE */
export async function describeTopics(kafka: KafkaAdmin, names: readonly string[]): Promise<FoundTopics> {
  return await kafka.ask('read the settings of the topics', async admin => {
    const { brokers } = await admin.describeCluster()
    const present = new Set(await admin.listTopics())
    const existing = names.filter(name => present.has(name))
    if (existing.length === 0) return { brokers: brokers.length, topics: [] }
    const { topics } = await admin.fetchTopicMetadata({ topics: existing })
    const layout = new Map(topics.map(({ name, partitions }) => [name, partitions]))
    const found: FoundTopic[] = []
    for (const name of existing) {
      const partitions = layout.get(name)!
      found.push({
        name,
        partitions: partitions.length,
        replicationFactor: Math.min(...partitions.map(({ replicas }) => replicas.length)),
        config: await settingsOf(admin, name),
      })
    }
    return { brokers: brokers.length, topics: found }
  })
}

/** Undefined: this user may not read them. */
async function settingsOf(admin: Admin, name: string): Promise<FoundTopic['config']> {
  try {
    const { resources } = await admin.describeConfigs({
      resources: [{ type: TOPIC, name }],
      includeSynonyms: false,
    })
    const entries = resources[0]!.configEntries
    return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]))
  } catch (error) {
    if (FORBIDDEN.some(type => isProtocolError(error, type))) return undefined
    throw error
  }
}

const FORBIDDEN = ['TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED'] as const
