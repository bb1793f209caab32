import { answerWithin } from '../../lib/waiting.ts'
import { decodeOwnRecord, isOwnRecord } from '../../log/own-records.ts'
import { readPublishedOffsets } from '../../log/read-published-offsets.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { decodePartitionMemory } from '../../models/partition-memory-codec.ts'
import type { LogEntry } from '../../scoring/log-entry.ts'
import type { PartitionMemory, Promotion } from '../../scoring/partition-memory.ts'
import { isBeingFilled, storedOffsetAt } from '../../store/position.ts'
import type { AccountStore } from '../../store/store.ts'
import type { Backend } from '../backend.ts'
import {
  type Installation,
  type LineageNames,
  originalNames,
  replayNames,
  scoreGroup,
} from './lineage-names.ts'

/** The names, log and store of a lineage. */
export interface FoundLineage {
  readonly names: LineageNames
  readonly backend: Backend
}

/**
 * Finds the lineages of an installation, starting from its first: the store of each says which lineage was
 * promoted in its place. Opened stores are kept.
 */
export class Lineages {
  readonly original: FoundLineage
  readonly library: ModelLibrary
  readonly #installation: Installation
  #served: FoundLineage
  readonly #opened = new Map<string, Promise<FoundLineage>>()

  /** `backend` has the installation's own namespace. */
  constructor(installation: Installation, backend: Backend, library: ModelLibrary) {
    this.original = { names: originalNames(installation), backend }
    this.#served = this.original
    this.#installation = installation
    this.library = library
  }

  /** The lineage of a replay, by its name. */
  replay(name: string): Promise<FoundLineage> {
    const names = replayNames(this.#installation, name)
    let opening = this.#opened.get(names.namespace)
    if (opening === undefined) {
      opening = this.original.backend.inNamespace(names.namespace).then(backend => ({ names, backend }))
      this.#opened.set(names.namespace, opening)
    }
    return opening
  }

  /**
   * The lineage that was promoted in place of this one; undefined until this one is retired. @throws
   * UpswellError STORE_UNAVAILABLE
   */
  async successor({ names, backend }: FoundLineage): Promise<FoundLineage | undefined> {
    const promotion = await this.#promotionIn(backend.store, 0)
    if (promotion === undefined || promotion.namespace === names.namespace) return undefined
    return await this.withNamespace(promotion.namespace)
  }

  /**
   * Like `successor`, but also reads the log after the store's offset: no scorer may have folded the
   * promotion yet, or the store was emptied.
   * @throws UpswellError STORE_UNAVAILABLE, LOG_UNAVAILABLE
   */
  async writtenSuccessor(lineage: FoundLineage): Promise<FoundLineage | undefined> {
    const known = await this.successor(lineage)
    if (known !== undefined) return known
    const { namespace } = lineage.names
    for await (const entry of this.unscored(lineage, 0))
      if (entry.type === 'promotion' && entry.namespace !== namespace)
        return await this.withNamespace(entry.namespace)
    return undefined
  }

  /**
   * Upswell's own records in a partition of the lineage's log that are not in its store yet. @throws
   * UpswellError STORE_UNAVAILABLE, LOG_UNAVAILABLE
   */
  async *unscored(
    { names, backend: { log, store } }: FoundLineage,
    partition: number,
  ): AsyncGenerator<LogEntry> {
    const { signals } = names.topics
    const from = await store.readStoredOffset(partition)
    const to = (await log.ranges(signals)).get(partition)?.end ?? 0
    if (from >= to) return
    for await (const record of log.read(signals, [{ partition, from, to }])) {
      const decoded = isOwnRecord(record) ? decodeOwnRecord(record, this.library) : undefined
      if (decoded !== undefined && 'entry' in decoded) yield decoded.entry
    }
  }

  /** The lineage of this namespace. */
  async withNamespace(namespace: string): Promise<FoundLineage> {
    const { names } = this.original
    if (namespace === names.namespace) return this.original
    return await this.replay(namespace.slice(names.namespace.length + 1))
  }

  /**
   * The newest lineage that serves in all of its partitions, as far as the stores know: one that is being
   * filled may miss a promotion. A command uses `findServed`.
   * @throws UpswellError STORE_UNAVAILABLE
   */
  async served(): Promise<FoundLineage> {
    for (;;) {
      const next = await this.successor(this.#served)
      if (next === undefined || !(await this.#serves(next))) return this.#served
      // Kept: a retired lineage never serves again.
      this.#served = next
    }
  }

  /**
   * Whether the stores hold enough to find the serving lineage from this one on: its first partition, which
   * names the successor, and all partitions of the successor, which say whether it serves. A store that is
   * being filled may still miss a promotion.
   * @throws UpswellError STORE_UNAVAILABLE
   */
  async areWhole(lineage: FoundLineage): Promise<boolean> {
    if (!(await isWhole(lineage, 1))) return false
    const next = await this.successor(lineage)
    if (next === undefined) return true
    const partitions = await next.backend.store.partitions()
    return partitions !== undefined && (await isWhole(next, partitions))
  }

  /**
   * Whether all partitions of a promoted lineage have reached its promotion. A lineage that was retired since
   * then has served.
   */
  async #serves({ backend: { store } }: FoundLineage): Promise<boolean> {
    const partitions = (await store.partitions()) ?? 0
    for (let partition = 0; partition < partitions; partition++)
      if ((await this.#promotionIn(store, partition)) === undefined) return false
    return partitions > 0
  }

  async #promotionIn(store: AccountStore, partition: number): Promise<Promotion | undefined> {
    return (await this.memory(store, partition)).promotion
  }

  async memory(store: AccountStore, partition: number): Promise<PartitionMemory> {
    return decodePartitionMemory((await store.readPartition(partition)).state, this.library)
  }

  async close(): Promise<void> {
    for (const opening of this.#opened.values()) await (await opening).backend.close()
  }
}

/** How long the log may take. Without its answer, the store alone decides. */
const LOG_PATIENCE_MS = 1_000

/**
 * Whether the first partitions of the store are whole. The log is asked too: an emptied store, or one that
 * was restored from an old copy, does not know what it lacks until its partitions are fenced.
 */
async function isWhole(
  { names, backend: { log, store } }: FoundLineage,
  partitions: number,
): Promise<boolean> {
  // In this order, so that offsets committed meanwhile do not matter.
  const published = await answerWithin(
    LOG_PATIENCE_MS,
    readPublishedOffsets(log, scoreGroup(names), names.topics.signals),
  )
  const found = await store.readProgress(Array.from({ length: partitions }, (_, partition) => partition))
  return found.every((progress, partition) => {
    if (isBeingFilled(progress)) return false
    if (published === undefined) return progress.wholeFrom !== undefined
    return storedOffsetAt(progress.position) >= (published.get(partition) ?? 0)
  })
}
