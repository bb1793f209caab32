import { decodeRecord, isOwnRecord } from '../../log/log-entries.ts'
import { readPublished } from '../../log/published-offset.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { decodePartitionMemory } from '../../models/partition-memory.ts'
import type { LogEntry } from '../../scoring/log-entry.ts'
import type { PartitionMemory, Promotion } from '../../scoring/partition-memory.ts'
import type { AccountStore } from '../../store/store.ts'
import type { Backend } from '../backend.ts'
import {
  type Installation,
  type LineageNames,
  originalNames,
  replayNames,
  scoreGroup,
} from './lineage-names.ts'

/** A line as others find it: where it is, and the log with its store. */
export interface FoundLineage {
  readonly names: LineageNames
  readonly backend: Backend
}

/**
 * The lines of an installation, found from its first one: each tells in its store, made from its log, which one took its place. Stores that were opened
 * are kept.
 */
export class Lineages {
  readonly original: FoundLineage
  readonly #installation: Installation
  readonly #library: ModelLibrary
  #served: FoundLineage
  readonly #opened = new Map<string, Promise<FoundLineage>>()

  /** `backend`: of the installation's own namespace. */
  constructor(installation: Installation, backend: Backend, library: ModelLibrary) {
    this.original = { names: originalNames(installation), backend }
    this.#served = this.original
    this.#installation = installation
    this.#library = library
  }

  /** The line of a replay, by its name. */
  replay(name: string): Promise<FoundLineage> {
    const names = replayNames(this.#installation, name)
    let opening = this.#opened.get(names.namespace)
    if (opening === undefined) {
      opening = this.original.backend.inNamespace(names.namespace).then(backend => ({ names, backend }))
      this.#opened.set(names.namespace, opening)
    }
    return opening
  }

  /** The line that was promoted in the place of this one; undefined as long as this one was not retired. @throws UpswellError STORE_UNAVAILABLE */
  async successor({ names, backend }: FoundLineage): Promise<FoundLineage | undefined> {
    const promotion = await this.#promotionIn(backend.store, 0)
    if (promotion === undefined || promotion.namespace === names.namespace) return undefined
    return await this.withNamespace(promotion.namespace)
  }

  /**
   * As `successor`, also if no scorer has come to the promotion yet, or the store was emptied: what is not in the store is read from the log.
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

  /** What Upswell itself wrote into a partition of the line's log, and is not in its store yet. @throws UpswellError STORE_UNAVAILABLE, LOG_UNAVAILABLE */
  async *unscored(
    { names, backend: { log, store } }: FoundLineage,
    partition: number,
  ): AsyncGenerator<LogEntry> {
    const { signals } = names.topics
    const from = await store.readStoredOffset(partition)
    const to = (await log.ranges(signals)).get(partition)?.end ?? 0
    if (from >= to) return
    for await (const record of log.read(signals, [{ partition, from, to }])) {
      const decoded = isOwnRecord(record) ? decodeRecord(record, this.#library) : undefined
      if (decoded !== undefined && 'entry' in decoded) yield decoded.entry
    }
  }

  /** The line that has this namespace. */
  async withNamespace(namespace: string): Promise<FoundLineage> {
    const { names } = this.original
    if (namespace === names.namespace) return this.original
    return await this.replay(namespace.slice(names.namespace.length + 1))
  }

  /** What the API is to show: the newest line that serves in all of its partitions. @throws UpswellError STORE_UNAVAILABLE */
  async served(): Promise<FoundLineage> {
    for (;;) {
      const next = await this.successor(this.#served)
      if (next === undefined || !(await this.#serves(next))) return this.#served
      // For good: a line that was retired never serves again.
      this.#served = next
    }
  }

  /**
   * Whether the store says all about this line and the one that was promoted in its place that their logs say. Not so where it was emptied, and is being made
   * anew: a promotion may be among what is missing.
   * @throws UpswellError STORE_UNAVAILABLE, LOG_UNAVAILABLE
   */
  async areWhole(lineage: FoundLineage): Promise<boolean> {
    if (!(await isWhole(lineage))) return false
    const next = await this.successor(lineage)
    return next === undefined || (await isWhole(next))
  }

  /** Of a line that was promoted: whether all of its partitions have come to that. One that was retired since has served. */
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
    return decodePartitionMemory((await store.readPartition(partition)).state, this.#library)
  }

  async close(): Promise<void> {
    for (const opening of this.#opened.values()) await (await opening).backend.close()
  }
}

async function isWhole({ names, backend: { log, store } }: FoundLineage): Promise<boolean> {
  // In this order: what is committed meanwhile is not asked for.
  const { committed, metadata } = await log.group(scoreGroup(names), names.topics.signals)
  // Events go out before the store is written; how far it is to be is what the scores are published up to.
  const offset = committed.get(0) ?? 0
  return (await store.readStoredOffset(0)) >= (readPublished(offset, metadata.get(0)) ?? offset)
}
