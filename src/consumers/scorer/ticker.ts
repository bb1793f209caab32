import { everyInterval } from '../../lib/every-interval.ts'
import type { Logger, Outages } from '../../lib/logger.ts'
import { outagesOf } from '../../lib/outages.ts'
import type { OutgoingRecord } from '../../log/log.ts'
import { modelsRecord, tickRecord } from '../../log/signals-topic-records.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import type { TickSlice } from '../../scoring/due-slices.ts'
import { HISTORY_DUE } from '../../scoring/history.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import type { Backend } from '../backend.ts'
import { ConfiguredModels, type ModelSettings } from './configured-models.ts'
import type { Publication } from './publication.ts'
import { ticksFor } from './tick-slices.ts'

export interface TickerOptions extends ModelSettings {
  /** The wall clock, ms. */
  readonly now: () => number
  /** While the clock is in doubt, no ticks are due. Undefined: never. */
  readonly isInDoubt?: () => boolean
  /** Is called with the time of the newest record of each batch, ms. */
  readonly sawRecord?: (time: number) => void
  /** How often the ticker looks at the time. 0: never, for callers that append ticks themselves. */
  readonly intervalMs: number
  /**
   * Calls `call` at this interval until the returned function is called; undefined: the process's own timer.
   */
  readonly every?: (intervalMs: number, call: () => void) => () => void
}

/** What the ticker needs of the scoring that it belongs to. */
export interface TickerContext {
  readonly backend: Pick<Backend, 'log' | 'store'>
  readonly publication: Publication
  readonly library: ModelLibrary
  readonly logger: Logger
  readonly source: { readonly topic: string }
  readonly ticks: TickerOptions
}

/** A partition that this process owns, as far as the ticker looks at it. */
export interface TickedPartition {
  readonly session: { readonly partition: number; readonly endOffset: number }
  readonly memory: PartitionMemory
  readonly offsets: { readonly folded: number; readonly stored: number }
  readonly isCheckpointWaiting: boolean
}

/** What is known of a partition beside its scorer. */
interface Progress {
  /** The last offset that was appended and is not folded yet. */
  pendingOffset: number
  isBusy: boolean
  /** When something last happened, ms. */
  activeAt: number
  /** Ticks that are still to be appended. */
  slices: readonly OutgoingRecord[]
}

/** A partition in which nothing happened for this long has been read to its end. */
const QUIET_MS = 1000

/**
 * Appends what a partition's owner writes into the log itself: `models` when the configured models are not
 * the active ones, and ticks when accounts are due. Nothing here decides an output: it only puts the time and
 * the models into the log.
 */
export class Ticker {
  readonly #context: TickerContext
  readonly #partitions: ReadonlyMap<number, TickedPartition>
  readonly #configured: ConfiguredModels
  readonly #outages: Outages
  readonly #progress = new WeakMap<TickedPartition, Progress>()
  #edited: string | undefined
  /** The last switch of models that was reported: partitions switch one by one, and all in the same way. */
  #switched = ''
  #stop = (): void => {}

  constructor(context: TickerContext, partitions: ReadonlyMap<number, TickedPartition>) {
    this.#context = context
    this.#partitions = partitions
    this.#configured = new ConfiguredModels(context.library, context.ticks)
    this.#outages = outagesOf(context.logger)
  }

  start(): void {
    const { intervalMs, every = everyInterval } = this.#context.ticks
    if (intervalMs <= 0) return
    this.#stop = every(intervalMs, () => {
      for (const partition of this.#partitions.values()) void this.#visit(partition, true)
    })
  }

  stop(): void {
    this.#stop()
  }

  /** Something happened in a partition: its models may be comparable now. */
  look(number: number): void {
    const partition = this.#partitions.get(number)
    if (partition === undefined) return
    this.#progressOf(partition).activeAt = this.#context.ticks.now()
    void this.#visit(partition, false)
  }

  /** The partition is no longer this process's. */
  leave(number: number): void {
    this.#outages.works(this.#partOf(number))
  }

  /** Begins what is said about the partition. */
  #partOf(number: number): string {
    return `${this.#context.source.topic} partition ${number}: could not look at the time`
  }

  /** Whether the partition runs the configured models. */
  runsConfiguredModels({ memory }: Pick<TickedPartition, 'memory'>): boolean {
    return !this.#serves(memory) || this.#configured.areActive(memory)
  }

  /** A model that was edited without a new version. Its partitions go on under their active models. */
  problem(): string | undefined {
    return this.#edited === undefined ? undefined : `a model was edited: ${this.#edited}`
  }

  /** The log of a shadow is a copy of another log, and has no records of its own. */
  #serves(memory: PartitionMemory): boolean {
    return this.#context.publication.role(memory) === 'serving'
  }

  #progressOf(partition: TickedPartition): Progress {
    let progress = this.#progress.get(partition)
    if (progress === undefined) {
      progress = { pendingOffset: -1, isBusy: false, activeAt: this.#context.ticks.now(), slices: [] }
      this.#progress.set(partition, progress)
    }
    return progress
  }

  async #visit(partition: TickedPartition, isTimeToTick: boolean): Promise<void> {
    const progress = this.#progressOf(partition)
    if (progress.isBusy || partition.offsets.folded <= progress.pendingOffset) return
    progress.isBusy = true
    const { session, memory } = partition
    try {
      const records = this.#serves(memory)
        ? await this.#recordsOfOwner(partition, isTimeToTick)
        : isTimeToTick
          ? await this.#nudge(partition)
          : []
      if (records.length > 0 && this.#partitions.get(session.partition) === partition)
        await this.#append(records, progress)
      this.#outages.works(this.#partOf(session.partition))
    } catch (error) {
      // The next interval tries again; a record that was appended twice changes nothing.
      const { topic } = this.#context.source
      this.#outages.failed(this.#partOf(session.partition), error, { topic, partition: session.partition })
    } finally {
      progress.isBusy = false
    }
  }

  async #append(records: readonly OutgoingRecord[], progress: Progress): Promise<void> {
    const positions = await this.#context.backend.log.append(records)
    progress.pendingOffset = Math.max(...positions.map(({ offset }) => offset))
  }

  async #recordsOfOwner(partition: TickedPartition, isTimeToTick: boolean): Promise<OutgoingRecord[]> {
    if (this.#needsModels(partition) && !this.#hasEdited(partition))
      return await this.#modelRecords(partition)
    if (partition.memory.promotion?.isComplete === false)
      return await this.#ticksForAll(partition, this.#context.ticks.now())
    return await this.#nextSlice(partition, isTimeToTick)
  }

  /**
   * One slice at a time: the next is appended when the one before is folded, after the signals that came
   * meanwhile, so that none of them waits for all slices. If the owner dies in between, the next owner counts
   * again who is due.
   */
  async #nextSlice(partition: TickedPartition, isTimeToTick: boolean): Promise<OutgoingRecord[]> {
    const progress = this.#progressOf(partition)
    if (progress.slices.length === 0 && isTimeToTick) progress.slices = await this.#dueTicks(partition)
    const [next, ...left] = progress.slices
    progress.slices = left
    return next === undefined ? [] : [next]
  }

  /**
   * A lineage that does not serve has no time of its own, but must notice that its store was lost: the way to
   * the serving lineage leads through it. A tick at time 0 makes no account due.
   */
  async #nudge(ticked: TickedPartition): Promise<OutgoingRecord[]> {
    if (!(await this.#isStoreLost(ticked))) return []
    const { source } = this.#context
    const { partition } = ticked.session
    return [tickRecord(source.topic, partition, 0, { slice: 0, of: 1, scope: 'due', clock: 'event' })]
  }

  /** Compares with the offset before the question: a flush may move it while the answer is on its way. */
  async #isStoreLost({ session: { partition }, offsets: { stored } }: TickedPartition): Promise<boolean> {
    return (await this.#context.backend.store.readStoredOffset(partition)) < stored
  }

  /**
   * Models can be compared only at the end of the partition: the configured ones may be among the unread
   * records.
   */
  #needsModels(partition: TickedPartition): boolean {
    if (this.runsConfiguredModels(partition)) return false
    return partition.offsets.folded >= partition.session.endOffset || this.#isQuiet(partition)
  }

  /** A file that was edited without a new version is reported, and never becomes active. */
  #hasEdited({ memory, session: { partition } }: TickedPartition): boolean {
    const edited = this.#configured.findEdited(memory)
    if (edited === undefined) return false
    if (this.#edited === undefined)
      this.#context.logger.error(
        `partition ${partition} goes on under its active models, since a model was edited: ${edited.message}`,
        { topic: this.#context.source.topic, partition },
      )
    this.#edited = edited.message
    return true
  }

  #isQuiet(partition: TickedPartition): boolean {
    // The absolute value: a clock that was set back may take a day to come here again.
    return Math.abs(this.#context.ticks.now() - this.#progressOf(partition).activeAt) >= QUIET_MS
  }

  /** The models, then ticks that bring every account past them, slice by slice. */
  async #modelRecords(partition: TickedPartition): Promise<OutgoingRecord[]> {
    const { source, ticks } = this.#context
    this.#reportSwitch(partition)
    const time = ticks.now()
    const models = modelsRecord(source.topic, partition.session.partition, time, ticks.models!)
    return [models, ...(await this.#ticksForAll(partition, time))]
  }

  #reportSwitch({ memory }: TickedPartition): void {
    const { text, ends } = this.#configured.describeSwitch(memory)
    if (text === this.#switched) return
    this.#switched = text
    const { logger } = this.#context
    if (ends)
      logger.warn(
        `the active models change to the configured ones: ${text}. This cannot be undone: published events stay published`,
      )
    else logger.info(`the active models change to the configured ones: ${text}`)
  }

  async #ticksForAll({ session: { partition } }: TickedPartition, time: number): Promise<OutgoingRecord[]> {
    const accounts = await this.#context.backend.store.countDue(partition, Number.POSITIVE_INFINITY)
    return this.#ticks(partition, time, ticksFor(accounts), 'all')
  }

  async #dueTicks(ticked: TickedPartition): Promise<OutgoingRecord[]> {
    const { memory, session } = ticked
    const { partition } = session
    const { ticks, backend } = this.#context
    const time = ticks.now()
    // No account is due in a store that was emptied or rolled back. Any tick makes the scorer look at it, and
    // restore it.
    const isLost = await this.#isStoreLost(ticked)
    // A checkpoint continues only with batches. Signals bring them, and so do other partitions.
    const isWanted = isLost || (ticked.isCheckpointWaiting && this.#isQuiet(ticked))
    if (!isWanted && ticks.isInDoubt?.() === true) return []
    const due = await backend.store.countDue(partition, time)
    // Released accounts keep their place of history in the due index until a tick has reached their slice.
    const { release } = memory
    const released =
      release === undefined ? 0 : await backend.store.countDue(partition, HISTORY_DUE.upTo, HISTORY_DUE.from)
    const isNeeded = due > 0 || release !== undefined || isWanted
    const of = Math.max(ticksFor(due + released), release?.slices ?? 1)
    return isNeeded ? this.#ticks(partition, time, of, 'due') : []
  }

  #ticks(partition: number, time: number, of: number, scope: TickSlice['scope']): OutgoingRecord[] {
    return Array.from({ length: of }, (_, slice) =>
      tickRecord(this.#context.source.topic, partition, time, { slice, of, scope, clock: 'wall' }),
    )
  }
}
