import { type Hash64, hash64 } from '../../lib/hash.ts'
import type { Log } from '../../log/log.ts'
import { partitionOf } from '../../log/partition-of.ts'
import { signalRecord } from '../../log/signals-topic-records.ts'
import type { Signal } from '../../signals/signal.ts'

/** Records at the end of a partition; about 1 s to read. */
export const LOOKED_AT = 200_000

/**
 * Finds signals at the end of the log, so that a load that continues does not send again what a write without
 * an answer brought there. It reads a partition once, when a signal of it is first asked for.
 */
export class LinesInLog {
  readonly #log: Log
  readonly #topic: string
  readonly #partitions = new Map<number, ReadonlySet<Hash64>>()
  #count: number | undefined

  constructor(log: Log, topic: string) {
    this.#log = log
    this.#topic = topic
  }

  /**
   * Whether the log ends with this very signal among the last 200,000 records of its partition.
   * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE
   */
  async has(signal: Signal): Promise<boolean> {
    this.#count ??= await this.#log.partitions(this.#topic)
    const partition = partitionOf(signal.accountId, this.#count)
    const known = this.#partitions.get(partition) ?? (await this.#read(partition))
    this.#partitions.set(partition, known)
    return known.has(hash64(String(signalRecord(this.#topic, signal, 0).value)))
  }

  async #read(partition: number): Promise<ReadonlySet<Hash64>> {
    const found = new Set<Hash64>()
    const range = (await this.#log.ranges(this.#topic)).get(partition)
    if (range === undefined) return found
    const from = Math.max(range.first, range.end - LOOKED_AT)
    if (from >= range.end) return found
    const stretches = [{ partition, from, to: range.end }]
    for await (const { value } of this.#log.read(this.#topic, stretches))
      if (value !== null) found.add(hash64(value.toString()))
    return found
  }
}
