import type { Log, LogRecord, OffsetRange, OutgoingRecord, Position, Stretch } from '../../../src/log/log.ts'
import { logRecord } from '../../support/log-record.ts'

type Reading = Pick<Log, 'append' | 'ranges' | 'read' | 'topics'>

/** Topics of one partition each, in memory, with compaction and retention. */
export class MemoryLog implements Reading {
  readonly #records = new Map<string, LogRecord[]>()
  readonly #firsts = new Map<string, number>()
  readonly #ends = new Map<string, number>()

  constructor(topics: readonly string[]) {
    for (const topic of topics) this.#records.set(topic, [])
  }

  async append(outgoing: readonly OutgoingRecord[]): Promise<Position[]> {
    return outgoing.map(record => {
      const offset = this.end(record.topic)
      this.#ends.set(record.topic, offset + 1)
      this.records(record.topic).push(logRecord(0, offset, record))
      return { partition: 0, offset }
    })
  }

  async ranges(topic: string): Promise<ReadonlyMap<number, OffsetRange>> {
    return new Map([[0, { first: this.first(topic), end: this.end(topic) }]])
  }

  async *read(topic: string, stretches: readonly Stretch[]): AsyncGenerator<LogRecord> {
    for (const { from, to } of stretches)
      for (const record of [...this.records(topic)])
        if (record.offset >= from && record.offset < to) yield record
  }

  async topics(): Promise<string[]> {
    return [...this.#records.keys()]
  }

  records(topic: string): LogRecord[] {
    return this.#records.get(topic)!
  }

  first(topic: string): number {
    return this.#firsts.get(topic) ?? 0
  }

  end(topic: string): number {
    return this.#ends.get(topic) ?? 0
  }

  /** Keeps only the newest record of each key below an offset. */
  compact(topic: string, below: number): void {
    const newest = new Map<string, number>()
    for (const { key, offset } of this.records(topic)) if (offset < below) newest.set(String(key), offset)
    this.replace(topic, record =>
      record.offset >= below || newest.get(String(record.key)) === record.offset ? record : undefined,
    )
  }

  /** Retention deletes all records below an offset. */
  deleteBelow(topic: string, offset: number): void {
    this.#firsts.set(topic, offset)
    this.replace(topic, record => (record.offset < offset ? undefined : record))
  }

  /** @param by undefined removes the record */
  replace(topic: string, by: (record: LogRecord) => LogRecord | undefined): void {
    const left = this.records(topic)
      .map(by)
      .filter(record => record !== undefined)
    this.#records.set(topic, left)
  }
}
