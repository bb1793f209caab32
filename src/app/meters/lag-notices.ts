import type { Logger } from '../../lib/logger.ts'

/** How far a group is behind the end of a partition. */
export interface PartitionLag {
  readonly group: string
  readonly topic: string
  readonly partition: number
  /** Offsets up to the end; a few of them may hold no record. */
  readonly records: number
  readonly seconds: number
}

/** Shorter lags come with every restart. */
const WORTH_A_LINE_MS = 60_000
/** While records come in, a scorer that keeps up is a moment behind. */
const CAUGHT_UP_SECONDS = 10
const REPEAT_MS = 5 * 60_000

/** One topic of a group that is behind. */
interface Behind {
  readonly sinceMs: number
  /** Undefined: not yet. */
  readonly reportedMs: number | undefined
}

/** A line when a group has been behind for a minute, then every five minutes, and when it has caught up. */
export class LagNotices {
  readonly #logger: Logger
  readonly #nowMs: () => number
  readonly #behind = new Map<string, Behind>()

  constructor(logger: Logger, nowMs: () => number) {
    this.#logger = logger
    this.#nowMs = nowMs
  }

  look(lags: readonly PartitionLag[]): void {
    const groups = new Map<string, PartitionLag[]>()
    for (const lag of lags) {
      const name = `${lag.group} in ${lag.topic}`
      groups.set(name, [...(groups.get(name) ?? []), lag])
    }
    for (const name of this.#behind.keys()) if (!groups.has(name)) this.#behind.delete(name)
    for (const [name, partitions] of groups) this.#lookAt(name, partitions)
  }

  #lookAt(name: string, partitions: readonly PartitionLag[]): void {
    const nowMs = this.#nowMs()
    const known = this.#behind.get(name)
    const worst = partitions.reduce((most, lag) => (lag.seconds > most.seconds ? lag : most))
    if (worst.seconds < CAUGHT_UP_SECONDS) {
      this.#behind.delete(name)
      if (known?.reportedMs === undefined) return
      this.#logger.info(`${name}: caught up, after ${Math.round((nowMs - known.sinceMs) / 1000)} s`)
      return
    }
    const { sinceMs, reportedMs } = known ?? { sinceMs: nowMs, reportedMs: undefined }
    const isDue =
      reportedMs === undefined ? nowMs - sinceMs >= WORTH_A_LINE_MS : nowMs - reportedMs >= REPEAT_MS
    this.#behind.set(name, { sinceMs, reportedMs: isDue ? nowMs : reportedMs })
    if (!isDue) return
    const records = partitions.reduce((sum, lag) => sum + lag.records, 0)
    const late = partitions.filter(lag => lag.records > 0).length
    this.#logger.warn(
      `${name}: ${records} records behind in ${late} of ${partitions.length} partitions; partition ${worst.partition} is ${Math.round(worst.seconds)} s behind`,
    )
  }
}
