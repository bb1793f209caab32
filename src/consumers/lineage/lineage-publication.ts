import { setTimeout as sleep } from 'node:timers/promises'
import { UpswellError } from '../../lib/errors.ts'
import type { LogRecord } from '../../log/log.ts'
import { readPromotion } from '../../log/own-records.ts'
import type { TopicNames } from '../../log/topic-names.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { decodePartitionMemory } from '../../models/partition-memory-codec.ts'
import type { Account } from '../../scoring/account.ts'
import { eventsToAnnounce } from '../../scoring/announce-promotion.ts'
import { decodeScores } from '../../scoring/codec/codec.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import type { Announcement, LineageRole, Publication } from '../scorer/publication.ts'
import { originOffset } from './copy-records.ts'
import type { Lineage, Origin } from './lineage.ts'

const POLL_INTERVAL_MS = 20
/** After it the session ends and the next one waits again, so that readiness and the logger say why. */
const MAX_WAIT_MS = 5_000

/** Decides where one lineage publishes, by the promotions in its log. */
export class LineagePublication implements Publication {
  readonly #lineage: Lineage
  readonly #library: ModelLibrary

  constructor(lineage: Lineage, library: ModelLibrary) {
    this.#lineage = lineage
    this.#library = library
  }

  role({ promotion }: PartitionMemory): LineageRole {
    const { names, origin } = this.#lineage
    if (promotion === undefined) return origin === undefined ? 'serving' : 'shadow'
    return promotion.namespace === names.namespace ? 'serving' : 'retired'
  }

  topics(memory: PartitionMemory): TopicNames {
    return this.role(memory) === 'serving' ? this.#lineage.servedTopics : this.#lineage.names.topics
  }

  /**
   * Waits until the lineage that served is past the promotion too: its events then precede the events of this
   * one, account by account.
   * @throws UpswellError LOG_UNAVAILABLE after 5 s; STORE_UNAVAILABLE
   */
  async beforePromotion(partition: number, record: LogRecord): Promise<void> {
    const { origin } = this.#lineage
    if (origin === undefined || readPromotion(record) === undefined) return
    const from = originPartition(origin, partition)
    const offset = originOffset(record) ?? 0
    for (const until = performance.now() + MAX_WAIT_MS; ; await sleep(POLL_INTERVAL_MS)) {
      const storedOffset = await origin.store.readStoredOffset(from)
      if (storedOffset > offset) return
      if (performance.now() < until) continue
      throw new UpswellError(
        'LOG_UNAVAILABLE',
        `promoted, but ${origin.topic} partition ${from} has been scored up to ${storedOffset} only, and the promotion is at ${offset}: its scorers must reach the promotion first`,
        { canRetry: true },
      )
    }
  }

  unannounced(memory: PartitionMemory, accounts: () => Iterable<Account>): readonly Account[] {
    const { promotion } = memory
    const { origin } = this.#lineage
    if (origin === undefined || promotion === undefined || this.role(memory) !== 'serving') return []
    return [...accounts()].filter(({ lastOffset }) => lastOffset < promotion.offset)
  }

  /**
   * Compares each account with its standings in the lineage that served before. They have not changed since
   * the promotion.
   * @throws UpswellError STORE_MOVED: that lineage's store was emptied, and is not restored yet;
   * STORE_UNAVAILABLE
   */
  async announce(partition: number, accounts: readonly Account[]): Promise<readonly Announcement[]> {
    const { origin, names } = this.#lineage
    if (origin === undefined || accounts.length === 0) return []
    const from = originPartition(origin, partition)
    const ids = accounts.map(({ id }) => id)
    // The offset is read before and after the accounts: a missing account means nothing while the store is
    // emptied or filled. A store that is filled gets its memory first, so the memory alone proves nothing.
    const stored = await origin.store.readPartition(from)
    const found = await origin.store.load(from, ids)
    const storedOffset = await origin.store.readStoredOffset(from)
    const before = decodePartitionMemory(stored.state, this.#library)
    const isWhole =
      before.promotion?.namespace === names.namespace &&
      stored.storedOffset > before.promotion.offset &&
      storedOffset > before.promotion.offset
    if (!isWhole)
      throw new UpswellError(
        'STORE_MOVED',
        `the store of ${origin.topic} partition ${from} was emptied or rolled back: it must be restored first, since its accounts show what the promotion changed`,
        { canRetry: true },
      )
    return accounts.map((account, i) => {
      const bytes = found[i]
      const known = bytes === undefined ? undefined : decodeScores(account.id, bytes, before.modelSets)
      return { account, events: eventsToAnnounce(known, account, names.namespace) }
    })
  }
}

/**
 * The origin's partition that holds all accounts of a replay's partition; the replay has a multiple of its
 * partitions.
 */
function originPartition({ partitions }: Origin, partition: number): number {
  return partition % partitions
}
