import { UpswellError } from '../../lib/errors.ts'
import type { LmdbEnvironment, PreparedWrite } from '../../lib/lmdb/lmdb-environment.ts'
import type { OutgoingRecord, PartitionSession, Position } from '../log.ts'
import { type LogMeter, meterCommit } from '../log-meter.ts'
import type { AppendBell } from './append-bell.ts'
import type { ConsumingClaim } from './claim.ts'
import type { OpenSession } from './consumption.ts'
import type { EmbeddedTopics } from './lmdb-topics.ts'
import type { EmbeddedRecords, TopicPartition } from './record-tables.ts'

/** A partition that this process consumes for a group. */
export interface ConsumedPartition extends TopicPartition {
  readonly group: string
  readonly claim: ConsumingClaim
}

const NO_WRITE: PreparedWrite = { check: () => {}, apply: () => {} }

/** Appends records, alone or together with a session's committed offset. Knows the open sessions. */
export class EmbeddedWrites {
  readonly #environment: LmdbEnvironment
  readonly #topics: EmbeddedTopics
  readonly #records: EmbeddedRecords
  readonly #bell: AppendBell
  readonly #meter: LogMeter | undefined
  /** The open sessions. Any other session cannot commit. */
  readonly #sessions = new Map<PartitionSession, ConsumedPartition>()

  constructor(
    environment: LmdbEnvironment,
    topics: EmbeddedTopics,
    records: EmbeddedRecords,
    bell: AppendBell,
    meter?: LogMeter,
  ) {
    this.#environment = environment
    this.#topics = topics
    this.#records = records
    this.#bell = bell
    this.#meter = meter
  }

  async append(records: readonly OutgoingRecord[]): Promise<Position[]> {
    const append = await this.#prepareAppend(records)
    const positions = await this.#environment.write('LOG_UNAVAILABLE', append)
    this.#ringFor(records, positions)
    return positions
  }

  /** @throws UpswellError LOG_FENCED, LOG_UNAVAILABLE */
  openSession(consumed: ConsumedPartition): OpenSession {
    let lost: { readonly reason: unknown } | undefined
    const offsets = this.#environment.read('LOG_UNAVAILABLE', () => {
      consumed.claim.requireHeld()
      this.#topics.requireThere([consumed.topic])
      return {
        committedOffset: this.#records.committed(consumed, consumed.group),
        committedMetadata: this.#records.committedMetadata(consumed, consumed.group),
        firstOffset: 0,
        endOffset: this.#records.end(consumed),
      }
    })
    const sessions = this.#sessions
    const session: PartitionSession = {
      topic: consumed.topic.name,
      partition: consumed.partition,
      ...offsets,
      get isOver() {
        return sessions.get(session) === undefined
      },
      commit: (records, nextOffset, metadata) =>
        this.commit(session, records, nextOffset, NO_WRITE, metadata),
      lose: reason => {
        lost ??= { reason }
        this.#sessions.delete(session)
        this.#bell.ring(consumed.topic.name, consumed.partition)
      },
    }
    this.#sessions.set(session, consumed)
    return { session, lost: () => lost }
  }

  /** The session's commits are refused from now on. */
  closeSession(session: PartitionSession): void {
    this.#sessions.delete(session)
  }

  /**
   * Commits like `PartitionSession.commit`, with another write in the same transaction.
   * @throws UpswellError LOG_FENCED, LOG_UNAVAILABLE, or the error of the other write's check
   */
  async commit(
    session: PartitionSession,
    records: readonly OutgoingRecord[],
    nextOffset: number,
    other: PreparedWrite,
    metadata?: string,
  ): Promise<void> {
    try {
      const consumed = this.#consumedBy(session)
      const append = await this.#prepareAppend(records)
      const commit = this.#records.prepareCommitted(consumed, consumed.group, nextOffset, metadata)
      const write = {
        check: () => {
          this.#consumedBy(session).claim.requireHeld()
          this.#topics.requireThere([consumed.topic])
          append.check()
          other.check()
        },
        apply: () => {
          commit.apply()
          other.apply()
          return append.apply()
        },
      }
      await meterCommit(this.#meter, consumed.group, async () => {
        this.#ringFor(records, await this.#environment.write('LOG_UNAVAILABLE', write))
      })
    } catch (thrown) {
      this.#sessions.delete(session)
      throw thrown
    }
  }

  #consumedBy(session: PartitionSession): ConsumedPartition {
    const consumed = this.#sessions.get(session)
    if (consumed !== undefined) return consumed
    throw new UpswellError('LOG_FENCED', `The session of ${session.topic}/${session.partition} is over.`)
  }

  async #prepareAppend(records: readonly OutgoingRecord[]): Promise<PreparedWrite<Position[]>> {
    const topics = await this.#topics.ensure(records.map(record => record.topic))
    const { apply } = this.#records.prepareAppend(records, topics)
    return { check: () => this.#topics.requireThere(topics.values()), apply }
  }

  #ringFor(records: readonly OutgoingRecord[], positions: readonly Position[]): void {
    for (const [i, record] of records.entries()) this.#bell.ring(record.topic, positions[i]!.partition)
  }
}
