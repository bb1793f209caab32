import type { Admin, Kafka } from 'kafkajs'
import { READ_UNCOMMITTED, withClusterOptions } from '../../kafka-wire/hooks/kafkajs-cluster.ts'
import { isProtocolError } from '../../kafka-wire/hooks/protocol-errors.ts'
import { Backoff } from '../../lib/backoff.ts'
import { UpswellError } from '../../lib/errors.ts'
import type { GroupState, OffsetRange } from '../log.ts'
import { asLogError, topicsMissing } from './errors.ts'

/** The adapter's questions to the cluster. */
export interface KafkaAdmin {
  /** @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE */
  partitions(topic: string): Promise<number>
  /** @throws UpswellError TOPIC_MISSING, with the names of all missing topics; LOG_UNAVAILABLE */
  requireTopics(topics: readonly string[]): Promise<void>
  /** Partition → the offsets that can be read. @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE */
  offsets(topic: string): Promise<ReadonlyMap<number, OffsetRange>>
  /**
   * The group's committed offset. Fence the group's writers first: a transaction may still be on its way.
   * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE
   */
  groupOffset(group: string, topic: string, partition: number): Promise<OffsetRange & { committed: number }>
  /** See `Log.topics`. */
  topics(): Promise<string[]>
  /** See `Log.group`. */
  group(group: string, topic: string): Promise<GroupState>
  /** The members that the group's coordinator knows now. @throws UpswellError LOG_UNAVAILABLE */
  groupMembers(group: string): Promise<readonly { readonly memberId: string; readonly clientHost: string }[]>
  /** See `Log.deleteGroup`. */
  deleteGroup(group: string): Promise<void>
  /**
   * Asks any other question. `doing` completes "could not …". Errors that pass in a moment lead to a new
   * attempt.
   * @throws UpswellError as `asLogError` maps it
   */
  ask<T>(doing: string, question: (admin: Admin) => Promise<T>): Promise<T>
  /** @throws UpswellError LOG_UNAVAILABLE */
  ping(): Promise<void>
}

/**
 * Opens a new connection for each question. A kept one is a few ms faster, but one question harms the next:
 * kafkajs reads the metadata of all topics it was ever asked about, and fails for every topic once one of
 * them is deleted.
 */
export function kafkaAdmin(createKafka: () => Kafka): KafkaAdmin {
  // By default kafkajs takes the last stable offset for the end. A transaction whose commit was just
  // confirmed is not below that offset yet, since the broker still has to write its markers.
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
      ask(`read the offset of ${group} in ${topic}/${partition}`, async admin => {
        const range = (await rangesOf(admin, topic)).get(partition)
        if (range === undefined)
          throw new UpswellError('LOG_UNAVAILABLE', `${topic}/${partition} is gone`, { canRetry: true })
        const [answer] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
        const found = answer?.partitions.find(each => each.partition === partition)
        // −1: nothing was committed.
        return {
          ...range,
          committed: Math.max(0, Number(found?.offset ?? -1)),
          metadata: found?.metadata || undefined,
        }
      }),

    topics: () => ask('list the topics', admin => admin.listTopics()),

    group: (group, topic) =>
      ask(`read the offsets of ${group} in ${topic}`, async admin => {
        const { groups } = await admin.describeGroups([group])
        // It asks about all topics: a question about a missing one fails.
        const offsets = await admin.fetchOffsets({ groupId: group })
        const found = offsets.find(each => each.topic === topic)?.partitions ?? []
        // −1: nothing was committed.
        const committed = found.filter(({ offset }) => Number(offset) >= 0)
        return {
          isConsuming: groups.some(({ members, state }) => isActive(state) && members.length > 0),
          committed: new Map(committed.map(({ partition, offset }) => [partition, Number(offset)])),
          metadata: new Map(
            committed.flatMap(({ partition, metadata }) => (metadata ? [[partition, metadata]] : [])),
          ),
        }
      }),

    groupMembers: group =>
      ask(`read the members of ${group}`, async admin => {
        const { groups } = await admin.describeGroups([group])
        return groups.flatMap(({ members }) => members)
      }),

    deleteGroup: group =>
      ask(`delete the group ${group}`, async admin => {
        await admin.deleteGroups([group]).catch((error: Error & DeleteGroupsFailure) => {
          // kafkajs's own message has no reason.
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

/** Brokers answer these while a leader or a coordinator changes; they pass in a moment. */
const PASSING_ERRORS = [
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
] as const
const ATTEMPTS = 5
const FIRST_WAIT_MS = 100

async function askPatiently<T>(ask: () => Promise<T>): Promise<T> {
  const backoff = new Backoff({ firstMs: FIRST_WAIT_MS })
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (attempt === ATTEMPTS || !PASSING_ERRORS.some(type => isProtocolError(error, type))) throw error
      await backoff.wait()
    }
  }
}

async function askOnce<T>(kafka: Kafka, doing: string, question: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  try {
    await admin.connect()
    return await question(admin)
  } catch (error) {
    // If no broker answers, kafkajs reads fields of a null.
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
