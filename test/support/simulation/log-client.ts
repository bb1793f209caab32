import { UpswellError } from '../../../src/lib/errors.ts'
import { clipStretches, wholeStretches } from '../../../src/log/clip-stretches.ts'
import type {
  ConsumeOptions,
  Consumption,
  CreatedTopics,
  GroupState,
  Log,
  LogRecord,
  OffsetRange,
  OutgoingRecord,
  Position,
  Stretch,
  TopicToCreate,
} from '../../../src/log/log.ts'
import type { Broker, Fetched } from './broker.ts'
import type { Group, Member, TopicPartition } from './group.ts'
import {
  type GroupOffset,
  OwnedPartition,
  type PartitionClient,
  type Writer,
  type WrittenOffset,
} from './owned-partition.ts'
import type { Operation } from './plan.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Wiring } from './wiring.ts'

/** ms until a broker that is still ending the previous transaction is asked again. */
const BUSY_MS = 3
const JOIN_MS = 1
/** The size of one read. */
const RECORDS_PER_READ = 100
/** How long a read waits for an open transaction, and how often it looks, ms. */
const READ_PATIENCE_MS = 12_000
const READ_AGAIN_MS = 50

/**
 * The log port of one process, on the broker in memory. Makes the same calls in the same order as the Kafka
 * adapter.
 */
export class LogClient implements Log, PartitionClient {
  readonly process: SimulatedProcess
  readonly #broker: Broker
  readonly #groups: ReadonlyMap<string, Group>
  readonly #wiring: Wiring
  /** Writes appends of several records. */
  #writer: Promise<Writer> | undefined
  #lastAppend: Promise<unknown> = Promise.resolve()

  constructor(process: SimulatedProcess, broker: Broker, groups: ReadonlyMap<string, Group>, wiring: Wiring) {
    this.process = process
    this.#broker = broker
    this.#groups = groups
    this.#wiring = wiring
  }

  partitions(topic: string): Promise<number> {
    return this.#call('log.partitions', topic, () => this.#broker.partitions(topic))
  }

  append(records: readonly OutgoingRecord[]): Promise<Position[]> {
    if (records.length < 2) {
      const to = records[0]?.topic ?? 'nothing'
      return this.#call('log.append', to, () => this.#broker.append(records))
    }
    const written = this.#lastAppend.then(() => this.#appendTogether(records))
    this.#lastAppend = written.catch(() => {})
    return written
  }

  async #appendTogether(records: readonly OutgoingRecord[]): Promise<Position[]> {
    this.#writer ??= this.openWriter(`append-${this.process.name}`)
    try {
      return await (await this.#writer).write(records, undefined, () => true)
    } catch (error) {
      this.#writer = undefined
      throw error
    }
  }

  async consume(options: ConsumeOptions): Promise<Consumption> {
    const group = this.#groups.get(options.group)!
    const { process } = this
    let owned: readonly OwnedPartition[] = []
    /**
     * Topic and partition → resolves when this process's last owned partition has ended. That may be long
     * after its generation, with generations without the partition in between.
     */
    const lastEnded = new Map<string, Promise<void>>()
    let isStopped = false
    let joined = 0
    const member: Member = await new Promise(resolve => {
      const joining: Member = {
        process,
        assigned: (generation, partitions) => {
          if (isStopped || generation <= joined) return
          joined = generation
          for (const partition of owned) partition.end(false)
          owned = partitions.map(topicPartition => {
            const key = `${topicPartition.topic}/${topicPartition.partition}`
            const predecessor = lastEnded.get(key) ?? Promise.resolve()
            const { handler, batchSize } = options
            const context = { client: this, group: options.group, handler, batchSize, predecessor }
            const partition = new OwnedPartition(topicPartition, { ...context, wiring: this.#wiring })
            lastEnded.set(key, partition.ended)
            return partition
          })
          resolve(joining)
        },
      }
      process.after(JOIN_MS, () => group.join(joining))
    })
    return {
      stop: async () => {
        isStopped = true
        for (const partition of owned) partition.end(true)
        await Promise.race([Promise.all(owned.map(({ ended }) => ended)), process.sleep(10_000)])
        for (const partition of owned) partition.end(false)
        group.leave(member)
      },
      problem: () => (owned.every(({ isWorking }) => isWorking) ? undefined : 'a partition has no session'),
      waitingMs: () => 0,
      assignments: () =>
        owned.filter(({ isWorking }) => isWorking).map(({ topicPartition }) => topicPartition),
    }
  }

  async *readAll(topic: string): AsyncIterable<LogRecord> {
    yield* this.read(topic, wholeStretches(await this.ranges(topic)))
  }

  async *read(topic: string, stretches: readonly Stretch[]): AsyncIterable<LogRecord> {
    const clipped = clipStretches(topic, stretches, await this.ranges(topic))
    for (const stretch of clipped) yield* this.#readStretch(topic, stretch)
  }

  ranges(topic: string): Promise<ReadonlyMap<number, OffsetRange>> {
    return this.#call('log.ranges', topic, () => {
      this.#requireTopic(topic)
      return new Map(
        Array.from({ length: this.#broker.partitions(topic) }, (_, partition) => [
          partition,
          {
            first: this.#broker.firstOffset(topic, partition),
            end: this.#broker.endOffset(topic, partition),
          },
        ]),
      )
    })
  }

  async topics(): Promise<string[]> {
    return this.#broker.topics()
  }

  async createTopics(topics: readonly TopicToCreate[]): Promise<CreatedTopics> {
    const present = new Set(this.#broker.topics())
    const isThere = ({ name }: TopicToCreate): boolean => present.has(name)
    for (const topic of topics) if (!isThere(topic)) this.#broker.createTopic(topic.name, topic.partitions)
    return {
      created: topics.filter(topic => !isThere(topic)).map(({ name }) => name),
      existing: topics.filter(isThere).map(({ name }) => name),
    }
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    for (const topic of topics) this.#broker.deleteTopic(topic)
  }

  async group(group: string, topic: string): Promise<GroupState> {
    const isThere = this.#broker.topics().includes(topic)
    return {
      isConsuming: this.#groups.get(group)?.hasMembers ?? false,
      committed: isThere ? this.#broker.committedOffsets(group, topic) : new Map(),
      metadata: new Map(),
    }
  }

  async deleteGroup(group: string): Promise<void> {
    if (this.#groups.get(group)?.hasMembers)
      throw new UpswellError('LOG_UNAVAILABLE', `the group ${group} has members`)
    this.#broker.deleteGroup(group)
  }

  async ping(): Promise<void> {}
  async close(): Promise<void> {}

  fetch({ topic, partition }: TopicPartition, from: number, most: number): Promise<Fetched> {
    const uncommitted = this.#wiring.readsUncommitted && topic === 'signals'
    return this.#call('log.fetch', `${topic}/${partition} from ${from}`, () =>
      this.#broker.fetch(topic, partition, from, most, uncommitted),
    )
  }

  groupOffset(group: string, { topic, partition }: TopicPartition): Promise<GroupOffset> {
    return this.#call('log.offset', `${topic}/${partition}`, () => ({
      committed: this.#broker.committedOffset(group, topic, partition),
      metadata: this.#broker.committedMetadata(group, topic, partition),
      first: this.#broker.firstOffset(topic, partition),
      end: this.#broker.endOffset(topic, partition),
    }))
  }

  /** When it resolves, every earlier writer of this id is fenced and its transaction has ended. */
  async openWriter(id: string): Promise<Writer> {
    const { epoch } = await this.#untilReady('log.init', id, () =>
      this.#broker.initProducer(id, !this.#wiring.skipsLogFence),
    )
    return {
      write: async (records, offset, mayCommit) => {
        if (!mayCommit()) throw fenced(id)
        try {
          const positions = await this.#writeTransaction(id, epoch, records, offset)
          if (!mayCommit()) throw fenced(id)
          await this.#endTransaction(id, epoch)
          return positions
        } catch (error) {
          if (this.#wiring.takesUnclearForDone && (error as UpswellError).code === 'LOG_UNAVAILABLE')
            return []
          throw error
        }
      },
    }
  }

  async #writeTransaction(
    id: string,
    epoch: number,
    records: readonly OutgoingRecord[],
    offset: WrittenOffset | undefined,
  ): Promise<Position[]> {
    const positions =
      records.length === 0
        ? []
        : await this.#untilReady('log.produce', `${id} ${records.length} records`, () =>
            this.#broker.produce(id, epoch, records),
          )
    if (offset === undefined) return positions
    const { group, topic, partition, metadata } = offset
    const nextOffset = offset.nextOffset + (this.#wiring.commitsOneTooFar ? 1 : 0)
    await this.#untilReady('log.offsets', `${topic}/${partition} to ${nextOffset}`, () =>
      this.#broker.addOffset(id, epoch, group, topic, partition, nextOffset, metadata),
    )
    return positions
  }

  async #endTransaction(id: string, epoch: number): Promise<void> {
    const ended = this.#call('log.end', id, () => this.#broker.endTransaction(id, epoch, 'commit'))
    if (this.#wiring.doesNotAwaitCommit) ended.catch(() => {})
    else await ended
  }

  async *#readStretch(topic: string, { partition, from, to }: Stretch): AsyncGenerator<LogRecord> {
    let waitedMs = 0
    for (let position = from; position < to; ) {
      const at = position
      const about = `${topic}/${partition} from ${at}`
      const { records, nextOffset } = await this.#call('log.read', about, () => {
        this.#requireTopic(topic)
        return this.#broker.read(topic, partition, at, RECORDS_PER_READ)
      })
      yield* records.filter(({ offset }) => offset < to)
      position = nextOffset
      if (nextOffset > at) {
        waitedMs = 0
        continue
      }
      // The remaining records belong to an open transaction.
      if (waitedMs >= READ_PATIENCE_MS) return
      waitedMs += READ_AGAIN_MS
      await this.process.sleep(READ_AGAIN_MS)
    }
  }

  #requireTopic(topic: string): void {
    if (!this.#broker.topics().includes(topic))
      throw new UpswellError('TOPIC_MISSING', `there is no topic ${topic}`)
  }

  async #untilReady<T>(operation: Operation, about: string, ask: () => T | 'busy'): Promise<T> {
    for (;;) {
      const answer = await this.#call(operation, about, ask)
      if (answer !== 'busy') return answer as T
      await this.process.sleep(BUSY_MS)
    }
  }

  #call<T>(operation: Operation, about: string, effect: () => T | Promise<T>): Promise<T> {
    return this.process.call(
      operation,
      () => about,
      effect,
      () => new UpswellError('LOG_UNAVAILABLE', `${operation}: no answer`, { canRetry: true }),
    )
  }
}

function fenced(id: string): UpswellError {
  return new UpswellError('LOG_FENCED', `${id} may not commit: its session is over`)
}
