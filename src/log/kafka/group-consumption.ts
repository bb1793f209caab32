import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { PartitionFetcher } from '../../kafka-wire/fetch/partition-fetcher.ts'
import { createCluster, type KafkaCluster } from '../../kafka-wire/hooks/kafkajs-cluster.ts'
import { isProtocolError } from '../../kafka-wire/hooks/protocol-errors.ts'
import { Backoff } from '../../lib/backoff.ts'
import type { ByteQuota } from '../../lib/byte-quota.ts'
import { deferred } from '../../lib/deferred.ts'
import { describeError, isUpswellError, UpswellError } from '../../lib/errors.ts'
import type { Logger, Outages } from '../../lib/logger.ts'
import { settlesWithin, sleepUnlessAborted, untilAborted } from '../../lib/waiting.ts'
import type { ConsumeOptions, Consumption } from '../log.ts'
import type { LogMeter, ReadPosition } from '../log-meter.ts'
import type { KafkaAdmin } from './admin.ts'
import { asGroupError } from './errors.ts'
import { fetchAhead, type RecordSource } from './fetch-ahead.ts'
import { type FetchSettings, fetchLimits } from './fetch-settings.ts'
import { GroupConsumer, REBALANCE_TIMEOUT_MS } from './group-consumer.ts'
import { GroupWait } from './group-wait.ts'
import { describeFence, findHolder } from './instance-holder.ts'
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
  /** The same after a restart of this process; undefined: each start is a new member. */
  readonly instanceId: string | undefined
  readonly fetch: FetchSettings
  /** For the answers of all consumptions. */
  readonly quota: ByteQuota
  readonly meter: LogMeter | undefined
}

const FIRST_DELAY_MS = 100
/** Short: after an outage, reading continues within a few seconds. */
const LONGEST_DELAY_MS = 1_000
/** How often a process whose instance id another one has looks whether that one is gone. */
const HOLDER_CHECK_MS = 1_000
/** How long a handler may finish its current call after the consumption was stopped. */
const GRACE_MS = 10_000

/**
 * Keeps up one group membership as long as the consumption lasts. A `GroupConsumer` only joins the group and
 * sends heartbeats; each partition has a `PartitionConsumer`, which fences, finds its offset and fetches.
 */
// consumer    A consumer of kafkajs. If it crashes, it is silent for too long, or Kafka cannot be reached,
//             the next one is made after a wait (100 ms, doubling to 1 s). With an instance id it takes the
//             place of the last one: the others do not notice, and the partitions stay where they are.
// generation  A generation of the group; a consumer goes through several. It begins with kafkajs's event
//             GROUP_JOIN. In that same step, before anything can be fetched, all partitions are paused, the
//             last generation's owners end, and each assigned partition gets a new owner.
// rebalance   kafkajs learns (REBALANCING) that the group distributes its partitions again. The owners finish
//             their current call and wait for the next generation.
// fenced      Another process joined with this one's instance id. The newest has it: it may be the restart of
//             a process that died. So this one waits until no member of the group has that id, and joins
//             then. If it joined at once, the two would take the id from each other without end.
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
  readonly #wait: GroupWait
  readonly #joined = deferred()
  #isStopping = false

  constructor(context: ConsumptionContext, options: ConsumeOptions) {
    this.#context = context
    this.#options = options
    this.#part = `the group ${context.group} cannot consume`
    this.#wait = new GroupWait(context.group, () => performance.now())
    const stopMetering = context.meter?.consuming(() => this.#positions())
    this.#running = this.#run().finally(() => stopMetering?.())
  }

  /** Resolves at the first join. Rejects if a topic is missing at that time, or `stop` comes first. */
  get joined(): Promise<void> {
    return this.#joined.promise
  }

  problem(): string | undefined {
    const waiting = this.#wait.problem()
    if (waiting !== undefined) return waiting
    const problems = this.#current
      .map(consumer => consumer.problem())
      .filter(problem => problem !== undefined)
    if (problems.length === 0) return undefined
    return problems.length === 1 ? problems[0] : `${problems[0]} (and ${problems.length - 1} more partitions)`
  }

  waitingMs(): number {
    return this.#wait.ms()
  }

  assignments(): readonly { readonly topic: string; readonly partition: number }[] {
    return this.#current
      .filter(consumer => consumer.isWorking())
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  #positions(): ReadPosition[] {
    const { group } = this.#context
    return this.#current.flatMap(consumer => {
      const position = consumer.position()
      const { topic, partition } = consumer
      return position === undefined ? [] : [{ group, topic, partition, ...position }]
    })
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
      if (isProtocolError(reason, 'FENCED_INSTANCE_ID')) {
        await this.#awaitFreeInstance()
        continue
      }
      this.#wait.begin(`${this.#part}: ${describeError(reason)}`)
      outages.failed(this.#part, asGroupError(reason, group), { group })
      await backoff.wait()
    }
    this.#joined.reject(
      new UpswellError('LOG_UNAVAILABLE', `stopped before the group ${group} was joined`, {
        canRetry: true,
      }),
    )
  }

  /** Resolves when no member of the group has this process's instance id any more. */
  async #awaitFreeInstance(): Promise<void> {
    const { admin, group, logger } = this.#context
    const instanceId = this.#context.instanceId!
    const { signal } = this.#stopping
    const find = () => findHolder(admin, group, instanceId)
    const failure = describeFence(group, instanceId, await find().catch(() => undefined))
    this.#wait.begin(failure)
    logger.error(`this process gave up its place in the group: ${failure}`)
    while (!signal.aborted) {
      await sleepUnlessAborted(HOLDER_CHECK_MS, signal)
      // While Kafka cannot be asked, nobody knows.
      const isFree = await find().then(
        holder => holder === undefined,
        () => false,
      )
      if (isFree) return
    }
  }

  /** Runs one consumer until it ends. Returns or throws the reason. */
  async #runConsumer(): Promise<unknown> {
    const { admin, createKafka, group, instanceId, sessionTimeoutMs } = this.#context
    const { topics } = this.#options
    await admin.requireTopics(topics)
    const cluster = createCluster(createKafka(), { allowAutoTopicCreation: false })
    const over = new AbortController()
    this.#wait.heard()
    const consumer = new GroupConsumer(
      {
        kafka: createKafka(),
        group,
        topics,
        sessionTimeoutMs,
        instanceId,
        isLeaving: () => this.#isStopping,
      },
      {
        joining: () => this.#wait.begin(),
        rebalancing: () => {
          this.#wait.begin()
          for (const owner of this.#current) owner.hold()
        },
        joined: assignment => this.#beginGeneration(cluster, assignment),
        heard: () => this.#wait.heard(),
      },
    )
    try {
      return await Promise.race([consumer.ended, this.#silence(over.signal), this.#stopped])
    } finally {
      over.abort()
      this.#endGeneration()
      void cluster.disconnect().catch(() => {})
      await consumer.giveUp()
    }
  }

  #beginGeneration(cluster: KafkaCluster, assignment: Readonly<Record<string, readonly number[]>>): void {
    this.#endGeneration()
    this.#generations++
    this.#wait.end()
    const assigned = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map(partition => ({ topic, partition })),
    )
    if (this.#isStopping) return
    const { fetch, group, logger, meter, outages, quota } = this.#context
    const limits = fetchLimits(fetch, assigned.length)
    this.#current = assigned.map(({ topic, partition }) =>
      this.#own(topic, partition, offset => {
        const fetcher = new PartitionFetcher(cluster, topic, partition)
        return fetchAhead({ fetcher, outages, offset, meter, quota, ...limits })
      }),
    )
    outages.works(this.#part)
    this.#joined.resolve()
    const names = assigned.map(({ topic, partition }) => `${topic}/${partition}`).join(', ')
    logger.info(`joined the group ${group}: ${names || 'no partitions'}`, { group })
  }

  #own(topic: string, partition: number, openSource: (offset: number) => RecordSource): PartitionConsumer {
    const { admin, createKafka, group, logger, meter, outages, transactionalIdPrefix } = this.#context
    const key = `${topic}/${partition}`
    const consumer: PartitionConsumer = new PartitionConsumer({
      topic,
      partition,
      group,
      logger,
      meter,
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
    while (!signal.aborted && this.#wait.silentMs() < limitMs)
      await sleep(1_000, undefined, { signal, ref: false }).catch(() => {})
    return new Error(`no heartbeat for ${Math.round(limitMs / 1_000)} s`)
  }
}
