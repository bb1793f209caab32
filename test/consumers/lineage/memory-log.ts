import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
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
  PartitionSession,
  Position,
  Stretch,
  TopicToCreate,
} from '../../../src/log/log.ts'
import type { MemoryBroker } from './memory-broker.ts'
import type { MortalProcess } from './mortal-process.ts'

/** The log port of one process, on the broker in memory. */
export class MemoryLog implements Log {
  /** Session → why it was lost between two batches. */
  readonly #lost = new Map<PartitionSession, unknown>()
  readonly #broker: MemoryBroker
  readonly #process: MortalProcess

  constructor(broker: MemoryBroker, process: MortalProcess) {
    this.#broker = broker
    this.#process = process
  }

  partitions(topic: string): Promise<number> {
    return this.#process.call(() => this.#broker.partitions(topic))
  }

  append(records: readonly OutgoingRecord[]): Promise<Position[]> {
    return this.#process.call(() => this.#broker.append(records))
  }

  async consume({ group, topics, handler, batchSize }: ConsumeOptions): Promise<Consumption> {
    const topic = topics[0]!
    this.#broker.log(topic)
    const broker = this.#broker
    const process = this.#process
    const loops = new Map<number, Loop>()
    const ended: Promise<void>[] = []
    const member = {
      assign: (partitions: readonly number[]) => {
        for (const [partition, loop] of loops)
          if (!partitions.includes(partition)) {
            loop.isEnded = true
            loops.delete(partition)
          }
        for (const partition of partitions) {
          if (loops.has(partition)) continue
          const loop: Loop = { isEnded: false, isWorking: false }
          loops.set(partition, loop)
          ended.push(this.#run(loop, { group, topic, partition, handler, batchSize }))
        }
      },
    }
    broker.join(group, topic, member)
    const leave = (): void => broker.leave(group, topic, member)
    process.onDeath(leave)
    return {
      stop: async () => {
        for (const loop of loops.values()) loop.isEnded = true
        await Promise.all(ended)
        leave()
      },
      problem: () => ([...loops.values()].every(loop => loop.isWorking) ? undefined : 'not taken'),
      waitingMs: () => 0,
      assignments: () =>
        [...loops].filter(([, loop]) => loop.isWorking).map(([partition]) => ({ topic, partition })),
    }
  }

  async *readAll(topic: string): AsyncIterable<LogRecord> {
    yield* this.read(topic, wholeStretches(await this.ranges(topic)))
  }

  async *read(topic: string, stretches: readonly Stretch[]): AsyncIterable<LogRecord> {
    const clipped = clipStretches(topic, stretches, await this.ranges(topic))
    for (const { partition, from, to } of clipped) {
      const records = await this.#process.call(() => this.#broker.records(topic, partition))
      yield* records.filter(({ offset }) => offset >= from && offset < to)
    }
  }

  ranges(topic: string): Promise<ReadonlyMap<number, OffsetRange>> {
    return this.#process.call(
      () =>
        new Map(
          this.#broker.log(topic).map((records, partition) => [partition, { first: 0, end: records.length }]),
        ),
    )
  }

  topics(): Promise<string[]> {
    return this.#process.call(() => [...this.#broker.topics.keys()])
  }

  createTopics(topics: readonly TopicToCreate[]): Promise<CreatedTopics> {
    return this.#process.call(() => {
      for (const { name, partitions } of topics) this.#broker.createTopic(name, partitions)
      return { created: topics.map(({ name }) => name), existing: [] }
    })
  }

  deleteTopics(topics: readonly string[]): Promise<void> {
    return this.#process.call(() => {
      for (const topic of topics) this.#broker.topics.delete(topic)
      this.#broker.forget(key => topics.includes(key.split('|')[1]!))
    })
  }

  group(group: string, topic: string): Promise<GroupState> {
    return this.#process.call(() => {
      const committed = new Map<number, number>()
      const metadata = new Map<number, string>()
      for (let partition = 0; partition < (this.#broker.topics.get(topic)?.length ?? 0); partition++) {
        const offset = this.#broker.committed(group, topic, partition)
        if (offset !== undefined) committed.set(partition, offset)
        const text = this.#broker.metadata(group, topic, partition)
        if (text !== undefined) metadata.set(partition, text)
      }
      return { isConsuming: this.#broker.hasMembers(group), committed, metadata }
    })
  }

  deleteGroup(group: string): Promise<void> {
    return this.#process.call(() => {
      if (this.#broker.hasMembers(group)) throw new UpswellError('LOG_UNAVAILABLE', `${group} has members`)
      this.#broker.forget(key => key.startsWith(`${group}|`))
    })
  }

  async ping(): Promise<void> {}
  async close(): Promise<void> {}

  /** Works on a session, batch after batch. After an error it opens the next session. */
  async #run(loop: Loop, options: LoopOptions): Promise<void> {
    while (!loop.isEnded && !this.#process.isDead) {
      let session: PartitionSession | undefined
      try {
        session = await this.#open(options)
        let offset = await options.handler.assigned(session)
        while (!loop.isEnded && !this.#process.isDead) {
          loop.isWorking = true
          if (this.#lost.has(session)) throw this.#lost.get(session)
          const records = this.#broker.next(options.topic, options.partition, offset, options.batchSize)
          const last = records.at(-1)
          if (last === undefined) {
            await sleep(1)
            continue
          }
          await options.handler.process(session, records)
          offset = last.offset + 1
          await setImmediate()
        }
      } catch (error) {
        loop.isWorking = false
        this.#process.problem = `${options.group}/${options.partition}: ${(error as Error).message}`
        await sleep(3)
      } finally {
        if (session !== undefined) options.handler.released(session)
      }
    }
    loop.isWorking = false
  }

  async #open({ group, topic, partition }: LoopOptions): Promise<PartitionSession> {
    const epoch = await this.#process.call(() => this.#broker.fence(group, topic, partition))
    const session: PartitionSession = {
      topic,
      partition,
      committedOffset: this.#broker.committed(group, topic, partition) ?? 0,
      committedMetadata: this.#broker.metadata(group, topic, partition),
      firstOffset: 0,
      endOffset: this.#broker.log(topic)[partition]!.length,
      isOver: false,
      lose: reason => this.#lost.set(session, reason),
      commit: (records, nextOffset, metadata) =>
        this.#process.call(() => {
          if (!this.#broker.isCurrent(group, topic, partition, epoch))
            throw new UpswellError('LOG_FENCED', `${group} ${topic}/${partition} belongs to another`)
          this.#broker.commit(group, topic, partition, records, nextOffset, metadata)
        }),
    }
    return session
  }
}

interface Loop {
  isEnded: boolean
  isWorking: boolean
}

interface LoopOptions extends Pick<ConsumeOptions, 'group' | 'handler' | 'batchSize'> {
  readonly topic: string
  readonly partition: number
}
