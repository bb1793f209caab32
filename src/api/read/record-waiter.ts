import { partitionOf } from '../../log/partition-of.ts'
import { Problem } from '../plugins/problems.ts'
import type { RequestsUnderWay } from '../plugins/requests-under-way.ts'
import type { Partitions } from './partitions.ts'
import { formatSequence, type Sequence } from './sequence.ts'

const MAX_WAIT_MS = 5000

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
  readonly #asked = new Map<number, Promise<number | undefined>>()

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
    const deadline = performance.now() + MAX_WAIT_MS
    let storedOffset = await partitions.storedOffset(own)
    if (storedOffset > sequence.offset) return
    await this.#requireInLog(sequence)
    while (storedOffset <= sequence.offset) {
      if (this.#requests.isStopping) throw stopping(sequence)
      if (isGone() || performance.now() >= deadline) throw notCaughtUp(sequence, storedOffset)
      storedOffset = await partitions.nextStoredOffset(own)
    }
  }

  /** Nobody waits for a record that was never written. While the log does not answer, that is unknown. */
  async #requireInLog(sequence: Sequence): Promise<void> {
    const { partition, offset } = sequence
    if (offset < (this.#knownEnds.get(partition) ?? 0)) return
    const end = await this.#readEnd(partition).catch(() => undefined)
    if (end === undefined || offset < end) return
    throw new Problem(
      'UNKNOWN_SEQUENCE',
      `after is ${formatSequence(sequence)}, but the log ends before ${partition}:${end}. ce_sequence of an event of this installation is accepted, and the sequence that POST /v1/signals answered.`,
    )
  }

  /** Requests at the same time share one question. */
  #readEnd(partition: number): Promise<number | undefined> {
    const asked = this.#asked.get(partition)
    if (asked !== undefined) return asked
    const asking = this.#endOfLog(partition)
      .then(end => {
        if (end !== undefined) this.#knownEnds.set(partition, end)
        return end
      })
      .finally(() => this.#asked.delete(partition))
    this.#asked.set(partition, asking)
    return asking
  }
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
