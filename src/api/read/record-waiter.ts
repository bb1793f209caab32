import { partitionOf } from '../../log/partition-of.ts'
import { Problem } from '../plugins/problems.ts'
import type { RequestsUnderWay } from '../plugins/requests-under-way.ts'
import type { Partitions } from './partitions.ts'
import { formatSequence, type Sequence } from './sequence.ts'

const MAX_WAIT_MS = 5000
/**
 * Most records are stored sooner (`UPSWELL_FLUSH_INTERVAL_MS`). On Kafka a question takes a new connection,
 * so only requests that wait longer ask.
 */
const ASK_LOG_AFTER_MS = 500

/**
 * The offset of the next record of a partition of `signals`. Undefined: there is no such partition.
 * @throws UpswellError LOG_UNAVAILABLE
 */
export type EndOfLog = (partition: number) => Promise<number | undefined>

/** Lets requests wait for a record, as `?after=` asks for. */
export class RecordWaiter {
  readonly #requests: Pick<RequestsUnderWay, 'isStopping'>
  readonly #endOfLog: EndOfLog
  /** A log only grows, so most waiting requests need not ask where it ends. */
  readonly #knownEnds = new Map<number, number>()
  readonly #asked = new Map<number, Promise<void>>()

  constructor(requests: Pick<RequestsUnderWay, 'isStopping'>, endOfLog: EndOfLog) {
    this.#requests = requests
    this.#endOfLog = endOfLog
  }

  /**
   * Returns once the store holds the record: what is read next includes it.
   * @param isGone whether the client has closed the connection
   * @throws Problem WRONG_PARTITION, UNKNOWN_SEQUENCE; NOT_CAUGHT_UP after 5 s, or at once if the store is
   * empty; STOPPING
   */
  async wait(
    partitions: Partitions,
    accountId: string,
    sequence: Sequence,
    isGone: () => boolean,
  ): Promise<void> {
    const count = await partitions.count()
    if (count === undefined) throw new Problem('NOT_CAUGHT_UP', 'Nothing has been scored yet. Ask again.')
    const own = partitionOf(accountId, count)
    if (sequence.partition !== own) {
      throw new Problem(
        'WRONG_PARTITION',
        `after is ${formatSequence(sequence)}, but this account's records are in partition ${own}; the sequence of one of them is accepted.`,
      )
    }
    const startedAt = performance.now()
    let storedOffset = await partitions.storedOffset(own)
    let hasAskedLog = false
    let end: number | undefined
    while (storedOffset <= sequence.offset) {
      if (end !== undefined) throw unknownSequence(sequence, end)
      if (this.#requests.isStopping) throw stopping(sequence)
      const waitedMs = performance.now() - startedAt
      if (isGone() || waitedMs >= MAX_WAIT_MS) throw notCaughtUp(sequence, storedOffset)
      if (!hasAskedLog && waitedMs >= ASK_LOG_AFTER_MS) {
        hasAskedLog = true
        // Not awaited: the record may be stored sooner. While the log does not answer, the wait goes on.
        void this.#endBefore(sequence).then(
          found => {
            end = found
          },
          () => {},
        )
      }
      storedOffset = await partitions.nextStoredOffset(own)
    }
  }

  /** The partition's end if the log has no such record; else undefined. @throws as `EndOfLog` */
  async #endBefore(sequence: Sequence): Promise<number | undefined> {
    const { partition } = sequence
    if (this.#isKnown(sequence)) return undefined
    // A question that is under way may have been asked before the record was written.
    await this.#asked.get(partition)?.catch(() => {})
    if (!this.#isKnown(sequence)) await this.#readEnd(partition)
    return this.#isKnown(sequence) ? undefined : this.#knownEnds.get(partition)
  }

  #isKnown({ partition, offset }: Sequence): boolean {
    return offset < (this.#knownEnds.get(partition) ?? 0)
  }

  /** Requests at the same time share one question. */
  #readEnd(partition: number): Promise<void> {
    const asked = this.#asked.get(partition)
    if (asked !== undefined) return asked
    const asking = this.#endOfLog(partition)
      .then(end => {
        if (end !== undefined) this.#knownEnds.set(partition, end)
      })
      .finally(() => this.#asked.delete(partition))
    this.#asked.set(partition, asking)
    return asking
  }
}

function unknownSequence(sequence: Sequence, end: number): Problem {
  return new Problem(
    'UNKNOWN_SEQUENCE',
    `after is ${formatSequence(sequence)}, but the log ends before ${sequence.partition}:${end}. ce_sequence of an event of this installation is accepted, and the sequence that POST /v1/signals answered.`,
  )
}

function notCaughtUp(sequence: Sequence, storedOffset: number): Problem {
  return new Problem(
    'NOT_CAUGHT_UP',
    `The record ${formatSequence(sequence)} was not in the store after ${MAX_WAIT_MS / 1000} s; the store holds the records before ${sequence.partition}:${storedOffset}. Ask again.`,
  )
}

function stopping(sequence: Sequence): Problem {
  return new Problem(
    'STOPPING',
    `This process is stopping, and the record ${formatSequence(sequence)} is not in the store yet. Ask again; another process answers.`,
  )
}
