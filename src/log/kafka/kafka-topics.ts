import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin } from 'kafkajs'
import { isProtocolError } from '../../kafka-wire/hooks/protocol-errors.ts'
import { UpswellError } from '../../lib/errors.ts'
import type { CreatedTopics, TopicToCreate } from '../log.ts'
import { FARTHEST_TIMESTAMP } from '../topic-settings.ts'
import { type KafkaAdmin, kafkaAdmin } from './admin.ts'
import { type KafkaConnection, kafkaClients } from './client.ts'

const BROKER_DEFAULT = -1
const TIMEOUT_MS = 15_000
/** How often the brokers are asked while a topic appears or disappears. */
const POLL_MS = 50

/**
 * Does what `Log.createTopics` does, without an open log.
 * @throws UpswellError LOG_UNAVAILABLE, INVALID_SETTINGS
 */
export async function createTopics(
  options: KafkaConnection & { readonly topics: readonly TopicToCreate[] },
): Promise<CreatedTopics> {
  const clients = kafkaClients(options)
  try {
    return await createMissingTopics(kafkaAdmin(clients.create), options.topics)
  } finally {
    clients.close()
  }
}

/** See `Log.createTopics`. @throws UpswellError LOG_UNAVAILABLE, INVALID_SETTINGS */
export async function createMissingTopics(
  kafka: KafkaAdmin,
  topics: readonly TopicToCreate[],
): Promise<CreatedTopics> {
  const created: string[] = []
  const deadline = performance.now() + TIMEOUT_MS
  return await kafka.ask('create the topics', async admin => {
    const existing: string[] = []
    const present = new Set(await admin.listTopics())
    for (const topic of topics)
      if (!present.has(topic.name) && (await createTopic(admin, topic))) created.push(topic.name)
    for (const topic of topics) {
      await untilReady(admin, topic.name, deadline)
      if (!created.includes(topic.name)) existing.push(topic.name)
    }
    return { created, existing }
  })
}

/**
 * See `Log.deleteTopics`. Resolves when the brokers no longer list the topics.
 * @throws UpswellError LOG_UNAVAILABLE
 */
export async function deleteTopics(kafka: KafkaAdmin, topics: readonly string[]): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS
  const wanted = new Set(topics)
  await kafka.ask(`delete the topics ${topics.join(', ')}`, async admin => {
    const listed = async () => (await admin.listTopics()).filter(topic => wanted.has(topic))
    for (const topic of await listed())
      await admin.deleteTopics({ topics: [topic], timeout: TIMEOUT_MS }).catch((error: unknown) => {
        // Someone else has deleted it.
        if (!isProtocolError(error, 'UNKNOWN_TOPIC_OR_PARTITION')) throw error
      })
    for (let left = await listed(); left.length > 0; left = await listed()) {
      if (performance.now() > deadline)
        throw new Error(`after ${TIMEOUT_MS / 1_000} s the brokers still list ${left.join(', ')}`)
      await sleep(POLL_MS)
    }
  })
}

/** False: someone else has created it. */
async function createTopic(admin: Admin, topic: TopicToCreate): Promise<boolean> {
  const { [FARTHEST_TIMESTAMP]: farthest, ...older } = topic.config ?? {}
  if (farthest === undefined) return await createTopicWith(admin, topic, older)
  try {
    return await createTopicWith(admin, topic, { ...older, [FARTHEST_TIMESTAMP]: farthest })
  } catch (error) {
    // Brokers before 3.6 do not know the setting. What else is invalid is refused again.
    if (!isProtocolError((error as Error).cause, 'INVALID_CONFIG')) throw error
    return await createTopicWith(admin, topic, older)
  }
}

async function createTopicWith(
  admin: Admin,
  topic: TopicToCreate,
  config: Readonly<Record<string, string>>,
): Promise<boolean> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
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
      // kafkajs's own wait ends early if the broker does not know the topic yet.
      waitForLeaders: false,
      timeout: TIMEOUT_MS,
    })
  } catch (error) {
    if (isProtocolError(error, 'TOPIC_ALREADY_EXISTS')) return false
    if (isProtocolError(error, 'INVALID_REPLICATION_FACTOR'))
      throw tooManyReplicas(topic, (await admin.describeCluster()).brokers.length, error)
    for (const type of REFUSALS)
      if (isProtocolError(error, type))
        throw new UpswellError('INVALID_SETTINGS', `Kafka refused the topic ${topic.name}: ${type}`, {
          cause: error,
        })
    throw error
  }
}

/** Nothing of the topic was created. */
function tooManyReplicas({ name, replicationFactor }: TopicToCreate, brokers: number, cause: unknown) {
  const running = brokers === 1 ? '1 broker is running' : `${brokers} brokers are running`
  const asked =
    replicationFactor === undefined
      ? "the brokers' default.replication.factor asks for more"
      : `--replication-factor asks for ${replicationFactor} replicas of each partition`
  return new UpswellError(
    'INVALID_SETTINGS',
    `Kafka refused the topic ${name}: INVALID_REPLICATION_FACTOR, because ${running}, and ${asked}. At most ${brokers} is accepted: run "upswell topics create --replication-factor ${brokers}", or start more brokers`,
    { cause },
  )
}

const REFUSALS = ['INVALID_PARTITIONS', 'INVALID_CONFIG', 'INVALID_TOPIC_EXCEPTION'] as const

/** Waits until brokers know the topic and lead all its partitions. */
async function untilReady(admin: Admin, topic: string, deadline: number): Promise<void> {
  while (true) {
    try {
      // Only leaders answer this.
      await admin.fetchTopicOffsets(topic)
      return
    } catch (error) {
      if (!isOfYoungTopic(error) || performance.now() > deadline) throw error
    }
    await sleep(POLL_MS)
  }
}

/** Once kafkajs has given up, its own error wraps the broker's. */
function isOfYoungTopic(error: unknown): boolean {
  const { cause } = error as Error
  return YOUNG_TOPIC_ERRORS.some(type => isProtocolError(error, type) || isProtocolError(cause, type))
}

const YOUNG_TOPIC_ERRORS = [
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
] as const
