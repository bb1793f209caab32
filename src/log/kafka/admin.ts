import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin, Kafka } from 'kafkajs'
import { READ_UNCOMMITTED, withClusterOptions } from '../../kafka-wire/cluster.ts'
import { UpswellError } from '../../lib/errors.ts'
import type { GroupState, OffsetRange } from '../log.ts'
import { asLogError, isProtocolError, topicsMissing } from './errors.ts'

/** What the adapter asks the cluster. */
export interface KafkaAdmin {
  /** @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE */
  partitions(topic: string): Promise<number>
  /** @throws UpswellError TOPIC_MISSING, naming all that are; LOG_UNAVAILABLE */
  requireTopics(topics: readonly string[]): Promise<void>
  /** What can be read of every partition. @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE */
  offsets(topic: string): Promise<ReadonlyMap<number, OffsetRange>>
  /** Where a group stands. Fence its writers first, or a transaction may still be on its way. @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE */
  groupOffset(group: string, topic: string, partition: number): Promise<OffsetRange & { committed: number }>
  /** As `Log.topics`. */
  topics(): Promise<string[]>
  /** As `Log.group`. */
  group(group: string, topic: string): Promise<GroupState>
  /** As `Log.deleteGroup`. */
  deleteGroup(group: string): Promise<void>
  /** Asks something else. `doing` completes "could not …". What passes in a moment is asked again. @throws UpswellError, as `asLogError` makes it */
  ask<T>(doing: string, question: (admin: Admin) => Promise<T>): Promise<T>
  /** @throws UpswellError LOG_UNAVAILABLE */
  ping(): Promise<void>
}

/**
 * Asks on a connection of its own each time. A kept one is a few ms faster, but one question harms the next: kafkajs reads the metadata of all topics
 * ever asked about, and fails for every topic once one of them is deleted.
 */
export function kafkaAdmin(createKafka: () => Kafka): KafkaAdmin {
  // By itself it sees the last stable offset as the end: a transaction whose commit was just answered is not below that yet, since the broker still has
  // to write its markers.
  const kafka = withClusterOptions(createKafka(), { isolationLevel: READ_UNCOMMITTED })
  const ask = <T>(doing: string, question: (admin: Admin) => Promise<T>) =>
    askPatiently(() => askOnce(kafka, doing, question))
  return {
    partitions: topic =>
      ask(`read the partitions of ${topic}`, async admin => (await partitionsOf(admin, topic)).length),

    requireTopics: topics =>
      ask(`look for the topics ${topics.join(', ')}`, async admin => {
        const present = new Set(await admin.listTopics())
        const missing = topics.filter(topic => !present.has(topic))
        if (missing.length > 0) throw topicsMissing(missing)
      }),

    offsets: topic => ask(`read the offsets of ${topic}`, admin => rangesOf(admin, topic)),

    groupOffset: (group, topic, partition) =>
      ask(`read where ${group} stands in ${topic}/${partition}`, async admin => {
        const range = (await rangesOf(admin, topic)).get(partition)
        if (range === undefined)
          throw new UpswellError('LOG_UNAVAILABLE', `${topic}/${partition} is gone`, { canRetry: true })
        const [answer] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
        const found = answer?.partitions.find(each => each.partition === partition)
        // -1: nothing was committed.
        return {
          ...range,
          committed: Math.max(0, Number(found?.offset ?? -1)),
          metadata: found?.metadata || undefined,
        }
      }),

    topics: () => ask('list the topics', admin => admin.listTopics()),

    group: (group, topic) =>
      ask(`read where ${group} stands in ${topic}`, async admin => {
        const { groups } = await admin.describeGroups([group])
        // Of all topics: asked about one that is missing, it would fail.
        const offsets = await admin.fetchOffsets({ groupId: group })
        const found = offsets.find(each => each.topic === topic)?.partitions ?? []
        // -1: nothing was committed.
        const committed = found.filter(({ offset }) => Number(offset) >= 0)
        return {
          isConsuming: groups.some(({ members, state }) => isActive(state) && members.length > 0),
          committed: new Map(committed.map(({ partition, offset }) => [partition, Number(offset)])),
          metadata: new Map(
            committed.flatMap(({ partition, metadata }) => (metadata ? [[partition, metadata]] : [])),
          ),
        }
      }),

    deleteGroup: group =>
      ask(`delete the group ${group}`, async admin => {
        await admin.deleteGroups([group]).catch((error: Error & DeleteGroupsFailure) => {
          // kafkajs' own message says nothing.
          const reason = error.groups?.[0]?.error ?? error
          if (!isProtocolError(reason, 'GROUP_ID_NOT_FOUND')) throw reason
        })
      }),

    ask,

    ping: async () => {
      await ask('reach Kafka', admin => admin.describeCluster())
    },
  }
}

interface DeleteGroupsFailure {
  readonly groups?: readonly { readonly error?: Error }[]
}

function isActive(state: string): boolean {
  return state !== 'Empty' && state !== 'Dead'
}

/** What a broker answers while a leader or a coordinator changes; it passes in a moment. */
const PASSING_ERRORS = [
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
] as const
const ATTEMPTS = 5

async function askPatiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (attempt === ATTEMPTS || !PASSING_ERRORS.some(type => isProtocolError(error, type))) throw error
      await sleep(50 * 2 ** attempt)
    }
  }
}

async function askOnce<T>(kafka: Kafka, doing: string, question: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  try {
    await admin.connect()
    return await question(admin)
  } catch (error) {
    // Where every broker fails to answer, kafkajs reads fields of a null.
    const cause = error instanceof TypeError ? new Error('no broker answered', { cause: error }) : error
    throw asLogError(cause, doing)
  } finally {
    void admin.disconnect().catch(() => {})
  }
}

async function partitionsOf(admin: Admin, topic: string) {
  return namingTopic(topic, async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    return topics[0]!.partitions
  })
}

async function rangesOf(admin: Admin, topic: string): Promise<Map<number, OffsetRange>> {
  const offsets = await namingTopic(topic, () => admin.fetchTopicOffsets(topic))
  return new Map(
    offsets.map(({ partition, low, high }) => [partition, { first: Number(low), end: Number(high) }]),
  )
}

/** Kafka's answer to a missing topic does not name it. */
async function namingTopic<T>(topic: string, question: () => Promise<T>): Promise<T> {
  try {
    return await question()
  } catch (error) {
    throw isProtocolError(error, 'UNKNOWN_TOPIC_OR_PARTITION') ? topicsMissing([topic]) : error
  }
}
