import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, Kafka } from 'kafkajs'
import { createCluster, type KafkaCluster } from '../../kafka-wire/cluster.ts'
import { PartitionFetcher } from '../../kafka-wire/fetch-partition.ts'
import { describeError, isUpswellError, UpswellError } from '../../lib/errors.ts'
import type { Logger } from '../../lib/logger.ts'
import type { ConsumeOptions, Consumption } from '../log.ts'
import type { KafkaAdmin } from './admin.ts'
import { fetchAhead, type RecordSource } from './fetch-ahead.ts'
import { type FetchSettings, fetchLimits } from './fetch-settings.ts'
import { PartitionConsumer } from './partition.ts'
import { settlesWithin, untilAborted } from './time.ts'
import { openTransactionWriter } from './transactions.ts'

export interface ConsumptionContext {
  readonly createKafka: () => Kafka
  readonly admin: KafkaAdmin
  readonly logger: Logger
  readonly group: string
  readonly transactionalIdPrefix: string
  readonly sessionTimeoutMs: number
  readonly fetch: FetchSettings
}

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 5_000
/** A new member waits until the others have seen at a heartbeat that it is there; kafkajs' default is 3 s. */
const HEARTBEAT_INTERVAL_MS = 1_000
const REBALANCE_TIMEOUT_MS = 60_000
/** How long a handler may go on with what it has in hand once the consumption stops. */
const GRACE_MS = 10_000
const DISCONNECT_TIMEOUT_MS = 3_000
/** kafkajs fetches nothing: this is how often it looks whether a heartbeat is due. */
const HEARTBEAT_CHECK_MS = 250

/**
 * One group membership, kept up for as long as the consumption lasts.
 *
 * It consists of consumers, one after the other: where kafkajs gives one up (it calls that a crash), or nothing was heard of it for too long, or Kafka cannot be reached,
 * the next is made after a while (100 ms, doubling to 5 s). A consumer is only the membership: it joins and sends heartbeats, its partitions are paused for ever. Each
 * consumer goes through generations of the group. A generation begins with kafkajs' GROUP_JOIN event: there, before anything can be fetched, all partitions are paused,
 * the owners of the generation before are ended, and each partition gets an owner of its own, which fences, finds its offset and fetches (partition.ts). When kafkajs learns that
 * the group shares its partitions out anew, the owners finish the call under way and wait for the next generation.
 */
export class GroupConsumption implements Consumption {
  /** Resolves when the group was joined for the first time; rejects if a topic is missing then, or if it is stopped before. */
  readonly joined: Promise<void>
  readonly #context: ConsumptionContext
  readonly #options: ConsumeOptions
  readonly #stopping = new AbortController()
  readonly #stopped = untilAborted(this.#stopping.signal)
  readonly #running: Promise<void>
  /** By topic and partition: the owner of the last generation that had it; the next one waits for it to let go. */
  readonly #owners = new Map<string, PartitionConsumer>()
  #current: readonly PartitionConsumer[] = []
  #generations = 0
  /** The one whose events count: a consumer that was given up may still join. */
  #consumer: Consumer | undefined
  #isRejoining = false
  #failure: string | undefined = 'the group is not joined yet'
  #settleJoined: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined
  #lastSignMs = 0
  #isStopping = false

  constructor(context: ConsumptionContext, options: ConsumeOptions) {
    this.#context = context
    this.#options = options
    this.joined = new Promise((resolve, reject) => {
      this.#settleJoined = { resolve, reject }
    })
    this.#running = this.#run()
  }

  problem(): string | undefined {
    if (this.#failure !== undefined) return this.#failure
    const problems = this.#current
      .map(consumer => consumer.problem())
      .filter(problem => problem !== undefined)
    if (problems.length === 0) return undefined
    return problems.length === 1 ? problems[0] : `${problems[0]} (and ${problems.length - 1} more partitions)`
  }

  assignments(): readonly { readonly topic: string; readonly partition: number }[] {
    return this.#current
      .filter(consumer => consumer.isWorking())
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  async stop(): Promise<void> {
    if (!this.#isStopping) {
      this.#isStopping = true
      for (const consumer of this.#current) consumer.end('after-call')
      await settlesWithin(GRACE_MS, Promise.all(this.#current.map(consumer => consumer.ended)))
      this.#endGeneration()
      this.#stopping.abort()
    }
    await settlesWithin(GRACE_MS, this.#running)
  }

  /** Consumer after consumer, until it is stopped. */
  async #run(): Promise<void> {
    const { group, logger } = this.#context
    let delayMs = FIRST_DELAY_MS
    while (!this.#stopping.signal.aborted) {
      const generations = this.#generations
      const reason = await this.#runConsumer().catch((error: unknown) => error)
      this.#endGeneration()
      if (this.#generations > generations) delayMs = FIRST_DELAY_MS
      if (this.#stopping.signal.aborted) break
      if (this.#generations === 0 && isUpswellError(reason, 'TOPIC_MISSING')) {
        this.#stopping.abort()
        this.#settleJoined?.reject(reason)
        return
      }
      this.#failure = `the group ${group} cannot consume: ${describeError(reason)}`
      logger.warn(`${this.#failure}; trying again`)
      await sleep(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => {})
      delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)
    }
    this.#settleJoined?.reject(
      new UpswellError('LOG_UNAVAILABLE', `stopped before the group ${group} was joined`, {
        canRetry: true,
      }),
    )
  }

  /** One consumer, from its connection to its end. Answers why it ended, or throws it. */
  async #runConsumer(): Promise<unknown> {
    await this.#context.admin.requireTopics(this.#options.topics)
    const consumer = this.#createConsumer()
    const cluster = createCluster(this.#context.createKafka(), { allowAutoTopicCreation: false })
    const over = new AbortController()
    this.#consumer = consumer
    this.#isRejoining = false
    const crashed = this.#watch(consumer, cluster)
    const starting = this.#start(consumer)
    try {
      return await Promise.race([starting.then(() => crashed), this.#silence(over.signal), this.#stopped])
    } finally {
      over.abort()
      this.#consumer = undefined
      this.#endGeneration()
      void cluster.disconnect().catch(() => {})
      // While it joins, kafkajs does not hear that it shall stop; then it is told once more when it has joined.
      void starting.catch(() => {}).then(() => disconnect(consumer))
      await settlesWithin(DISCONNECT_TIMEOUT_MS, disconnect(consumer))
    }
  }

  #createConsumer(): Consumer {
    const { createKafka, group, sessionTimeoutMs } = this.#context
    return createKafka().consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_INTERVAL_MS,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: HEARTBEAT_CHECK_MS,
      // kafkajs' own restart is left aside: then there is one way back for every failure.
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8, restartOnFailure: async () => false },
    })
  }

  /** Resolves when kafkajs has joined the group, or has given up and said so as a crash. */
  async #start(consumer: Consumer): Promise<void> {
    await consumer.connect()
    await consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true })
    await consumer.run({ autoCommit: false })
  }

  /** Resolves with the reason when kafkajs has given the consumer up, or is to be given up. */
  #watch(consumer: Consumer, cluster: KafkaCluster): Promise<unknown> {
    const { CRASH, GROUP_JOIN, HEARTBEAT, REBALANCING } = consumer.events
    this.#lastSignMs = performance.now()
    return new Promise(resolve => {
      consumer.on(HEARTBEAT, () => {
        if (this.#consumer !== consumer) return
        this.#lastSignMs = performance.now()
        // Its join failed, and it goes on as the member that it was: its partitions may be another's by now.
        if (this.#isRejoining) resolve(new Error('the group was not joined anew'))
      })
      consumer.on(REBALANCING, () => {
        if (this.#consumer !== consumer) return
        this.#isRejoining = true
        for (const consumer of this.#current) consumer.hold()
      })
      consumer.on(GROUP_JOIN, ({ payload }) => {
        if (this.#consumer === consumer) this.#beginGeneration(consumer, cluster, payload.memberAssignment)
      })
      consumer.on(CRASH, ({ payload }) => resolve(payload.error))
    })
  }

  /** Called by kafkajs in the same step in which it learns its assignment. */
  #beginGeneration(
    consumer: Consumer,
    cluster: KafkaCluster,
    assignment: Readonly<Record<string, readonly number[]>>,
  ): void {
    this.#endGeneration()
    this.#generations++
    this.#isRejoining = false
    this.#lastSignMs = performance.now()
    consumer.pause(this.#options.topics.map(topic => ({ topic })))
    const assigned = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map(partition => ({ topic, partition })),
    )
    if (this.#isStopping) return
    const { fetch, logger } = this.#context
    const limits = fetchLimits(fetch, assigned.length)
    this.#current = assigned.map(({ topic, partition }) =>
      this.#own(topic, partition, offset => {
        const fetcher = new PartitionFetcher(cluster, topic, partition)
        return fetchAhead({ fetcher, logger, offset, ...limits })
      }),
    )
    this.#failure = undefined
    this.#settleJoined?.resolve()
    const names = assigned.map(({ topic, partition }) => `${topic}/${partition}`).join(', ')
    logger.info(`joined the group ${this.#context.group}: ${names || 'no partitions'}`)
  }

  #own(topic: string, partition: number, openSource: (offset: number) => RecordSource): PartitionConsumer {
    const { admin, createKafka, group, logger, transactionalIdPrefix } = this.#context
    const key = `${topic}/${partition}`
    const consumer: PartitionConsumer = new PartitionConsumer({
      topic,
      partition,
      group,
      logger,
      handler: this.#options.handler,
      batchSize: this.#options.batchSize,
      predecessor: this.#owners.get(key)?.ended ?? Promise.resolve(),
      openWriter: mayCommit =>
        openTransactionWriter(createKafka(), {
          transactionalId: `${transactionalIdPrefix}-${group}-${topic}-${partition}`,
          mayCommit,
        }),
      groupOffset: () => admin.groupOffset(group, topic, partition),
      openSource,
    })
    this.#owners.set(key, consumer)
    return consumer
  }

  #endGeneration(): void {
    for (const consumer of this.#current) consumer.end('at-once')
    this.#current = []
  }

  /** Resolves when nothing was heard of the consumer for longer than a rebalance can take: kafkajs is stuck. */
  async #silence(signal: AbortSignal): Promise<unknown> {
    const limitMs = this.#context.sessionTimeoutMs + REBALANCE_TIMEOUT_MS
    while (!signal.aborted && performance.now() - this.#lastSignMs < limitMs)
      await sleep(1_000, undefined, { signal, ref: false }).catch(() => {})
    return new Error(`no heartbeat for ${Math.round(limitMs / 1_000)} s`)
  }
}

async function disconnect(consumer: Consumer): Promise<void> {
  await consumer.disconnect().catch(() => {})
}
