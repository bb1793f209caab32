import { UpswellError } from '../../../src/lib/errors.ts'
import type { Log, LogRecord, OutgoingRecord, Position, Stretch } from '../../../src/log/log.ts'
import { partitionOf } from '../../../src/log/partition-of.ts'
import { logRecord } from '../../support/log-record.ts'

/** What becomes of one append. */
export type Append = 'answered' | 'written, but not answered' | 'not written'

/** The log of a topic with two partitions, whose appends can fail. */
export class MemoryLog {
  readonly partitions: readonly LogRecord[][] = [[], []]
  /** How many records each append had. */
  readonly appends: number[] = []
  /** Decides about the i-th append. */
  onAppend: (i: number) => Append = () => 'answered'

  /** The part of the port that `send` needs. */
  readonly log = {
    partitions: async () => this.partitions.length,
    append: async (records: readonly OutgoingRecord[]) => this.#append(records),
    ranges: async () => new Map(this.partitions.map((records, i) => [i, { first: 0, end: records.length }])),
    read: (_: string, stretches: readonly Stretch[]) => this.#read(stretches),
  } as unknown as Log

  add(records: readonly OutgoingRecord[]): Position[] {
    return records.map(record => {
      const partition = record.partition ?? partitionOf(record.key!, this.partitions.length)
      const offset = this.partitions[partition]!.length
      this.partitions[partition]!.push(logRecord(partition, offset, record))
      return { partition, offset }
    })
  }

  #append(records: readonly OutgoingRecord[]): Position[] {
    const how = this.onAppend(this.appends.length)
    this.appends.push(records.length)
    const positions = how === 'not written' ? [] : this.add(records)
    if (how === 'answered') return positions
    throw new UpswellError('LOG_UNAVAILABLE', 'the broker is away', { canRetry: true })
  }

  async *#read(stretches: readonly Stretch[]): AsyncGenerator<LogRecord> {
    for (const { partition, from, to } of stretches) yield* this.partitions[partition]!.slice(from, to)
  }
}
