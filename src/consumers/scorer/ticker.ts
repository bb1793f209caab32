import { describeError } from '../../lib/errors.ts'
import { everyInterval } from '../../lib/every-interval.ts'
import type { OutgoingRecord } from '../../log/log.ts'
import { modelsRecord, tickRecord } from '../../log/log-entries.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import { roleOf } from '../lineage/lineage.ts'
import type { ScoringOptions } from './scoring-options.ts'
import type { OwnedPartition } from './take-partition.ts'
import { ticksFor } from './tick-slices.ts'

/** A partition in which nothing happened for this long has been read to its end. */
const QUIET_MS = 1000

/**
 * What the owner of a partition writes into the log itself: `models` when the configured ones are not those that are active, and ticks when
 * accounts are due. Nothing here decides an output: it only lets the log say what the time and the models are.
 */
export class Ticker {
  readonly #options: ScoringOptions
  readonly #owned: ReadonlyMap<number, OwnedPartition>
  /** Undefined: whatever is active. */
  readonly #configured: string | undefined
  /** By session: what was appended and is not read yet, and when something last happened. */
  readonly #progress = new WeakMap<
    OwnedPartition,
    { pendingOffset: number; busy: boolean; activeAt: number; slices: readonly OutgoingRecord[] }
  >()
  #stop = (): void => {}

  constructor(options: ScoringOptions, owned: ReadonlyMap<number, OwnedPartition>) {
    this.#options = options
    this.#owned = owned
    const { library, models } = options
    this.#configured = models === undefined ? undefined : hashesOf(library.compileAll(models))
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

  /** Whether the partition runs the models that it is to run. */
  runsConfiguredModels({ memory }: OwnedPartition): boolean {
    if (this.#configured === undefined || !this.#serves(memory)) return true
    // What was promoted does not go with the models that it took the place of.
    if (memory.promotion?.replacedModels.join(' ') === this.#configured) return true
    return hashesOf(memory.modelSets.at(-1)!.models) === this.#configured
  }

  /** The log of a line in the shadow is a copy of another's, and says nothing of its own. */
  #serves(memory: PartitionMemory): boolean {
    const { lineage } = this.#options
    return lineage === undefined || roleOf(lineage, memory) === 'serving'
  }

  #progressOf(owned: OwnedPartition) {
    let progress = this.#progress.get(owned)
    if (progress === undefined) {
      progress = { pendingOffset: -1, busy: false, activeAt: this.#options.now(), slices: [] }
      this.#progress.set(owned, progress)
    }
    return progress
  }

  async #visit(owned: OwnedPartition, timeToTick: boolean): Promise<void> {
    const progress = this.#progressOf(owned)
    if (progress.busy || owned.position <= progress.pendingOffset) return
    progress.busy = true
    try {
      const records = this.#serves(owned.memory)
        ? await this.#recordsOfOwner(owned, timeToTick)
        : timeToTick
          ? await this.#nudge(owned)
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

  async #recordsOfOwner(owned: OwnedPartition, timeToTick: boolean): Promise<OutgoingRecord[]> {
    if (this.#needsModels(owned)) return await this.#modelRecords(owned)
    if (owned.memory.promotion?.isComplete === false)
      return await this.#ticksForAll(owned, this.#options.now())
    return await this.#nextSlice(owned, timeToTick)
  }

  /**
   * One slice at a time: the next is appended when the one before is folded, behind the signals that came meanwhile, so that none of them waits for all slices.
   * Should the owner die in between, the next one counts anew who is due.
   */
  async #nextSlice(owned: OwnedPartition, timeToTick: boolean): Promise<OutgoingRecord[]> {
    const progress = this.#progressOf(owned)
    if (progress.slices.length === 0 && timeToTick) progress.slices = await this.#tickRecords(owned)
    const [next, ...left] = progress.slices
    progress.slices = left
    return next === undefined ? [] : [next]
  }

  /**
   * A line that does not serve has no time of its own. That its store was lost it must notice all the same: the way to the line that serves leads through it. A tick
   * of the beginning of time makes nobody due.
   */
  async #nudge({ session: { partition }, storedOffset }: OwnedPartition): Promise<OutgoingRecord[]> {
    const { topics, backend } = this.#options
    if ((await backend.store.readStoredOffset(partition)) >= storedOffset) return []
    return [tickRecord(topics.signals, partition, 0, { slice: 0, of: 1, scope: 'due', clock: 'event' })]
  }

  /** Only what was read to its end can be compared: the configured models may be waiting there. */
  #needsModels(owned: OwnedPartition): boolean {
    if (this.runsConfiguredModels(owned)) return false
    return owned.position >= owned.session.endOffset || this.#isQuiet(owned)
  }

  #isQuiet(owned: OwnedPartition): boolean {
    // Also if the clock was set back: it may take a day to come there again.
    return Math.abs(this.#options.now() - this.#progressOf(owned).activeAt) >= QUIET_MS
  }

  /** The models, and behind them ticks that bring every account past them, slice by slice. */
  async #modelRecords(owned: OwnedPartition): Promise<OutgoingRecord[]> {
    const { topics, models, now } = this.#options
    const time = now()
    const { partition } = owned.session
    return [modelsRecord(topics.signals, partition, time, models!), ...(await this.#ticksForAll(owned, time))]
  }

  async #ticksForAll({ session: { partition } }: OwnedPartition, time: number): Promise<OutgoingRecord[]> {
    const { topics, backend } = this.#options
    const of = ticksFor(await backend.store.countDue(partition, Number.POSITIVE_INFINITY))
    return Array.from({ length: of }, (_, slice) =>
      tickRecord(topics.signals, partition, time, { slice, of, scope: 'all', clock: 'wall' }),
    )
  }

  async #tickRecords(owned: OwnedPartition): Promise<OutgoingRecord[]> {
    const { memory, session, storedOffset, checkpoints } = owned
    const { partition } = session
    const { topics, now, backend } = this.#options
    const time = now()
    // Nobody is due in a store that was emptied or rolled back. Any tick makes the loop look at it, and build it anew.
    const hasLost = (await backend.store.readStoredOffset(partition)) < storedOffset
    // Nor does a checkpoint go on where no batch comes. Other partitions and the signals of this one bring it about by themselves.
    const isWanted = hasLost || (checkpoints?.isWaiting === true && this.#isQuiet(owned))
    // The fold would pass over it.
    if (memory.history && !isWanted) return []
    const due = await backend.store.countDue(partition, time)
    if (due === 0 && !isWanted) return []
    const of = ticksFor(due)
    return Array.from({ length: of }, (_, slice) =>
      tickRecord(topics.signals, partition, time, { slice, of, scope: 'due', clock: 'wall' }),
    )
  }
}

function hashesOf(models: readonly { readonly contentHash: string }[]): string {
  return models.map(({ contentHash }) => contentHash).join(' ')
}
