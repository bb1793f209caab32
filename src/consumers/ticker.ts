import { describeError } from '../errors.ts'
import type { OutgoingRecord } from './log.ts'
import { modelsRecord, tickRecord } from './log-entries.ts'
import type { OwnedPartition } from './score-partition.ts'
import type { ScoringOptions } from './scoring-options.ts'
import { slicesFor } from './tick-slices.ts'

/** A partition in which nothing happened for this long has been read to its end. */
const QUIET_MS = 1000

/**
 * What the owner of a partition writes into the log itself: `models` when the configured ones are not those that are active, and ticks when
 * accounts are due. Nothing here decides an output: it only lets the log say what the time and the models are.
 */
export class Ticker {
  readonly #options: ScoringOptions
  readonly #owned: ReadonlyMap<number, OwnedPartition>
  readonly #configured: string
  /** By session: what was appended and is not read yet, and when something last happened. */
  readonly #progress = new WeakMap<
    OwnedPartition,
    { pendingOffset: number; busy: boolean; activeAt: number }
  >()
  #stop = (): void => {}

  constructor(options: ScoringOptions, owned: ReadonlyMap<number, OwnedPartition>) {
    this.#options = options
    this.#owned = owned
    this.#configured = hashesOf(options.library.compileAll(options.models))
  }

  start(): void {
    const { tickIntervalMs, every = everyInterval } = this.#options
    if (tickIntervalMs <= 0) return
    this.#stop = every(tickIntervalMs, () => {
      for (const owned of this.#owned.values()) void this.#visit(owned, true)
    })
  }

  stop(): void {
    this.#stop()
  }

  /** Something happened in a partition: it may have come to the point where its models can be compared. */
  look(partition: number): void {
    const owned = this.#owned.get(partition)
    if (owned === undefined) return
    this.#progressOf(owned).activeAt = this.#options.now()
    void this.#visit(owned, false)
  }

  runsConfiguredModels({ memory }: OwnedPartition): boolean {
    return hashesOf(memory.modelSets.at(-1)!.models) === this.#configured
  }

  #progressOf(owned: OwnedPartition) {
    let progress = this.#progress.get(owned)
    if (progress === undefined) {
      progress = { pendingOffset: -1, busy: false, activeAt: this.#options.now() }
      this.#progress.set(owned, progress)
    }
    return progress
  }

  async #visit(owned: OwnedPartition, timeToTick: boolean): Promise<void> {
    const progress = this.#progressOf(owned)
    if (progress.busy || owned.watermark <= progress.pendingOffset) return
    progress.busy = true
    try {
      const records = this.#needsModels(owned)
        ? await this.#modelRecords(owned)
        : timeToTick
          ? await this.#tickRecords(owned)
          : []
      if (records.length === 0 || this.#owned.get(owned.session.partition) !== owned) return
      const positions = await this.#options.backend.log.append(records)
      progress.pendingOffset = Math.max(...positions.map(({ offset }) => offset))
    } catch (error) {
      // The next interval tries again; what was appended twice changes nothing.
      this.#options.logger.warn(
        `partition ${owned.session.partition}: could not look at the time: ${describeError(error)}`,
      )
    } finally {
      progress.busy = false
    }
  }

  /** Only what was read to its end can be compared: the configured models may be waiting there. */
  #needsModels(owned: OwnedPartition): boolean {
    if (this.runsConfiguredModels(owned)) return false
    // Also if the clock was set back: it may take a day to come there again.
    const quiet = Math.abs(this.#options.now() - this.#progressOf(owned).activeAt) >= QUIET_MS
    return owned.watermark >= owned.session.endOffset || quiet
  }

  /** The models, and behind them ticks that bring every account past them, slice by slice. */
  async #modelRecords({ session: { partition } }: OwnedPartition): Promise<OutgoingRecord[]> {
    const { topics, models, now, backend } = this.#options
    const time = now()
    const of = slicesFor(await backend.store.countDue(partition, Number.POSITIVE_INFINITY))
    const ticks = Array.from({ length: of }, (_, slice) =>
      tickRecord(topics.signals, partition, time, { slice, of, scope: 'all', clock: 'wall' }),
    )
    return [modelsRecord(topics.signals, partition, time, models), ...ticks]
  }

  async #tickRecords(owned: OwnedPartition): Promise<OutgoingRecord[]> {
    const { memory, session, watermark } = owned
    const { partition } = session
    const { topics, now, backend } = this.#options
    const time = now()
    // Nobody is due in a store that was emptied or rolled back. Any tick makes the loop look at it, and build it anew.
    const hasLost = (await backend.store.readPartition(partition)).watermark < watermark
    // The fold would pass over it.
    if (memory.history && !hasLost) return []
    const due = await backend.store.countDue(partition, time)
    if (due === 0 && !hasLost) return []
    const of = slicesFor(due)
    return Array.from({ length: of }, (_, slice) =>
      tickRecord(topics.signals, partition, time, { slice, of, scope: 'due', clock: 'wall' }),
    )
  }
}

function everyInterval(intervalMs: number, call: () => void): () => void {
  const timer = setInterval(call, intervalMs)
  return () => clearInterval(timer)
}

function hashesOf(models: readonly { readonly contentHash: string }[]): string {
  return models.map(({ contentHash }) => contentHash).join(' ')
}
