import { setImmediate } from 'node:timers/promises'
import { UpswellError } from '../errors.ts'
import type { LmdbEnvironment, PreparedWrite } from '../store/lmdb-environment.ts'
import { AppendBell } from './embedded-bell.ts'
import { type ConsumingClaim, claimConsuming } from './embedded-claim.ts'
import { type ConsumeProblem, type PartitionSource, startConsumption } from './embedded-consumption.ts'
import { EmbeddedRecords, type TopicPartition } from './embedded-records.ts'
import { type EmbeddedTopic, EmbeddedTopics, type TopicPartitions } from './embedded-topics.ts'
import type {
  ConsumeOptions,
  Consumption,
  Log,
  LogRecord,
  OutgoingRecord,
  PartitionSession,
  Position,
} from './log.ts'

/** How soon records that another process appended are seen. */
const POLL_MS = 100
/** Of `readAll`, between turns of the event loop. */
const RECORDS_PER_TURN = 1_000

export interface EmbeddedLogOptions {
  /** For a topic that is made now; one that exists must have this number. */
  readonly partitions: TopicPartitions
  /** Called when a handler threw, before the session is tried again. */
  readonly onProblem?: (problem: ConsumeProblem) => void
}

/**
 * The log port on LMDB. Any number of processes append and read; one of them consumes. Closing it leaves the environment open:
 * whoever opened that closes it.
 */
export class EmbeddedLog implements Log {
  readonly #environment: LmdbEnvironment
  readonly #topics: EmbeddedTopics
  readonly #records: EmbeddedRecords
  readonly #onProblem: (problem: ConsumeProblem) => void
  readonly #bell = new AppendBell()
  /** The living ones; a session that is not here commits nothing. */
  readonly #sessions = new Map<PartitionSession, SessionPlace>()
  /** What is consumed now, `group/topic` → by what. */
  readonly #consumptions = new Map<string, Consumption>()
  #claim: Promise<ConsumingClaim> | undefined

  constructor(environment: LmdbEnvironment, options: EmbeddedLogOptions) {
    this.#environment = environment
    this.#topics = new EmbeddedTopics(environment, options.partitions)
    this.#records = new EmbeddedRecords(environment)
    this.#onProblem = options.onProblem ?? (() => {})
  }

  async partitions(topic: string): Promise<number> {
    return (await this.#topicNamed(topic)).partitions
  }

  async append(records: readonly OutgoingRecord[]): Promise<Position[]> {
    const append = await this.#prepareAppend(records)
    const positions = await this.#environment.write('LOG_UNAVAILABLE', append)
    this.#ringFor(records, positions)
    return positions
  }

  /** @throws UpswellError LOG_FENCED: another process consumes; PARTITIONS_CHANGED */
  async consume(options: ConsumeOptions): Promise<Consumption> {
    const claim = await this.#claimed()
    const topics = await Promise.all(options.topics.map(topic => this.#topicNamed(topic)))
    const places = topics.flatMap(topic =>
      partitionsOf(topic).map(partition => ({ topic, partition, group: options.group, claim })),
    )
    return this.#start(options, places)
  }

  async *readAll(topicName: string): AsyncIterable<LogRecord> {
    const topic = this.#topics.find(topicName)
    if (topic === undefined) return
    const places = partitionsOf(topic).map(partition => ({ topic, partition }))
    const ends = this.#read(() => places.map(place => this.#records.end(place)))
    for (const [i, place] of places.entries()) {
      for (let offset = 0; offset < ends[i]!; ) {
        const limit = Math.min(RECORDS_PER_TURN, ends[i]! - offset)
        const records = this.#read(() => this.#records.read(place, offset, limit))
        yield* records
        offset = records.at(-1)!.offset + 1
        await setImmediate()
      }
    }
  }

  /**
   * What `PartitionSession.commit` does, with another write in the same transaction.
   * @throws UpswellError LOG_FENCED, LOG_UNAVAILABLE, or what the other write's check throws
   */
  async commitTogether(
    session: PartitionSession,
    records: readonly OutgoingRecord[],
    nextOffset: number,
    other: PreparedWrite,
  ): Promise<void> {
    try {
      const place = this.#placeOf(session)
      const append = await this.#prepareAppend(records)
      const commit = this.#records.prepareCommitted(place, place.group, nextOffset)
      const positions = await this.#environment.write('LOG_UNAVAILABLE', {
        check: () => {
          this.#placeOf(session).claim.requireHeld()
          other.check()
        },
        apply: () => {
          commit.apply()
          other.apply()
          return append.apply()
        },
      })
      this.#ringFor(records, positions)
    } catch (thrown) {
      this.#sessions.delete(session)
      throw thrown
    }
  }

  async ping(): Promise<void> {
    this.#read(() => this.#environment.meta.getKeysCount())
  }

  /** Finishes the batches under way and gives up the claim. */
  async close(): Promise<void> {
    await Promise.all([...this.#consumptions.values()].map(consumption => consumption.stop()))
    const claim = this.#claim
    this.#claim = undefined
    await (await claim)?.release()
  }

  #start(options: ConsumeOptions, places: readonly SessionPlace[]): Consumption {
    const { group, topics, handler, batchSize } = options
    const names = topics.map(topic => `${group}/${topic}`)
    const twice = names.find(name => this.#consumptions.has(name))
    if (twice !== undefined) throw new Error(`${twice} is consumed already`)

    const stopping = new AbortController()
    const poll = setInterval(() => this.#bell.ringAll(), POLL_MS)
    stopping.signal.addEventListener('abort', () => {
      clearInterval(poll)
      this.#bell.ringAll()
    })
    const sources = places.map(place => this.#sourceOf(place))
    const running = startConsumption({ sources, handler, batchSize, onProblem: this.#onProblem, stopping })
    const consumption: Consumption = {
      ...running,
      stop: async () => {
        await running.stop()
        // Asked a second time, it may be another consumption that stands there.
        for (const name of names) {
          if (this.#consumptions.get(name) === consumption) this.#consumptions.delete(name)
        }
      },
    }
    for (const name of names) this.#consumptions.set(name, consumption)
    return consumption
  }

  #sourceOf(place: SessionPlace): PartitionSource {
    const { topic, partition } = place
    return {
      topic: topic.name,
      partition,
      open: () => this.#openSession(place),
      close: session => this.#sessions.delete(session),
      read: (fromOffset, limit) => this.#read(() => this.#records.read(place, fromOffset, limit)),
      waitFor: async (offset, stopping) => {
        while (!stopping.aborted && this.#read(() => this.#records.end(place)) <= offset) {
          await this.#bell.wait(topic.name, partition)
        }
      },
    }
  }

  #openSession(place: SessionPlace): PartitionSession {
    const offsets = this.#read(() => {
      place.claim.requireHeld()
      return {
        committedOffset: this.#records.committed(place, place.group),
        endOffset: this.#records.end(place),
      }
    })
    const session: PartitionSession = {
      topic: place.topic.name,
      partition: place.partition,
      ...offsets,
      commit: (records, nextOffset) => this.commitTogether(session, records, nextOffset, NO_WRITE),
    }
    this.#sessions.set(session, place)
    return session
  }

  #placeOf(session: PartitionSession): SessionPlace {
    const place = this.#sessions.get(session)
    if (place !== undefined) return place
    throw new UpswellError('LOG_FENCED', `The session of ${session.topic}/${session.partition} is over.`)
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

  async #prepareAppend(records: readonly OutgoingRecord[]): Promise<PreparedWrite<Position[]>> {
    const topics = await this.#topics.ensure(records.map(record => record.topic))
    return this.#records.prepareAppend(records, topics)
  }

  async #topicNamed(name: string): Promise<EmbeddedTopic> {
    return (await this.#topics.ensure([name])).get(name)!
  }

  #ringFor(records: readonly OutgoingRecord[], positions: readonly Position[]): void {
    for (const [i, record] of records.entries()) this.#bell.ring(record.topic, positions[i]!.partition)
  }

  #read<Result>(action: () => Result): Result {
    return this.#environment.read('LOG_UNAVAILABLE', action)
  }
}

/** Where a session reads and commits. */
interface SessionPlace extends TopicPartition {
  readonly group: string
  readonly claim: ConsumingClaim
}

const NO_WRITE: PreparedWrite = { check: () => {}, apply: () => {} }

function partitionsOf(topic: EmbeddedTopic): number[] {
  return Array.from({ length: topic.partitions }, (_, partition) => partition)
}
