import { everyInterval } from '../../lib/every-interval.ts'
import type { Logger } from '../../lib/logger.ts'
import type { Log } from '../../log/log.ts'
import type { ReadPosition } from '../../log/log-meter.ts'
import { LagNotices, type PartitionLag } from './lag-notices.ts'

export interface LagWatchOptions {
  readonly log: Pick<Log, 'ranges'>
  readonly positions: () => readonly ReadPosition[]
  /** The wall clock, ms. */
  readonly now: () => number
  readonly logger: Logger
}

/** A fetch would tell the end for nothing, but a scorer that waits for the store does not fetch. */
const LOOK_INTERVAL_MS = 5_000

/**
 * Asks the log every 5 s where the partitions of this process end. If the log does not answer, the last ends
 * count.
 */
// Seconds behind: the age of the newest processed record, but no more than the time since the partition was
// last seen without a lag. A record after a quiet day is then not a day late, nor is loaded history.
export class LagWatch {
  readonly #options: LagWatchOptions
  /** Topic → partition → end. */
  #ends = new Map<string, ReadonlyMap<number, number>>()
  /** Group, topic and partition → when there was no lag, or when it was first seen, ms. */
  #evenAt = new Map<string, number>()
  #newAt = new Map<string, number>()
  readonly #notices: LagNotices
  #isLooking = false

  constructor(options: LagWatchOptions) {
    this.#options = options
    this.#notices = new LagNotices(options.logger, () => performance.now())
  }

  /** Looks at once and every 5 s, until the returned function is called. */
  start(every: typeof everyInterval = everyInterval): () => void {
    void this.look()
    return every(LOOK_INTERVAL_MS, () => void this.look())
  }

  async look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    const positions = this.#options.positions()
    const topics = new Set(positions.map(({ topic }) => topic))
    await Promise.all(Array.from(topics, topic => this.#readEnds(topic)))
    for (const topic of this.#ends.keys()) if (!topics.has(topic)) this.#ends.delete(topic)
    this.#remember(this.#options.positions())
    this.#notices.look(this.lags())
    this.#isLooking = false
  }

  /** One for each partition that this process reads now, if its end is known. */
  lags(): PartitionLag[] {
    return this.#options.positions().flatMap(position => {
      const records = this.#recordsBehind(position)
      if (records === undefined) return []
      const { group, topic, partition } = position
      return [
        { group, topic, partition, records, seconds: records === 0 ? 0 : this.#secondsBehind(position) },
      ]
    })
  }

  async #readEnds(topic: string): Promise<void> {
    const ranges = await this.#options.log.ranges(topic).catch(() => undefined)
    if (ranges === undefined) return
    this.#ends.set(topic, new Map(Array.from(ranges, ([partition, { end }]) => [partition, end])))
  }

  /** Keeps only what is read now. */
  #remember(positions: readonly ReadPosition[]): void {
    const now = this.#options.now()
    const evenAt = new Map<string, number>()
    const newAt = new Map<string, number>()
    for (const position of positions) {
      const key = keyOf(position)
      const before = this.#recordsBehind(position) === 0 ? now : this.#evenAt.get(key)
      if (before !== undefined) evenAt.set(key, before)
      newAt.set(key, this.#newAt.get(key) ?? now)
    }
    this.#evenAt = evenAt
    this.#newAt = newAt
  }

  #recordsBehind({ topic, partition, next }: ReadPosition): number | undefined {
    const end = this.#ends.get(topic)?.get(partition)
    return end === undefined ? undefined : Math.max(0, end - next)
  }

  #secondsBehind(position: ReadPosition): number {
    const key = keyOf(position)
    const now = this.#options.now()
    const evenAt = this.#evenAt.get(key) ?? (position.beganEven ? this.#newAt.get(key) : undefined)
    const since = [position.newestAt, evenAt].filter(time => time !== undefined)
    // Nothing was processed yet: it is behind at least since it was taken.
    const from = since.length > 0 ? Math.max(...since) : (this.#newAt.get(key) ?? now)
    return Math.max(0, now - from) / 1000
  }
}

function keyOf({ group, topic, partition }: ReadPosition): string {
  return `${group} ${topic} ${partition}`
}
