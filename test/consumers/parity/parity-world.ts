import type { Backend } from '../../../src/consumers/backend.ts'
import type { AccountParity } from '../../../src/consumers/parity/account-parity.ts'
import { checkAccounts } from '../../../src/consumers/parity/check-accounts.ts'
import type { ParitySource } from '../../../src/consumers/parity/parity-source.ts'
import { type PlanOptions, planCheck } from '../../../src/consumers/parity/plan-check.ts'
import { PartitionScorer } from '../../../src/consumers/scorer/partition-scorer.ts'
import { unlimitedShares } from '../../../src/consumers/scorer/partition-shares.ts'
import { alwaysServing } from '../../../src/consumers/scorer/publication.ts'
import type { ScorerContext } from '../../../src/consumers/scorer/scorer-context.ts'
import type { Log, LogRecord, OutgoingRecord, PartitionSession } from '../../../src/log/log.ts'
import {
  liveRecord,
  modelsRecord,
  promotionRecord,
  signalRecord,
  tickRecord,
} from '../../../src/log/signals-topic-records.ts'
import { CHECKPOINTS, topicNames } from '../../../src/log/topic-names.ts'
import { LibraryOfDefinitions } from '../../support/library-of-definitions.ts'
import { logRecord } from '../../support/log-record.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import type { HistoryRecord } from '../../support/slow/slow-evaluator.ts'

export const PARTITION = 0
const topics = topicNames('')

/** A store that gives false answers about its content. */
export class LyingStore extends MemoryStore {
  /** Account → the core that it returns in place of the true one. */
  readonly cores = new Map<string, Uint8Array | undefined>()
  /** `account/chunk` */
  readonly lostChunks = new Set<string>()
  beforeLoad = async (): Promise<void> => {}

  override async load(partition: number, accountIds: readonly string[]) {
    await this.beforeLoad()
    const found = await super.load(partition, accountIds)
    return found.map((bytes, i) => {
      const accountId = accountIds[i]!
      return this.cores.has(accountId) ? this.cores.get(accountId) : bytes
    })
  }

  override async loadUserChunks(
    partition: number,
    keys: readonly { readonly accountId: string; readonly chunk: string }[],
  ) {
    const found = await super.loadUserChunks(partition, keys)
    return found.map((bytes, i) =>
      this.lostChunks.has(`${keys[i]!.accountId}/${keys[i]!.chunk}`) ? undefined : bytes,
    )
  }
}

/** How the records of a history are written. */
export interface Writing {
  readonly clock?: 'wall' | 'event'
  readonly tickClock?: 'wall' | 'event'
}

/** One partition in memory, scored by the score loop's own code. */
export class ParityWorld {
  readonly store = new LyingStore()
  readonly library = new LibraryOfDefinitions()
  /** Topic → the partition's records. */
  readonly records = new Map<string, LogRecord[]>([
    [topics.signals, []],
    [topics[CHECKPOINTS], []],
  ])
  /** The first offset of `signals` that retention has kept. */
  firstOffset = 0
  beforeRead = (_topic: string): void => {}
  readonly #checkpointing: boolean
  #scorer: PartitionScorer | undefined
  #committed = 0
  #now = 0

  constructor({ checkpointing }: { readonly checkpointing: boolean }) {
    this.#checkpointing = checkpointing
  }

  get signals(): LogRecord[] {
    return this.records.get(topics.signals)!
  }

  get checkpoints(): LogRecord[] {
    return this.records.get(topics[CHECKPOINTS])!
  }

  get source(): ParitySource {
    return { namespace: 'default', log: this.#log, store: this.store, topics, library: this.library }
  }

  /**
   * Appends as ingest and the ticker do. The slices of a tick after models come at the end, after other
   * records.
   */
  append(history: readonly HistoryRecord[], { clock = 'wall', tickClock = 'wall' }: Writing = {}): void {
    let switchedAt: number | undefined
    for (const record of history) {
      const time = record.timestamp
      if ('signal' in record) this.#append(signalRecord(topics.signals, record.signal, time, clock))
      else if ('tick' in record)
        this.#append(
          tickRecord(topics.signals, PARTITION, time, { clock: tickClock, slice: 0, of: 1, scope: 'due' }),
        )
      else {
        const sources = record.models.map(model => this.library.sourceFor(model))
        this.#append(modelsRecord(topics.signals, PARTITION, time, sources))
        switchedAt = time
      }
    }
    if (switchedAt === undefined) return
    for (const slice of [0, 1, 2])
      this.#append(
        tickRecord(topics.signals, PARTITION, switchedAt, { clock: 'wall', slice, of: 3, scope: 'all' }),
      )
  }

  appendPromotion(namespace: string): void {
    this.#append(promotionRecord(topics.signals, PARTITION, 0, { namespace, replacedModels: [] }))
  }

  appendLive(): void {
    this.#append(liveRecord(topics.signals, PARTITION))
  }

  /** Scores the waiting records in one batch. With `restarts`, a new owner takes the partition. */
  async score(restarts = false): Promise<void> {
    if (restarts) this.#scorer = undefined
    const context: ScorerContext = {
      backend: this.#backend,
      publication: alwaysServing(topics),
      library: this.library,
      partitions: 1,
      logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } as ScorerContext['logger'],
      ...(this.#checkpointing
        ? { checkpoints: { topic: topics[CHECKPOINTS], timing: { intervalMs: 1, now: () => this.#now++ } } }
        : {}),
      shares: unlimitedShares(),
      onScored: () => {},
    }
    this.#scorer ??= await PartitionScorer.take(context, this.#session(), `token-${this.#now++}`)
    const { start, stored } = this.#scorer.offsets
    const from = Math.max(start, stored)
    const records = this.signals.filter(({ offset }) => offset >= from)
    if (records.length > 0) await this.#scorer.score(records)
  }

  /** Checks all accounts, or some. */
  async check(options: Partial<PlanOptions> = {}): Promise<AccountParity[]> {
    const plan = await planCheck(this.source, PARTITION, {
      count: 1000,
      random: Math.random,
      from: 'checkpoint',
      ...options,
    })
    const checked = await checkAccounts(this.source, plan, { restMs: 0 })
    return checked.sort((a, b) => (a.accountId < b.accountId ? -1 : 1))
  }

  accountIds(): Promise<string[]> {
    const buckets = Array.from({ length: 256 }, (_, bucket) => bucket)
    return this.store.due(PARTITION, buckets, Number.POSITIVE_INFINITY)
  }

  async coreOf(accountId: string): Promise<Uint8Array> {
    return (await this.store.load(PARTITION, [accountId]))[0]!
  }

  #append(record: OutgoingRecord): void {
    // Every third offset is a transaction's marker.
    const end = endOf(this.signals)
    const offset = end % 3 === 2 ? end + 1 : end
    this.signals.push(logRecord(PARTITION, offset, record))
  }

  #session(): PartitionSession {
    return {
      topic: topics.signals,
      partition: PARTITION,
      committedOffset: this.#committed,
      firstOffset: this.firstOffset,
      endOffset: endOf(this.signals),
      commit: async (records, nextOffset) => {
        this.#committed = Math.max(this.#committed, nextOffset)
        for (const record of records)
          if (record.topic === topics[CHECKPOINTS])
            this.checkpoints.push(logRecord(PARTITION, endOf(this.checkpoints), record))
      },
      isOver: false,
      lose: () => {},
    }
  }

  get #backend(): Backend {
    return {
      log: this.#log,
      store: this.store,
      commitFlush: async (session, { outputs, nextOffset, metadata, write }) => {
        await session.commit(outputs, nextOffset, metadata)
        await this.store.save(session.partition, write)
      },
    } as Pick<Backend, 'log' | 'store' | 'commitFlush'> as Backend
  }

  get #log(): Log {
    const world = this
    const firstOf = (topic: string) => (topic === topics.signals ? world.firstOffset : 0)
    return {
      topics: async () => [...world.records.keys()],
      partitions: async () => 1,
      ranges: async topic =>
        new Map([[PARTITION, { first: firstOf(topic), end: endOf(world.records.get(topic)!) }]]),
      async *read(topic, stretches) {
        world.beforeRead(topic)
        for (const { from, to } of stretches)
          for (const record of [...world.records.get(topic)!])
            if (record.offset >= Math.max(from, firstOf(topic)) && record.offset < to) yield record
      },
    } as Pick<Log, 'topics' | 'partitions' | 'ranges' | 'read'> as Log
  }
}

function endOf(records: readonly LogRecord[]): number {
  return (records.at(-1)?.offset ?? -1) + 1
}
