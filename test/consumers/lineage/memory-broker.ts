import { setTimeout as sleep } from 'node:timers/promises'
import { UpswellError } from '../../../src/lib/errors.ts'
import type { LogRecord, OutgoingRecord, Position } from '../../../src/log/log.ts'
import { partitionOf } from '../../../src/log/partition-of.ts'
import { logRecord } from '../../support/log-record.ts'

/** A member of a group that reads one topic. */
export interface Member {
  assign(partitions: readonly number[]): void
}

/**
 * Topics, groups and offsets in memory. Each call takes effect at once. As in Kafka, records written together
 * are followed by a marker, so that offsets have gaps.
 */
export class MemoryBroker {
  readonly topics = new Map<string, (LogRecord | undefined)[][]>()
  readonly now: () => number
  /** Group, topic and partition → offset. */
  readonly #offsets = new Map<string, number>()
  /** The metadata committed with each offset. */
  readonly #metadata = new Map<string, string | undefined>()
  readonly #epochs = new Map<string, number>()
  /** Group and topic → members. */
  readonly #members = new Map<string, Member[]>()

  constructor(now: () => number) {
    this.now = now
  }

  partitions(topic: string): number {
    return this.log(topic).length
  }

  log(topic: string): (LogRecord | undefined)[][] {
    const found = this.topics.get(topic)
    if (found === undefined) throw new UpswellError('TOPIC_MISSING', `there is no topic ${topic}`)
    return found
  }

  createTopic(name: string, partitions: number): void {
    if (this.topics.has(name)) return
    this.topics.set(
      name,
      Array.from({ length: partitions }, () => []),
    )
  }

  append(records: readonly OutgoingRecord[]): Position[] {
    const positions = records.map(record => this.#write(record))
    if (records.length > 1) this.#mark(records, positions)
    return positions
  }

  /** Takes a partition over: earlier owners cannot commit any more. */
  fence(group: string, topic: string, partition: number): number {
    const key = keyOf(group, topic, partition)
    const epoch = (this.#epochs.get(key) ?? 0) + 1
    this.#epochs.set(key, epoch)
    return epoch
  }

  isCurrent(group: string, topic: string, partition: number, epoch: number): boolean {
    return this.#epochs.get(keyOf(group, topic, partition)) === epoch
  }

  /** Writes records and offset together. */
  commit(
    group: string,
    topic: string,
    partition: number,
    records: readonly OutgoingRecord[],
    offset: number,
    metadata?: string,
  ): void {
    const positions = records.map(record => this.#write(record))
    this.#mark(records, positions)
    this.#offsets.set(keyOf(group, topic, partition), offset)
    this.#metadata.set(keyOf(group, topic, partition), metadata)
  }

  committed(group: string, topic: string, partition: number): number | undefined {
    return this.#offsets.get(keyOf(group, topic, partition))
  }

  metadata(group: string, topic: string, partition: number): string | undefined {
    return this.#metadata.get(keyOf(group, topic, partition))
  }

  forget(isOne: (key: string) => boolean): void {
    for (const key of [...this.#offsets.keys()]) if (isOne(key)) this.#offsets.delete(key)
  }

  hasMembers(group: string): boolean {
    return [...this.#members].some(([key, members]) => key.startsWith(`${group}|`) && members.length > 0)
  }

  join(group: string, topic: string, member: Member): void {
    this.#change(group, topic, members => [...members, member])
  }

  leave(group: string, topic: string, member: Member): void {
    this.#change(group, topic, members => members.filter(other => other !== member))
  }

  /** All records of a topic, in the order of its partitions. */
  all(topic: string): LogRecord[] {
    return this.log(topic)
      .flat()
      .filter(record => record !== undefined)
  }

  records(topic: string, partition: number): LogRecord[] {
    return this.log(topic)[partition]!.filter(record => record !== undefined)
  }

  /** The next records from an offset on. */
  next(topic: string, partition: number, from: number, most: number): LogRecord[] {
    const records: LogRecord[] = []
    const log = this.log(topic)[partition]!
    for (let offset = from; offset < log.length && records.length < most; offset++) {
      const record = log[offset]
      if (record !== undefined) records.push(record)
    }
    return records
  }

  #change(group: string, topic: string, to: (members: Member[]) => Member[]): void {
    const key = `${group}|${topic}`
    const members = to(this.#members.get(key) ?? [])
    this.#members.set(key, members)
    const partitions = Array.from(
      { length: this.topics.get(topic)?.length ?? 0 },
      (_, partition) => partition,
    )
    for (const [i, member] of members.entries())
      member.assign(partitions.filter(partition => partition % members.length === i))
  }

  #write(record: OutgoingRecord): Position {
    const { topic, key } = record
    const partitions = this.log(topic)
    const partition = record.partition ?? partitionOf(String(key ?? ''), partitions.length)
    const log = partitions[partition]!
    const offset = log.length
    log.push(logRecord(partition, offset, record, this.now()))
    return { partition, offset }
  }

  #mark(records: readonly OutgoingRecord[], positions: readonly Position[]): void {
    const partitions = new Set(records.map(({ topic }, i) => `${positions[i]!.partition}/${topic}`))
    for (const partition of partitions) {
      const cut = partition.indexOf('/')
      this.log(partition.slice(cut + 1))[Number(partition.slice(0, cut))]!.push(undefined)
    }
  }
}

function keyOf(group: string, topic: string, partition: number): string {
  return `${group}|${topic}|${partition}`
}

/** Waits until a condition holds that other parts of this process bring about. */
export async function until(
  what: string,
  is: () => boolean | Promise<boolean>,
  forMs = 45_000,
): Promise<void> {
  for (const end = performance.now() + forMs; !(await is()); await sleep(2))
    if (performance.now() > end) throw new Error(`still not after ${forMs} ms: ${what}`)
}
