import type { Backend } from '../../src/consumers/backend.ts'
import { PartitionScorer } from '../../src/consumers/scorer/partition-scorer.ts'
import { unlimitedShares } from '../../src/consumers/scorer/partition-shares.ts'
import { alwaysServing } from '../../src/consumers/scorer/publication.ts'
import type { Log, LogRecord, OutgoingRecord, PartitionSession } from '../../src/log/log.ts'
import { partitionOf } from '../../src/log/partition-of.ts'
import { modelsRecord, signalRecord, tickRecord } from '../../src/log/signals-topic-records.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { LibraryOfDefinitions } from './library-of-definitions.ts'
import { logRecord } from './log-record.ts'
import { MemoryStore } from './memory-store.ts'
import type { HistoryRecord } from './slow/slow-evaluator.ts'

const topics = topicNames('')

/**
 * What goes wrong after a batch. `crash`: the transaction was committed, but the save did not happen.
 * `empty`: the store lost everything.
 */
export type Mishap = 'none' | 'restart' | 'crash' | 'empty'

/** Several partitions of a log. Their owners score them into one store, and mishaps happen. */
export class PopulationRun {
  readonly store = new MemoryStore()
  readonly library = new LibraryOfDefinitions()
  readonly #partitions: PartitionRun[]
  rejected = 0

  constructor(partitionCount: number) {
    this.#partitions = Array.from({ length: partitionCount }, (_, partition) => ({
      partition,
      log: [],
      committed: 0,
      scorer: undefined,
    }))
  }

  /** Appends records, then scores one batch of each partition. */
  async score(records: readonly HistoryRecord[], mishap: Mishap): Promise<void> {
    for (const record of records) this.#append(record)
    for (const partition of this.#partitions) {
      const end = partition.log.length
      if (mishap === 'crash' && partition.committed < end) await this.#scoreTo(partition, end, true)
      await this.#scoreTo(partition, end, false)
      if (mishap === 'restart') partition.scorer = undefined
    }
    if (mishap !== 'empty') return
    this.store.empty()
    for (const partition of this.#partitions) {
      partition.scorer = undefined
      await this.#scoreTo(partition, partition.log.length, false)
    }
  }

  #append(record: HistoryRecord): void {
    if ('signal' in record) {
      const { log, partition } =
        this.#partitions[partitionOf(record.signal.accountId, this.#partitions.length)]!
      log.push(
        logRecord(partition, log.length, signalRecord(topics.signals, record.signal, record.timestamp)),
      )
      return
    }
    for (const { partition, log } of this.#partitions) {
      const add = (outgoing: OutgoingRecord) => log.push(logRecord(partition, log.length, outgoing))
      const time = record.timestamp
      const tick = { clock: 'wall', slice: 0, of: 1 } as const
      if ('tick' in record) {
        add(tickRecord(topics.signals, partition, time, { ...tick, scope: 'due' }))
        continue
      }
      const sources = record.models.map(model => this.library.sourceFor(model))
      add(modelsRecord(topics.signals, partition, time, sources))
      add(tickRecord(topics.signals, partition, time, { ...tick, scope: 'all' }))
    }
  }

  async #scoreTo(run: PartitionRun, end: number, crashes: boolean): Promise<void> {
    const { partition, log } = run
    const context = {
      backend: this.#backend(crashes),
      publication: alwaysServing(topics),
      library: this.library,
      partitions: this.#partitions.length,
      logger: { info: () => {}, warn: () => {}, error: () => {} },
      shares: unlimitedShares(),
      onScored: ({ rejected }: { rejected: number }) => {
        this.rejected += rejected
      },
    }
    if (run.scorer === undefined) {
      const session: PartitionSession = {
        topic: topics.signals,
        partition,
        committedOffset: run.committed,
        firstOffset: 0,
        endOffset: log.length,
        commit: async (_, nextOffset) => {
          run.committed = Math.max(run.committed, nextOffset)
        },
        isOver: false,
        lose: () => {},
      }
      run.scorer = await PartitionScorer.take(context, session, `token-${partition}`)
    }
    const { start, stored } = run.scorer.offsets
    const records = log.slice(Math.max(start, stored), end)
    if (records.length === 0) return
    try {
      await run.scorer.score(records)
    } catch (thrown) {
      run.scorer = undefined
      if (thrown !== CRASH) throw thrown
    }
  }

  #backend(crashes: boolean): Backend {
    const { store } = this
    const partitions = this.#partitions
    return {
      store,
      log: {
        read: async function* (_, [stretch]) {
          yield* partitions[stretch!.partition]!.log.slice(stretch!.from, stretch!.to)
        },
      } as Pick<Log, 'read'> as Log,
      commitFlush: async (session, { outputs, nextOffset, metadata, write }) => {
        await session.commit(outputs, nextOffset, metadata)
        if (crashes) throw CRASH
        await store.save(session.partition, write)
      },
    } as Pick<Backend, 'store' | 'log' | 'commitFlush'> as Backend
  }
}

const CRASH = new Error('the process died between the transaction and the save')

interface PartitionRun {
  readonly partition: number
  readonly log: LogRecord[]
  committed: number
  scorer: PartitionScorer | undefined
}
