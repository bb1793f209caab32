import { setImmediate } from 'node:timers/promises'
import { UpswellError } from '../../lib/errors.ts'
import type { LmdbEnvironment, PreparedWrite } from '../../lib/lmdb/lmdb-environment.ts'
import { clipStretches, wholeStretches } from '../clip-stretches.ts'
import type {
  ConsumeOptions,
  Consumption,
  CreatedTopics,
  GroupState,
  Log,
  LogRecord,
  OffsetRange,
  OutgoingRecord,
  PartitionSession,
  Position,
  Stretch,
  TopicToCreate,
} from '../log.ts'
import type { LogMeter } from '../log-meter.ts'
import { AppendBell } from './append-bell.ts'
import { type ConsumingClaim, claimConsuming, isClaimed } from './claim.ts'
import { type ConsumeProblem, type PartitionSource, startConsumption } from './consumption.ts'
import { type ConsumedPartition, EmbeddedWrites } from './embedded-writes.ts'
import { type EmbeddedTopic, EmbeddedTopics, type TopicPartitions } from './lmdb-topics.ts'
import { EmbeddedRecords } from './record-tables.ts'

/** How often the log is checked for records of other processes. */
const POLL_MS = 100
/** Readers that do not consume let the event loop run after this many records. */
const RECORDS_PER_TURN = 1_000
const MAX_READ_BYTES = 1024 * 1024
/** Removed in one transaction, while others wait for the write lock. */
const RECORDS_PER_REMOVAL = 10_000

export interface EmbeddedLogOptions {
  /** For new topics; existing ones must have this number. */
  readonly partitions: TopicPartitions
  /** About the most bytes of the records that one partition hands over at a time; 1 MiB if left out. */
  readonly maxReadBytes?: number
  /** Called after a handler threw, before the next session. */
  readonly onProblem?: (problem: ConsumeProblem) => void
  readonly meter?: LogMeter | undefined
  /** Called when a partition works. */
  readonly onWell?: (source: { readonly topic: string; readonly partition: number }) => void
}

/**
 * The log port on LMDB. Any number of processes append and read; one of them consumes. `close` leaves the
 * environment open for its opener.
 */
export class EmbeddedLog implements Log {
  readonly #environment: LmdbEnvironment
  readonly #topics: EmbeddedTopics
  readonly #records: EmbeddedRecords
  readonly #callbacks: Required<Pick<EmbeddedLogOptions, 'onProblem' | 'onWell'>>
  readonly #meter: LogMeter | undefined
  readonly #bell = new AppendBell()
  readonly #writes: EmbeddedWrites
  #consumptions: readonly Consumed[] = []
  #claim: Promise<ConsumingClaim> | undefined

  constructor(environment: LmdbEnvironment, options: EmbeddedLogOptions) {
    this.#environment = environment
    this.#topics = new EmbeddedTopics(environment, options.partitions)
    this.#records = new EmbeddedRecords(environment, options.maxReadBytes ?? MAX_READ_BYTES)
    this.#writes = new EmbeddedWrites(environment, this.#topics, this.#records, this.#bell, options.meter)
    const { onProblem = () => {}, onWell = () => {} } = options
    this.#callbacks = { onProblem, onWell }
    this.#meter = options.meter
  }

  async partitions(topic: string): Promise<number> {
    return (await this.#topicNamed(topic)).partitions
  }

  append(records: readonly OutgoingRecord[]): Promise<Position[]> {
    return this.#writes.append(records)
  }

  /** @throws UpswellError LOG_FENCED: another process consumes; PARTITIONS_CHANGED */
  async consume(options: ConsumeOptions): Promise<Consumption> {
    const claim = await this.#claimed()
    const topics = await Promise.all(options.topics.map(topic => this.#topicNamed(topic)))
    const consumed = topics.flatMap(topic =>
      partitionsOf(topic).map(partition => ({ topic, partition, group: options.group, claim })),
    )
    return this.#start(options, consumed)
  }

  async *readAll(topicName: string): AsyncIterable<LogRecord> {
    const topic = this.#topics.find(topicName)
    if (topic !== undefined) yield* this.#readStretches(topic, wholeStretches(this.#rangesOf(topic)))
  }

  async *read(topicName: string, stretches: readonly Stretch[]): AsyncIterable<LogRecord> {
    const topic = await this.#topicNamed(topicName)
    yield* this.#readStretches(topic, clipStretches(topicName, stretches, this.#rangesOf(topic)))
  }

  async ranges(topicName: string): Promise<ReadonlyMap<number, OffsetRange>> {
    return this.#rangesOf(await this.#topicNamed(topicName))
  }

  async topics(): Promise<string[]> {
    return this.#read(() => this.#topics.names())
  }

  createTopics(topics: readonly TopicToCreate[]): Promise<CreatedTopics> {
    return this.#topics.create(topics)
  }

  /** Removes records first, some at a time. After a crash, call it again to remove the rest. */
  async deleteTopics(names: readonly string[]): Promise<void> {
    for (const name of names) {
      if (this.#consumptions.some(({ topic }) => topic === name))
        throw new UpswellError(
          'LOG_UNAVAILABLE',
          `The topic ${name} cannot be deleted while this process consumes it. Stop that first.`,
        )
    }
    for (const name of names) {
      const topic = this.#topics.find(name)
      if (topic !== undefined) await this.#deleteTopic(topic)
    }
  }

  async group(group: string, topicName: string): Promise<GroupState> {
    const topic = this.#topics.find(topicName)
    const isConsuming = await this.#isConsuming(group)
    if (topic === undefined) return { isConsuming, committed: new Map(), metadata: new Map() }
    return { isConsuming, ...this.#read(() => this.#records.committedOffsets(topic, group)) }
  }

  async deleteGroup(group: string): Promise<void> {
    if (await this.#isConsuming(group))
      throw new UpswellError(
        'LOG_UNAVAILABLE',
        `The group ${group} cannot be deleted while a process consumes ${this.#environment.directory}. Stop that first.`,
      )
    await this.#environment.write('LOG_UNAVAILABLE', this.#records.prepareForget(group))
  }

  /**
   * Commits like `PartitionSession.commit`, with another write in the same transaction.
   * @throws UpswellError LOG_FENCED, LOG_UNAVAILABLE, or the error of the other write's check
   */
  commitTogether(
    session: PartitionSession,
    records: readonly OutgoingRecord[],
    nextOffset: number,
    other: PreparedWrite,
    metadata?: string,
  ): Promise<void> {
    return this.#writes.commit(session, records, nextOffset, other, metadata)
  }

  async ping(): Promise<void> {
    this.#read(() => this.#environment.meta.getKeysCount())
  }

  /** Finishes the current batches and releases the claim. */
  async close(): Promise<void> {
    await Promise.all(this.#consumptions.map(({ consumption }) => consumption.stop()))
    const claim = this.#claim
    this.#claim = undefined
    await (await claim)?.release()
  }

  #start(options: ConsumeOptions, partitions: readonly ConsumedPartition[]): Consumption {
    const { group, topics, handler, batchSize } = options
    const twice = this.#consumptions.find(other => other.group === group && topics.includes(other.topic))
    if (twice !== undefined) throw new Error(`this process already consumes ${twice.topic} as ${group}`)

    const stopping = new AbortController()
    const poll = setInterval(() => this.#bell.ringAll(), POLL_MS)
    stopping.signal.addEventListener('abort', () => {
      clearInterval(poll)
      this.#bell.ringAll()
    })
    const sources = partitions.map(partition => this.#sourceOf(partition))
    const running = startConsumption({
      group,
      sources,
      handler,
      batchSize,
      stopping,
      meter: this.#meter,
      ...this.#callbacks,
    })
    const consumption: Consumption = {
      ...running,
      stop: async () => {
        await running.stop()
        this.#consumptions = this.#consumptions.filter(other => other.consumption !== consumption)
      },
    }
    this.#consumptions = [...this.#consumptions, ...topics.map(topic => ({ group, topic, consumption }))]
    return consumption
  }

  #sourceOf(consumed: ConsumedPartition): PartitionSource {
    const { topic, partition } = consumed
    return {
      topic: topic.name,
      partition,
      open: () => this.#writes.openSession(consumed),
      close: session => this.#writes.closeSession(session),
      read: (fromOffset, limit) => this.#read(() => this.#records.read(consumed, fromOffset, limit)),
      waitFor: async (offset, isOver) => {
        while (!isOver() && this.#read(() => this.#records.end(consumed)) <= offset) {
          await this.#bell.wait(topic.name, partition)
        }
      },
    }
  }

  async #claimed(): Promise<ConsumingClaim> {
    this.#claim ??= claimConsuming(this.#environment)
    try {
      return await this.#claim
    } catch (thrown) {
      this.#claim = undefined
      throw thrown
    }
  }

  async *#readStretches(topic: EmbeddedTopic, stretches: readonly Stretch[]): AsyncGenerator<LogRecord> {
    for (const { partition, from, to } of stretches) {
      for (let offset = from; offset < to; ) {
        const most = Math.min(RECORDS_PER_TURN, to - offset)
        const records = this.#read(() => this.#records.read({ topic, partition }, offset, most))
        // The topic was deleted meanwhile.
        if (records.length === 0) break
        // Records are missing after an interrupted deletion.
        for (const record of records) if (record.offset < to) yield record
        offset = records.at(-1)!.offset + 1
        await setImmediate()
      }
    }
  }

  #rangesOf(topic: EmbeddedTopic): Map<number, OffsetRange> {
    return this.#read(
      () =>
        new Map(
          partitionsOf(topic).map(partition => [
            partition,
            { first: 0, end: this.#records.end({ topic, partition }) },
          ]),
        ),
    )
  }

  async #deleteTopic(topic: EmbeddedTopic): Promise<void> {
    const some = this.#records.prepareRemoveRecords(topic, RECORDS_PER_REMOVAL)
    while (await this.#environment.write('LOG_UNAVAILABLE', some)) await setImmediate()
    // Records that were appended since are removed together with the topic.
    const rest = this.#records.prepareRemoveRecords(topic)
    const offsets = this.#records.prepareRemoveOffsets(topic)
    const row = this.#topics.prepareRemove(topic)
    await this.#environment.write('LOG_UNAVAILABLE', {
      check: () => {},
      apply: () => {
        // Another process may have deleted and recreated it first.
        if (!this.#topics.isThere(topic)) return
        rest.apply()
        offsets.apply()
        row.apply()
      },
    })
  }

  /** It knows only whether other processes consume anything at all. */
  async #isConsuming(group: string): Promise<boolean> {
    if (this.#consumptions.some(consumed => consumed.group === group)) return true
    const claim = await this.#claim?.catch(() => undefined)
    return this.#read(() => isClaimed(this.#environment) && claim?.isHeld() !== true)
  }

  async #topicNamed(name: string): Promise<EmbeddedTopic> {
    return (await this.#topics.ensure([name])).get(name)!
  }

  #read<Result>(action: () => Result): Result {
    return this.#environment.read('LOG_UNAVAILABLE', action)
  }
}

interface Consumed {
  readonly group: string
  readonly topic: string
  readonly consumption: Consumption
}

function partitionsOf(topic: EmbeddedTopic): number[] {
  return Array.from({ length: topic.partitions }, (_, partition) => partition)
}
