import type { Consumer, Kafka } from 'kafkajs'
import { asGroupMember } from '../../kafka-wire/hooks/group-member.ts'
import { deferred } from '../../lib/deferred.ts'
import { settlesWithin } from '../../lib/waiting.ts'

export interface GroupConsumerOptions {
  /** Only for this consumer. */
  readonly kafka: Kafka
  readonly group: string
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
  /** See `GroupMember`. */
  readonly instanceId: string | undefined
  /** Whether this process leaves the group for good when the consumer ends. */
  readonly isLeaving: () => boolean
}

/** What a consumer reports. Nothing comes from a consumer that was given up. */
export interface GroupConsumerEvents {
  /** It begins to join. */
  joining(): void
  /** The group distributes its partitions again, and waits for this member too. */
  rebalancing(): void
  /** Called in the same step in which kafkajs learns its assignment: topic → partitions. */
  joined(assignment: Readonly<Record<string, readonly number[]>>): void
  /** A heartbeat was answered. */
  heard(): void
}

/** The group waits this long for a member that works on a batch. */
export const REBALANCE_TIMEOUT_MS = 60_000
/** A new member waits until a heartbeat of each other member has noticed it. kafkajs's default is 3 s. */
const HEARTBEAT_INTERVAL_MS = 1_000
/** kafkajs fetches nothing here. This is how often it checks whether a heartbeat is due. */
const HEARTBEAT_CHECK_MS = 250
const DISCONNECT_TIMEOUT_MS = 3_000

/**
 * A consumer of kafkajs that only joins a group and sends heartbeats; its partitions stay paused for ever.
 */
export class GroupConsumer {
  /** Resolves with the reason when the consumer is of no more use. */
  readonly ended: Promise<unknown>
  readonly #consumer: Consumer
  readonly #starting: Promise<void>
  #isJoining = false
  #isGivenUp = false

  constructor(options: GroupConsumerOptions, events: GroupConsumerEvents) {
    const { group, instanceId, isLeaving, kafka, sessionTimeoutMs, topics } = options
    const member = asGroupMember(kafka, {
      instanceId,
      beforeJoin: () => {
        // With the same instance id it would take the place of the next consumer.
        if (this.#isGivenUp) throw new Error('this consumer was given up')
        this.#isJoining = true
        events.joining()
      },
      // With an instance id, the next consumer gets this one's place. Without one it gets a place of its own,
      // and the group would wait for this one.
      leaves: () => instanceId === undefined || isLeaving(),
    })
    this.#consumer = member.consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_INTERVAL_MS,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: HEARTBEAT_CHECK_MS,
      // kafkajs does not restart by itself, so that all failures are handled in one place.
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8, restartOnFailure: async () => false },
    })
    const crashed = this.#watch(topics, events)
    this.#starting = this.#start(topics)
    this.ended = this.#starting.then(
      () => crashed,
      (error: unknown) => error,
    )
  }

  /** Reports nothing more, and closes the connections; waits 3 s at most. */
  async giveUp(): Promise<void> {
    this.#isGivenUp = true
    // kafkajs ignores a disconnect during a join, so it gets another one after the join.
    void this.#starting.catch(() => {}).then(() => this.#disconnect())
    await settlesWithin(DISCONNECT_TIMEOUT_MS, this.#disconnect())
  }

  async #disconnect(): Promise<void> {
    await this.#consumer.disconnect().catch(() => {})
  }

  /** Resolves when kafkajs has joined the group, or has given up and reported a crash. */
  async #start(topics: readonly string[]): Promise<void> {
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await this.#consumer.run({ autoCommit: false })
  }

  #watch(topics: readonly string[], events: GroupConsumerEvents): Promise<unknown> {
    const consumer = this.#consumer
    const { CRASH, FETCH_START, GROUP_JOIN, HEARTBEAT, REBALANCING } = consumer.events
    const ended = deferred<unknown>()
    consumer.on(HEARTBEAT, () => {
      if (!this.#isGivenUp) events.heard()
    })
    consumer.on(REBALANCING, () => {
      if (!this.#isGivenUp) events.rebalancing()
    })
    consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#isJoining = false
      if (this.#isGivenUp) return
      consumer.pause(topics.map(topic => ({ topic })))
      events.joined(payload.memberAssignment)
    })
    // Its join failed, and kafkajs continues as the old member or as none. Others may own its partitions.
    consumer.on(FETCH_START, () => {
      if (this.#isJoining) ended.resolve(new Error('the group could not be joined again'))
    })
    consumer.on(CRASH, ({ payload }) => ended.resolve(payload.error))
    return ended.promise
  }
}
