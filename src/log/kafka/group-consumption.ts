import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, Kafka } from 'kafkajs'
import { PartitionFetcher } from '../../kafka-wire/fetch/partition-fetcher.ts'
import { createCluster, type KafkaCluster } from '../../kafka-wire/hooks/kafkajs-cluster.ts'
import { Backoff } from '../../lib/backoff.ts'
import { deferred } from '../../lib/deferred.ts'
import { describeError, isUpswellError, UpswellError } from '../../lib/errors.ts'
import type { Logger, Outages } from '../../lib/logger.ts'
import { settlesWithin, untilAborted } from '../../lib/waiting.ts'
import type { ConsumeOptions, Consumption } from '../log.ts'
import type { KafkaAdmin } from './admin.ts'
import { asGroupError } from './errors.ts'
import { fetchAhead, type RecordSource } from './fetch-ahead.ts'
import { type FetchSettings, fetchLimits } from './fetch-settings.ts'
import { PartitionConsumer } from './partition-consumer.ts'
import { openTransactionWriter } from './transactions.ts'

export interface ConsumptionContext {
  readonly createKafka: () => Kafka
  readonly admin: KafkaAdmin
  readonly logger: Logger
  readonly outages: Outages
  readonly group: string
  readonly transactionalIdPrefix: string
  readonly sessionTimeoutMs: number
  readonly fetch: FetchSettings
}

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 5_000
/** A new member waits until a heartbeat of each other member has noticed it. kafkajs's default is 3 s. */
const HEARTBEAT_INTERVAL_MS = 1_000
const REBALANCE_TIMEOUT_MS = 60_000
/** How long a handler may finish its current call after the consumption was stopped. */
const GRACE_MS = 10_000
const DISCONNECT_TIMEOUT_MS = 3_000
/** kafkajs fetches nothing here. This is how often it checks whether a heartbeat is due. */
const HEARTBEAT_CHECK_MS = 250

/**
 * Keeps up one group membership as long as the consumption lasts. kafkajs only joins the group and sends
 * heartbeats; each partition has a `PartitionConsumer`, which fences, finds its offset and fetches.
 */
// consumer    A consumer of kafkajs. Its partitions stay paused for ever. If kafkajs gives it up (a "crash"),
//             it is silent for too long, or Kafka cannot be reached, the next one is made after a wait (100
//             ms, doubling to 5 s).
// generation  A generation of the group; a consumer goes through several. It begins with kafkajs's event
//             GROUP_JOIN. In that same step, before anything can be fetched, all partitions are paused, the
//             last generation's owners end, and each assigned partition gets a new owner.
// rebalance   kafkajs learns (REBALANCING) that the group distributes its partitions again. The owners finish
//             their current call and wait for the next generation.
export class GroupConsumption implements Consumption {
  readonly #context: ConsumptionContext
  readonly #options: ConsumeOptions
  /** Begins what is said about the group. */
  readonly #part: string
  readonly #stopping = new AbortController()
  readonly #stopped = untilAborted(this.#stopping.signal)
  readonly #running: Promise<void>
  /**
   * Topic/partition → its owner in the last generation that had it. The next owner waits until that one has
   * ended.
   */
  readonly #owners = new Map<string, PartitionConsumer>()
  #current: readonly PartitionConsumer[] = []
  #generations = 0
  /** Events of other consumers are ignored: one that was given up may still join. */
  #consumer: Consumer | undefined
  #isRejoining = false
  #failure: string | undefined = 'the group is not joined yet'
  readonly #joined = deferred()
  #lastHeardAt = 0
  #isStopping = false

  constructor(context: ConsumptionContext, options: ConsumeOptions) {
    this.#context = context
    this.#options = options
    this.#part = `the group ${context.group} cannot consume`
    this.#running = this.#run()
  }

  /** Resolves at the first join. Rejects if a topic is missing at that time, or `stop` comes first. */
  get joined(): Promise<void> {
    return this.#joined.promise
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

  /** Runs consumer after consumer until the consumption is stopped. */
  async #run(): Promise<void> {
    const { group, outages } = this.#context
    const { signal } = this.#stopping
    const backoff = new Backoff({ firstMs: FIRST_DELAY_MS, longestMs: LONGEST_DELAY_MS, signal })
    while (!signal.aborted) {
      const generations = this.#generations
      const reason = await this.#runConsumer().catch((error: unknown) => error)
      this.#endGeneration()
      if (this.#generations > generations) backoff.reset()
      if (signal.aborted) break
      if (this.#generations === 0 && isUpswellError(reason, 'TOPIC_MISSING')) {
        this.#stopping.abort()
        this.#joined.reject(reason)
        return
      }
      this.#failure = `${this.#part}: ${describeError(reason)}`
      outages.failed(this.#part, asGroupError(reason, group), { group })
      await backoff.wait()
    }
    this.#joined.reject(
      new UpswellError('LOG_UNAVAILABLE', `stopped before the group ${group} was joined`, {
        canRetry: true,
      }),
    )
  }

  /** Runs one consumer until it ends. Returns or throws the reason. */
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
      // kafkajs ignores a disconnect during a join, so it gets another one after the join.
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
      // kafkajs does not restart by itself, so that all failures are handled in one place.
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8, restartOnFailure: async () => false },
    })
  }

  /** Resolves when kafkajs has joined the group, or has given up and reported a crash. */
  async #start(consumer: Consumer): Promise<void> {
    await consumer.connect()
    await consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true })
    await consumer.run({ autoCommit: false })
  }

  /** Resolves with the reason when the consumer is of no more use. */
  #watch(consumer: Consumer, cluster: KafkaCluster): Promise<unknown> {
    const { CRASH, GROUP_JOIN, HEARTBEAT, REBALANCING } = consumer.events
    this.#lastHeardAt = performance.now()
    return new Promise(resolve => {
      consumer.on(HEARTBEAT, () => {
        if (this.#consumer !== consumer) return
        this.#lastHeardAt = performance.now()
        // Its join failed, and it continues as the old member. By now others may own its partitions.
        if (this.#isRejoining) resolve(new Error('the group could not be joined again'))
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

  /** kafkajs calls this in the same step in which it learns its assignment. */
  #beginGeneration(
    consumer: Consumer,
    cluster: KafkaCluster,
    assignment: Readonly<Record<string, readonly number[]>>,
  ): void {
    this.#endGeneration()
    this.#generations++
    this.#isRejoining = false
    this.#lastHeardAt = performance.now()
    consumer.pause(this.#options.topics.map(topic => ({ topic })))
    const assigned = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map(partition => ({ topic, partition })),
    )
    if (this.#isStopping) return
    const { fetch, group, logger, outages } = this.#context
    const limits = fetchLimits(fetch, assigned.length)
    this.#current = assigned.map(({ topic, partition }) =>
      this.#own(topic, partition, offset => {
        const fetcher = new PartitionFetcher(cluster, topic, partition)
        return fetchAhead({ fetcher, outages, offset, ...limits })
      }),
    )
    this.#failure = undefined
    outages.works(this.#part)
    this.#joined.resolve()
    const names = assigned.map(({ topic, partition }) => `${topic}/${partition}`).join(', ')
    logger.info(`joined the group ${group}: ${names || 'no partitions'}`, { group })
  }

  #own(topic: string, partition: number, openSource: (offset: number) => RecordSource): PartitionConsumer {
    const { admin, createKafka, group, logger, outages, transactionalIdPrefix } = this.#context
    const key = `${topic}/${partition}`
    const consumer: PartitionConsumer = new PartitionConsumer({
      topic,
      partition,
      group,
      logger,
      outages,
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

  /** Resolves when the consumer was silent for longer than a rebalance can take: kafkajs is stuck. */
  async #silence(signal: AbortSignal): Promise<unknown> {
    const limitMs = this.#context.sessionTimeoutMs + REBALANCE_TIMEOUT_MS
    while (!signal.aborted && performance.now() - this.#lastHeardAt < limitMs)
      await sleep(1_000, undefined, { signal, ref: false }).catch(() => {})
    return new Error(`no heartbeat for ${Math.round(limitMs / 1_000)} s`)
  }
}

async function disconnect(consumer: Consumer): Promise<void> {
  await consumer.disconnect().catch(() => {})
}
