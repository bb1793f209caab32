import type { Log, OutgoingRecord, Position } from '../../log/log.ts'
import { liveRecord, signalRecord, tickRecord } from '../../log/signals-topic-records.ts'
import type { Signal } from '../../signals/signal.ts'
import { ticksFor } from '../scorer/tick-slices.ts'

export interface SignalWriterOptions {
  readonly log: Log
  readonly topic: string
  readonly batchSize: number
  /**
   * `event`: history; each signal is observed when it occurred, and scores are as of the newest one.
   * `wall`: new signals; they are observed now.
   */
  readonly clock: 'wall' | 'event'
  readonly now: () => number
}

export interface LoadOptions extends SignalWriterOptions {
  /** What follows history: time stays at its end, or continues from now. */
  readonly afterwards: 'stay' | 'live'
  readonly onProgress: (sent: number) => void
}

export interface Loaded {
  readonly sent: number
  /** The newest `occurredAt`, ms; undefined: nothing was sent. */
  readonly until: number | undefined
  /** The last offset that was written to each partition. */
  readonly ends: ReadonlyMap<number, number>
}

/**
 * Appends signals to the log, in their order. History ends with ticks that advance every account to the time
 * of its newest signal, so that all scores are as of one moment.
 * @throws UpswellError LOG_UNAVAILABLE; the log holds what `onProgress` reported last, and perhaps the next
 * batch
 */
export async function loadSignals(
  signals: AsyncIterable<Signal> | Iterable<Signal>,
  options: LoadOptions,
): Promise<Loaded> {
  const writer = new SignalWriter(options)
  const accounts = new Set<string>()
  let until: number | undefined
  const write = async (): Promise<void> => {
    if (writer.waiting === 0) return
    await writer.write()
    options.onProgress(writer.sent)
  }
  for await (const signal of signals) {
    writer.add(signal)
    accounts.add(signal.accountId)
    until = Math.max(until ?? 0, signal.occurredAt)
    if (writer.isFull) await write()
  }
  await write()
  if (options.clock === 'event' && until !== undefined)
    await writer.endHistory({ until, accounts: accounts.size, afterwards: options.afterwards })
  return { sent: writer.sent, until, ends: writer.ends }
}

/** How history ends. */
export interface HistoryEnd {
  /** The time of its newest signal, ms; undefined: it has none, and no time passes. */
  readonly until: number | undefined
  /** About how many accounts are in history, in all partitions. They are reached in slices. */
  readonly accounts: number
  readonly afterwards: 'stay' | 'live'
}

/** Appends signals to the log in batches. Each batch is in the log completely, or not at all. */
export class SignalWriter {
  readonly #options: SignalWriterOptions
  readonly #ends = new Map<number, number>()
  #batch: OutgoingRecord[] = []
  #sent = 0

  constructor(options: SignalWriterOptions) {
    this.#options = options
  }

  /** How many signals are in the log. */
  get sent(): number {
    return this.#sent
  }

  /** How many signals wait for `write`. */
  get waiting(): number {
    return this.#batch.length
  }

  get isFull(): boolean {
    return this.#batch.length >= this.#options.batchSize
  }

  /** The last offset that was written to each partition. */
  get ends(): ReadonlyMap<number, number> {
    return this.#ends
  }

  add(signal: Signal): void {
    const { topic, clock, now } = this.#options
    this.#batch.push(signalRecord(topic, signal, clock === 'event' ? signal.occurredAt : now(), clock))
  }

  /**
   * Writes what was added.
   * @throws UpswellError LOG_UNAVAILABLE: whether the batch is in the log is unknown
   */
  async write(): Promise<void> {
    if (this.#batch.length === 0) return
    this.#noteEnds(await this.#options.log.append(this.#batch))
    this.#sent += this.#batch.length
    this.#batch = []
  }

  /**
   * Ends history: ticks bring every account to its end, and with `live` time continues from now. A second
   * time it changes nothing.
   * @throws UpswellError LOG_UNAVAILABLE
   */
  async endHistory({ until, accounts, afterwards }: HistoryEnd): Promise<void> {
    const { log, topic } = this.#options
    const partitions = await log.partitions(topic)
    const of = ticksFor(accounts / partitions)
    for (let partition = 0; partition < partitions; partition++) {
      const ticks = until === undefined ? [] : ticksTo(until, topic, partition, of)
      const live = afterwards === 'live' ? [liveRecord(topic, partition, of)] : []
      if (ticks.length + live.length > 0) this.#noteEnds(await log.append([...ticks, ...live]))
    }
  }

  #noteEnds(positions: readonly Position[]): void {
    for (const { partition, offset } of positions)
      this.#ends.set(partition, Math.max(offset, this.#ends.get(partition) ?? -1))
  }
}

function ticksTo(time: number, topic: string, partition: number, of: number): OutgoingRecord[] {
  return Array.from({ length: of }, (_, slice) =>
    tickRecord(topic, partition, time, { slice, of, scope: 'due', clock: 'event' }),
  )
}
