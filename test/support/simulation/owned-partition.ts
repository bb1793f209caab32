import { UpswellError } from '../../../src/lib/errors.ts'
import type {
  LogRecord,
  OffsetRange,
  OutgoingRecord,
  PartitionHandler,
  PartitionSession,
  Position,
} from '../../../src/log/log.ts'
import type { Fetched } from './broker.ts'
import type { TopicPartition } from './group.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Wiring } from './wiring.ts'

export interface Writer {
  write(
    records: readonly OutgoingRecord[],
    offset: WrittenOffset | undefined,
    mayCommit: () => boolean,
  ): Promise<Position[]>
}

export interface WrittenOffset extends TopicPartition {
  readonly group: string
  readonly nextOffset: number
  readonly metadata?: string | undefined
}

/** The part of a log client that an owned partition uses. */
export interface PartitionClient {
  readonly process: Pick<SimulatedProcess, 'sleep'>
  fetch(topicPartition: TopicPartition, from: number, most: number): Promise<Fetched>
  groupOffset(group: string, topicPartition: TopicPartition): Promise<GroupOffset>
  openWriter(id: string): Promise<Writer>
}

/** The group's committed offset in a partition, and the partition's range. */
export interface GroupOffset extends OffsetRange {
  readonly committed: number
  readonly metadata: string | undefined
}

export interface OwnedPartitionContext {
  readonly client: PartitionClient
  readonly group: string
  readonly handler: PartitionHandler
  readonly batchSize: number
  readonly wiring: Wiring
  /** Resolves when this process has released the partition that an earlier generation gave it. */
  readonly predecessor: Promise<void>
}

/**
 * A partition while one generation of the group gives it to this process. Holds one session after another, as
 * the Kafka adapter does.
 */
export class OwnedPartition {
  readonly ended: Promise<void>
  readonly topicPartition: TopicPartition
  isWorking = false
  readonly #context: OwnedPartitionContext
  #isOver = false
  #session: LiveSession | undefined
  #busy = false

  constructor(topicPartition: TopicPartition, context: OwnedPartitionContext) {
    this.topicPartition = topicPartition
    this.#context = context
    this.ended = this.#run()
  }

  /** @param afterCall the batch under way may still be committed */
  end(afterCall: boolean): void {
    this.#isOver = true
    if (!afterCall || !this.#busy) this.#session?.end()
  }

  async #run(): Promise<void> {
    await this.#context.predecessor
    let delayMs = 100
    while (!this.#isOver) {
      await this.#holdSession()
      if (this.#isOver) return
      await this.#context.client.process.sleep(delayMs)
      delayMs = Math.min(delayMs * 2, 2_000)
    }
  }

  async #holdSession(): Promise<void> {
    const { client, group, handler, wiring } = this.#context
    const { topic, partition } = this.topicPartition
    let assigned: LiveSession | undefined
    try {
      const early = wiring.readsOffsetBeforeFence
        ? await client.groupOffset(group, this.topicPartition)
        : undefined
      const writer = await client.openWriter(`${group}-${topic}-${partition}`)
      const range = early ?? (await client.groupOffset(group, this.topicPartition))
      const { end, first } = range
      const session = new LiveSession(this.topicPartition, range, async (records, nextOffset, metadata) => {
        if (session.isOver) throw over(this.topicPartition)
        const offset = { group, ...this.topicPartition, nextOffset, metadata }
        await writer.write(records, offset, () => !session.isOver)
      })
      if (this.#isOver) return
      this.#session = session
      assigned = session
      const offset = await handler.assigned(session)
      if (offset > end) throw new UpswellError('LOG_UNAVAILABLE', `${topic} ends at ${end}, not ${offset}`)
      this.isWorking = true
      await this.#work(session, Math.max(offset, first))
    } catch {
      // Any error ends the session. The next one begins with a fence.
    } finally {
      this.isWorking = false
      this.#session = undefined
      assigned?.end()
      if (assigned !== undefined) handler.released(assigned)
    }
  }

  async #work(session: LiveSession, from: number): Promise<void> {
    const { client, handler, batchSize } = this.#context
    let position = from
    while (!this.#isOver && !session.isOver) {
      const fetched = await Promise.race([
        client.fetch(this.topicPartition, position, batchSize),
        session.ended,
      ])
      if (fetched === undefined || this.#isOver || session.isOver) return
      if (fetched.records.length > 0) await this.#process(handler, session, fetched.records)
      position = fetched.nextOffset
    }
  }

  async #process(
    handler: PartitionHandler,
    session: LiveSession,
    records: readonly LogRecord[],
  ): Promise<void> {
    this.#busy = true
    try {
      await handler.process(session, records)
    } finally {
      this.#busy = false
    }
  }
}

class LiveSession implements PartitionSession {
  readonly topic: string
  readonly partition: number
  readonly committedOffset: number
  readonly committedMetadata: string | undefined
  readonly firstOffset: number
  readonly endOffset: number
  readonly commit: PartitionSession['commit']
  readonly ended: Promise<undefined>
  isOver = false
  #resolve!: (nothing: undefined) => void

  constructor(
    topicPartition: TopicPartition,
    { committed, metadata, first, end }: GroupOffset,
    commit: PartitionSession['commit'],
  ) {
    this.topic = topicPartition.topic
    this.partition = topicPartition.partition
    this.committedOffset = committed
    this.committedMetadata = metadata
    this.firstOffset = first
    this.endOffset = end
    this.commit = commit
    this.ended = new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  end(): void {
    this.isOver = true
    this.#resolve(undefined)
  }

  /** Ends the session, whatever the reason. The next one begins with a fence. */
  lose(): void {
    this.end()
  }
}

function over({ topic, partition }: TopicPartition): UpswellError {
  return new UpswellError('LOG_FENCED', `the session of ${topic}/${partition} is over`)
}
