import type { Backend } from '../../../src/consumers/backend.ts'
import type { CheckpointTiming } from '../../../src/consumers/checkpoints/partition-checkpoints.ts'
import { PartitionScorer } from '../../../src/consumers/scorer/partition-scorer.ts'
import { unlimitedShares } from '../../../src/consumers/scorer/partition-shares.ts'
import { alwaysServing } from '../../../src/consumers/scorer/publication.ts'
import type { ScorerContext } from '../../../src/consumers/scorer/scorer-context.ts'
import type { Log, LogRecord, OutgoingRecord, PartitionSession } from '../../../src/log/log.ts'
import { modelsRecord, signalRecord, tickRecord } from '../../../src/log/signals-topic-records.ts'
import { CHECKPOINTS, topicNames } from '../../../src/log/topic-names.ts'
import type { ModelLibrary } from '../../../src/models/model-library.ts'
import type { PartitionWrite } from '../../../src/store/store.ts'
import type { LibraryOfDefinitions } from '../../support/library-of-definitions.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { contentsOf, type StoreContents } from '../../support/simulation/journaled-store.ts'
import type { HistoryRecord } from '../../support/slow/slow-evaluator.ts'
import { MemoryLog } from './memory-log.ts'

export const TOPICS = topicNames('')
export const TOPIC = TOPICS[CHECKPOINTS]

/** A store that records its writes since it was last emptied, for comparing all its content. */
class RecordingStore extends MemoryStore {
  #writes: PartitionWrite[] = []

  override async save(partition: number, write: PartitionWrite): Promise<void> {
    await super.save(partition, write)
    this.#writes.push(write)
  }

  override async clear(partition: number, fencingToken: string): Promise<void> {
    await super.clear(partition, fencingToken)
    this.#writes = []
  }

  override empty(): void {
    super.empty()
    this.#writes = []
  }

  contents(): StoreContents {
    return contentsOf(this.#writes)
  }
}

/** When its owner dies. */
export type Death = 'before-commit' | 'before-save'

class Died extends Error {}

/**
 * One partition of signals. Its owners score it, write checkpoints, may die, and may find the store emptied.
 */
export class CheckpointRun<Library extends ModelLibrary = ModelLibrary> {
  readonly library: Library
  readonly log = new MemoryLog([TOPICS.signals, TOPIC])
  readonly store = new RecordingStore()
  /** Each log line, with its level before it. */
  readonly lines: string[] = []
  /** All committed records, except checkpoints. */
  readonly published: OutgoingRecord[] = []
  readonly timing: CheckpointTiming
  now = 0
  committedOffset = 0
  /** The text that was committed with it. */
  committedMetadata: string | undefined
  scorer: PartitionScorer | undefined
  /** How many owners there have been. */
  taken = 0
  #death: Death | undefined

  constructor(library: Library, timing: { readonly intervalMs: number; readonly accountsPerBatch?: number }) {
    this.library = library
    this.timing = { ...timing, now: () => this.now }
  }

  /** The current owner's fencing token. */
  get fencingToken(): string {
    return `token-${this.taken}`
  }

  /** Scores the waiting records, in batches of this size. */
  async score(batchSize: number, onBatch: () => Promise<void> = async () => {}): Promise<void> {
    await this.take()
    const { start, stored } = this.scorer!.offsets
    const left = this.log.records(TOPICS.signals).filter(({ offset }) => offset >= Math.max(start, stored))
    for (let i = 0; i < left.length; i += batchSize) {
      await this.scorer!.score(left.slice(i, i + batchSize))
      await onBatch()
    }
  }

  /** The owner dies in the next batch. */
  async dieWithNextBatch(death: Death, batchSize: number): Promise<void> {
    await this.take()
    this.#death = death
    try {
      await this.score(batchSize)
    } catch (error) {
      if (!(error instanceof Died)) throw error
    } finally {
      this.#death = undefined
      this.scorer = undefined
    }
  }

  /** A tool moves the group to another offset. The next owner begins. */
  moveGroup(offset: number): void {
    this.committedOffset = offset
    this.committedMetadata = undefined
    this.scorer = undefined
  }

  /** Takes the partition with a new owner, if there is none. */
  async take(parts: Partial<Pick<ScorerContext, 'checkpoints' | 'flushes' | 'meter'>> = {}): Promise<void> {
    if (this.scorer !== undefined) return
    const { log } = this
    const session: PartitionSession = {
      topic: TOPICS.signals,
      partition: 0,
      committedOffset: this.committedOffset,
      committedMetadata: this.committedMetadata,
      firstOffset: log.first(TOPICS.signals),
      endOffset: log.end(TOPICS.signals),
      commit: async (records, nextOffset, metadata) => {
        await log.append(records.filter(({ topic }) => topic === TOPIC))
        this.published.push(...records.filter(({ topic }) => topic !== TOPIC))
        this.committedOffset = nextOffset
        this.committedMetadata = metadata
      },
      isOver: false,
      lose: () => {},
    }
    this.taken++
    this.scorer = await PartitionScorer.take({ ...this.context(), ...parts }, session, this.fencingToken)
    // The owner looks for the newest checkpoint in the background.
    await new Promise(resolve => setImmediate(resolve))
  }

  /** A store filled from the log alone, without checkpoints. */
  async rebuildFromLog(): Promise<void> {
    const { checkpoints: _, ...context } = this.context()
    this.scorer = undefined
    const session = {
      topic: TOPICS.signals,
      partition: 0,
      firstOffset: 0,
      commit: async () => {},
      isOver: false,
      lose: () => {},
    }
    const { committedOffset } = this
    const scorer = await PartitionScorer.take(
      context,
      { ...session, committedOffset, endOffset: committedOffset },
      'from-log',
    )
    const records = this.log.records(TOPICS.signals)
    await scorer.score(records.filter(({ offset }) => offset < committedOffset))
  }

  context(): ScorerContext {
    const { store, library, lines, timing } = this
    const note = (level: string) => (line: string) => lines.push(`${level} ${line}`)
    const backend = {
      log: this.log as Pick<Log, 'read' | 'ranges' | 'append'> as Log,
      store,
      commitFlush: async (session, { outputs, nextOffset, metadata, write }) => {
        if (this.#death === 'before-commit') throw new Died()
        await session.commit(outputs, nextOffset, metadata)
        if (this.#death === 'before-save') throw new Died()
        await store.save(0, write)
      },
    } as Pick<Backend, 'log' | 'store' | 'commitFlush'> as Backend
    return {
      backend,
      publication: alwaysServing(TOPICS),
      partitions: 1,
      library,
      logger: { info: note('info'), warn: note('warn'), error: note('error') },
      checkpoints: { topic: TOPIC, timing },
      shares: unlimitedShares(),
      onScored: () => {},
    }
  }

  /** All signals, even those that retention has deleted: the state depends on them. */
  signals(): readonly LogRecord[] {
    return this.log.records(TOPICS.signals)
  }
}

/**
 * After models come ticks that bring every account past them, slice by slice, as their owner appends them.
 */
const SLICES = 4

export function outgoingHistory(
  library: LibraryOfDefinitions,
  history: readonly HistoryRecord[],
): OutgoingRecord[] {
  return history.flatMap(record => {
    const { timestamp } = record
    if ('signal' in record) return [signalRecord(TOPICS.signals, record.signal, timestamp)]
    const tick = { slice: 0, of: 1, scope: 'due', clock: 'wall' } as const
    if ('tick' in record) return [tickRecord(TOPICS.signals, 0, timestamp, tick)]
    const sources = record.models.map(model => library.sourceFor(model))
    const ticks = Array.from({ length: SLICES }, (_, slice) =>
      tickRecord(TOPICS.signals, 0, timestamp, { slice, of: SLICES, scope: 'all', clock: 'wall' }),
    )
    return [modelsRecord(TOPICS.signals, 0, timestamp, sources), ...ticks]
  })
}
