import { UpswellError } from '../../../src/lib/errors.ts'
import type { LogRecord, OutgoingRecord, Position } from '../../../src/log/log.ts'
import { partitionOf } from '../../../src/log/partition-of.ts'
import { headersOf } from '../log-record.ts'

/**
 * Kafka's rules in memory. Each call takes effect at once. Partitions have gaps in their offsets for
 * transaction markers. A transactional id has epochs. A reader sees a transaction's records after its marker
 * is written, and no record after an open transaction. A transaction can commit offsets of a group.
 */
export class Broker {
  readonly #topics = new Map<string, BrokerPartition[]>()
  readonly #producers = new Map<string, Producer>()
  /** `group/topic/partition` → offset. */
  readonly #offsets = new Map<string, number>()
  /** The metadata committed with each offset. */
  readonly #metadata = new Map<string, string | undefined>()
  /** Offsets as of the decision to commit. Their markers may not be written yet. */
  readonly #decided = new Map<string, number>()
  readonly #unfinished = new Set<Transaction>()
  readonly #later: BrokerTiming

  constructor(later: BrokerTiming) {
    this.#later = later
  }

  createTopic(name: string, partitions: number): void {
    this.#topics.set(
      name,
      Array.from({ length: partitions }, (_, partition) => ({
        topic: name,
        partition,
        entries: [],
        readers: [],
        first: 0,
        compactedTo: 0,
      })),
    )
  }

  partitions(topic: string): number {
    return this.#topics.get(topic)!.length
  }

  topics(): string[] {
    return [...this.#topics.keys()]
  }

  deleteTopic(name: string): void {
    this.#topics.delete(name)
    this.#forgetOffsets(key => key.split('/')[1] === name)
  }

  deleteGroup(name: string): void {
    this.#forgetOffsets(key => key.split('/')[0] === name)
  }

  /**
   * Takes over the transactional id and fences earlier epochs. `busy`: a transaction of an earlier epoch has
   * not ended; ask again.
   */
  initProducer(id: string, fences: boolean): { readonly epoch: number } | 'busy' {
    const producer = this.#producers.get(id) ?? { epoch: 0, transaction: undefined }
    this.#producers.set(id, producer)
    if (fences) producer.epoch += 1
    const { transaction } = producer
    if (transaction?.state === 'open') this.#end(transaction, 'aborting')
    if (transaction !== undefined && transaction.state !== 'ended') return 'busy'
    return { epoch: producer.epoch }
  }

  /** Appends records without a transaction. They are visible at once. */
  append(records: readonly OutgoingRecord[]): Position[] {
    return records.map(record => this.#write(record, undefined))
  }

  /**
   * Appends records of a transaction; the first of them begins it. `busy`: the previous one has not ended;
   * ask again.
   */
  produce(id: string, epoch: number, records: readonly OutgoingRecord[]): Position[] | 'busy' {
    const transaction = this.#transactionOf(id, epoch)
    if (transaction === 'busy') return 'busy'
    return records.map(record => this.#write(record, transaction))
  }

  /** Moves the group's offset when the transaction commits. */
  addOffset(
    id: string,
    epoch: number,
    group: string,
    topic: string,
    partition: number,
    offset: number,
    metadata?: string,
  ): undefined | 'busy' {
    const transaction = this.#transactionOf(id, epoch)
    if (transaction === 'busy') return 'busy'
    transaction.offsets.push([offsetKey(group, topic, partition), offset, metadata])
    return undefined
  }

  /** The decision is made when this returns. The markers follow. */
  endTransaction(id: string, epoch: number, how: 'commit' | 'abort'): void {
    const producer = this.#requireEpoch(id, epoch)
    const { transaction } = producer
    if (transaction?.state !== 'open') {
      if (how === 'abort') return
      throw new UpswellError('LOG_UNAVAILABLE', `${id} has no open transaction`)
    }
    this.#end(transaction, how === 'commit' ? 'committing' : 'aborting')
  }

  /**
   * Records that a `read_committed` reader gets from this offset on, and the next offset. Waits until there
   * is one.
   * @throws UpswellError LOG_UNAVAILABLE if retention has deleted the offset
   */
  fetch(
    topic: string,
    partition: number,
    from: number,
    most: number,
    uncommitted: boolean,
  ): Promise<Fetched> {
    const log = this.#log(topic, partition)
    if (from < log.first)
      throw new UpswellError(
        'LOG_UNAVAILABLE',
        `${topic}/${partition} begins at ${log.first}, not at ${from}`,
      )
    const fetched = read(log, from, most, uncommitted)
    if (fetched.nextOffset > from) return Promise.resolve(fetched)
    return new Promise(resolve => {
      log.readers.push(() => {
        const found = read(log, from, most, uncommitted)
        if (found.nextOffset === from) return false
        resolve(found)
        return true
      })
    })
  }

  /**
   * Records that a `read_committed` reader gets at once from this offset on, and the next offset. If the next
   * record is undecided, the next offset is `from`.
   */
  read(topic: string, partition: number, from: number, most: number): Fetched {
    return read(this.#log(topic, partition), from, most, false)
  }

  /** The group's offset in each partition, without partitions in which it never committed. */
  committedOffsets(group: string, topic: string): Map<number, number> {
    const offsets = new Map<number, number>()
    for (let partition = 0; partition < this.partitions(topic); partition++) {
      const offset = this.#offsets.get(offsetKey(group, topic, partition))
      if (offset !== undefined) offsets.set(partition, offset)
    }
    return offsets
  }

  committedOffset(group: string, topic: string, partition: number): number {
    return this.#offsets.get(offsetKey(group, topic, partition)) ?? 0
  }

  committedMetadata(group: string, topic: string, partition: number): string | undefined {
    return this.#metadata.get(offsetKey(group, topic, partition))
  }

  decidedOffset(group: string, topic: string, partition: number): number {
    return this.#decided.get(offsetKey(group, topic, partition)) ?? 0
  }

  /** Sets an offset as an operator does. */
  setOffset(group: string, topic: string, partition: number, offset: number): void {
    this.#offsets.set(offsetKey(group, topic, partition), offset)
    this.#metadata.delete(offsetKey(group, topic, partition))
    this.#decided.set(offsetKey(group, topic, partition), offset)
  }

  /** The first offset that can be read. */
  firstOffset(topic: string, partition: number): number {
    return this.#log(topic, partition).first
  }

  /** Deletes records as retention does. */
  deleteBefore(topic: string, partition: number, offset: number): void {
    const log = this.#log(topic, partition)
    log.first = Math.max(log.first, offset)
  }

  /**
   * Compacts as Kafka's cleaner does: below `before`, up to the first undecided record, it keeps the newest
   * record of each key.
   */
  compact(topic: string, partition: number, before: number): void {
    const log = this.#log(topic, partition)
    const undecided = log.entries.findIndex(entry => !isDecided(entry, log))
    const to = Math.min(before, undecided < 0 ? log.entries.length : undecided)
    const newer = new Set<string>()
    for (const entry of log.entries.slice(0, to).reverse()) {
      if (!isCommitted(entry)) continue
      const key = String(entry.record!.key)
      if (newer.has(key)) entry.isRemoved = true
      newer.add(key)
    }
    log.compactedTo = Math.max(log.compactedTo, to)
  }

  /** Below this offset only the newest record of each key is sure to be there. */
  compactedTo(topic: string, partition: number): number {
    return this.#log(topic, partition).compactedTo
  }

  endOffset(topic: string, partition: number): number {
    return this.#log(topic, partition).entries.length
  }

  /** The offset after the last committed record. */
  committedEnd(topic: string, partition: number): number {
    const last = this.#log(topic, partition).entries.findLast(isCommitted)
    return last === undefined ? 0 : last.offset + 1
  }

  /** All records of a partition, whatever the state of their transactions. */
  writtenRecords(topic: string, partition: number): LogRecord[] {
    return this.#log(topic, partition).entries.flatMap(({ record }) => record ?? [])
  }

  /**
   * All committed records of a partition with the transactional ids that wrote them, and the broker's time
   * then, including records deleted since.
   */
  committedRecords(topic: string, partition: number): WrittenRecord[] {
    return this.#log(topic, partition)
      .entries.filter(isCommitted)
      .map(({ record, transaction, writtenAt }) => ({ record: record!, writer: transaction?.id, writtenAt }))
  }

  /** Whether every transaction has ended and all its markers are written. */
  isQuiet(): boolean {
    return this.#unfinished.size === 0
  }

  #forgetOffsets(isOne: (key: string) => boolean): void {
    for (const offsets of [this.#offsets, this.#decided])
      for (const key of [...offsets.keys()]) if (isOne(key)) offsets.delete(key)
  }

  #log(topic: string, partition: number): BrokerPartition {
    return this.#topics.get(topic)![partition]!
  }

  #requireEpoch(id: string, epoch: number): Producer {
    const producer = this.#producers.get(id)
    if (producer === undefined || producer.epoch !== epoch)
      throw new UpswellError('LOG_FENCED', `epoch ${epoch} of ${id} is over, it is ${producer?.epoch} now`)
    return producer
  }

  #transactionOf(id: string, epoch: number): Transaction | 'busy' {
    const producer = this.#requireEpoch(id, epoch)
    const { transaction } = producer
    if (transaction?.state === 'open') return transaction
    if (transaction !== undefined && transaction.state !== 'ended') return 'busy'
    const begun: Transaction = {
      id,
      state: 'open',
      outcome: undefined,
      offsets: [],
      partitions: new Set(),
      markers: new Set(),
    }
    producer.transaction = begun
    this.#unfinished.add(begun)
    this.#later.timeout(() => {
      if (begun.state !== 'open') return
      producer.epoch += 1
      this.#end(begun, 'aborting')
    })
    return begun
  }

  #write(record: OutgoingRecord, transaction: Transaction | undefined): Position {
    const { topic, key, value } = record
    const logs = this.#topics.get(topic)!
    const partition = record.partition ?? partitionOf(key ?? '', logs.length)
    const log = logs[partition]!
    const offset = log.entries.length
    const bytes = (text: string | Buffer | null): Buffer | null => (text === null ? null : Buffer.from(text))
    const written: LogRecord = {
      topic,
      partition,
      offset,
      timestamp: record.timestamp ?? this.#later.now(),
      key: bytes(key),
      value: bytes(value),
      ...headersOf(record),
    }
    log.entries.push({ offset, record: written, transaction, isRemoved: false, writtenAt: this.#later.now() })
    transaction?.partitions.add(log)
    wakeReaders(log)
    return { partition, offset }
  }

  #end(transaction: Transaction, state: 'committing' | 'aborting'): void {
    transaction.state = state
    if (state === 'committing')
      for (const [key, offset] of transaction.offsets) this.#decided.set(key, offset)
    let open = transaction.partitions.size + 1
    const finish = (): void => {
      open -= 1
      if (open > 0) return
      transaction.state = 'ended'
      this.#unfinished.delete(transaction)
    }
    const outcome = state === 'committing' ? 'commit' : 'abort'
    for (const log of transaction.partitions) {
      this.#later.marker(() => {
        transaction.outcome ??= outcome
        transaction.markers.add(log)
        const offset = log.entries.length
        const writtenAt = this.#later.now()
        log.entries.push({ offset, record: undefined, transaction: undefined, isRemoved: false, writtenAt })
        wakeReaders(log)
        finish()
      })
    }
    this.#later.marker(() => {
      if (outcome === 'commit')
        for (const [key, offset, metadata] of transaction.offsets) {
          this.#offsets.set(key, offset)
          this.#metadata.set(key, metadata)
        }
      finish()
    })
  }
}

/** The times of events that the broker causes by itself. */
export interface BrokerTiming {
  now(): number
  marker(write: () => void): void
  timeout(abort: () => void): void
}

export interface Fetched {
  readonly records: readonly LogRecord[]
  readonly nextOffset: number
}

export interface WrittenRecord {
  readonly record: LogRecord
  /** A transactional id; undefined: written without a transaction. */
  readonly writer: string | undefined
  readonly writtenAt: number
}

interface BrokerPartition {
  readonly topic: string
  readonly partition: number
  readonly entries: Entry[]
  /** Readers that wait for records. Each returns whether it got one. */
  readers: (() => boolean)[]
  /** Records before this offset were deleted. */
  first: number
  compactedTo: number
}

interface Entry {
  readonly offset: number
  /** Undefined for a marker. */
  readonly record: LogRecord | undefined
  readonly transaction: Transaction | undefined
  /** The broker's time, ms. */
  readonly writtenAt: number
  /** Compaction removed the record. */
  isRemoved: boolean
}

interface Transaction {
  readonly id: string
  state: 'open' | 'committing' | 'aborting' | 'ended'
  outcome: 'commit' | 'abort' | undefined
  readonly offsets: [string, number, string | undefined][]
  readonly partitions: Set<BrokerPartition>
  /** The partitions in which the end is written already. Only their readers see it. */
  readonly markers: Set<BrokerPartition>
}

interface Producer {
  epoch: number
  transaction: Transaction | undefined
}

function read(log: BrokerPartition, from: number, most: number, uncommitted: boolean): Fetched {
  const records: LogRecord[] = []
  let nextOffset = from
  for (const entry of log.entries.slice(Math.max(from, log.first))) {
    const { offset, record, transaction, isRemoved } = entry
    if (records.length === most || (!isDecided(entry, log) && !uncommitted)) break
    nextOffset = offset + 1
    if (record === undefined || isRemoved) continue
    if (uncommitted || transaction?.outcome !== 'abort') records.push(record)
  }
  return { records, nextOffset }
}

function isDecided({ transaction }: Entry, log: BrokerPartition): boolean {
  return transaction === undefined || transaction.markers.has(log)
}

function isCommitted({ record, transaction }: Entry): boolean {
  return record !== undefined && (transaction === undefined || transaction.outcome === 'commit')
}

function wakeReaders(log: BrokerPartition): void {
  log.readers = log.readers.filter(reader => !reader())
}

function offsetKey(group: string, topic: string, partition: number): string {
  return `${group}/${topic}/${partition}`
}
