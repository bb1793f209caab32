import type { PartitionWrite, StoredPartition } from '../../../src/store/store.ts'
import { MemoryStore } from '../memory-store.ts'
import { halfOf } from './half-of.ts'

/**
 * The simulation's store. It keeps a journal of writes, so that it can lose the newest ones and be compared.
 */
export class JournaledStore {
  memory = new MemoryStore()
  #journal: JournalEntry[] = []
  /** The length of the journal that rolling back does not remove. */
  #lasting = 0
  readonly #onSave: (partition: number, storedOffset: number) => void

  constructor(onSave: (partition: number, storedOffset: number) => void) {
    this.#onSave = onSave
  }

  async fence(partition: number, fencingToken: string, wholeFrom = 0): Promise<StoredPartition> {
    this.#journal.push({ partition, fencingToken, wholeFrom })
    return await this.memory.fence(partition, fencingToken, wholeFrom)
  }

  async save(partition: number, write: PartitionWrite): Promise<void> {
    await this.memory.save(partition, write)
    this.#journal.push({ partition, write })
    this.#onSave(partition, write.storedOffset)
  }

  async clear(partition: number, fencingToken: string): Promise<void> {
    await this.memory.clear(partition, fencingToken)
    this.#journal.push({ partition, cleared: fencingToken })
  }

  /** Begins to clear as the adapters do: the stored offset goes first. Half of the rest remains. */
  async clearInPart(partition: number, fencingToken: string): Promise<void> {
    const left = halfOf(this.#writes(partition), fencingToken)
    await this.memory.clearInPart(partition, left)
    this.#journal.push({ partition, left })
  }

  /**
   * The same as `clearInPart`, but by another process than the owner. Rolling back does not undo it: the
   * owner may have read the rest, and could not notice that if the stored offset came back.
   */
  async clearInPartForGood(partition: number, fencingToken: string): Promise<void> {
    await this.fence(partition, fencingToken)
    await this.clearInPart(partition, fencingToken)
    this.#lasting = this.#journal.length
  }

  /** Accepts a save without any check. */
  async saveUnchecked(partition: number, write: PartitionWrite): Promise<void> {
    const { storedOffset } = await this.memory.readPartition(partition)
    await this.fence(partition, write.fencingToken)
    await this.save(partition, { ...write, expectedStoredOffset: storedOffset })
  }

  /** Adds to counters and writes nothing else. */
  async countOnly(partition: number, counters: PartitionWrite['counters']): Promise<void> {
    const { storedOffset } = await this.memory.readPartition(partition)
    const fencingToken = 'counters'
    const nothing = { state: undefined, accounts: [], userChunks: [] }
    await this.fence(partition, fencingToken)
    await this.save(partition, {
      fencingToken,
      expectedStoredOffset: storedOffset,
      storedOffset,
      ...nothing,
      counters,
    })
  }

  /** Loses the newest writes and steps of clearing, as a replica that takes over does. */
  rollBack(writes: number): void {
    const changes = this.#journal.flatMap((entry, index) => ('fencingToken' in entry ? [] : [index]))
    const from = Math.max(changes.at(-writes) ?? 0, this.#lasting)
    this.#journal = this.#journal.slice(0, from)
    this.memory = new MemoryStore()
    // Each of its calls takes effect at once.
    for (const entry of this.#journal) {
      if ('write' in entry) void this.memory.save(entry.partition, entry.write)
      else if ('left' in entry) void this.memory.clearInPart(entry.partition, entry.left)
      else if ('cleared' in entry) void this.memory.clear(entry.partition, entry.cleared)
      else void this.memory.fence(entry.partition, entry.fencingToken, entry.wholeFrom)
    }
  }

  empty(): void {
    this.#journal = []
    this.#lasting = 0
    this.memory.empty()
  }

  storedOffset(partition: number): number {
    return this.#writes(partition).at(-1)?.storedOffset ?? 0
  }

  /** The result of all writes to a partition. */
  contents(partition: number): StoreContents {
    return contentsOf(this.#writes(partition))
  }

  /** The writes to a partition since it was last cleared. */
  #writes(partition: number): PartitionWrite[] {
    const own = this.#journal.filter(entry => entry.partition === partition)
    const cleared = own.findLastIndex(entry => 'cleared' in entry || 'left' in entry)
    return own
      .slice(Math.max(0, cleared))
      .flatMap(entry => ('write' in entry ? [entry.write] : 'left' in entry ? [entry.left] : []))
  }
}

type JournalEntry = { readonly partition: number } & (
  | { readonly fencingToken: string; readonly wholeFrom: number }
  | { readonly write: PartitionWrite }
  /** Clearing has begun; so much is left. */
  | { readonly left: PartitionWrite }
  /** The fencing token with which it was cleared. */
  | { readonly cleared: string }
)

/** A partition of the store as text by name. Equal texts mean equal contents. */
export type StoreContents = ReadonlyMap<string, string>

export function contentsOf(writes: readonly PartitionWrite[]): StoreContents {
  const contents = new Map<string, string>()
  const counters = new Map<string, number>()
  for (const { storedOffset, state, accounts, userChunks, counters: changes } of writes) {
    contents.set('storedOffset', String(storedOffset))
    if (state !== undefined) contents.set('state', Buffer.from(state).toString())
    for (const { accountId, bytes, bucket, dueAt, listingsAdded, listingsRemoved } of accounts) {
      contents.set(`account ${accountId}`, `${bucket} ${Buffer.from(bytes).toString('hex')}`)
      if (dueAt !== undefined) contents.set(`due ${accountId}`, String(dueAt))
      for (const listing of listingsRemoved) contents.delete(`listed ${JSON.stringify(listing)}`)
      for (const listing of listingsAdded) contents.set(`listed ${JSON.stringify(listing)}`, '')
    }
    for (const { accountId, chunk, bytes } of userChunks) {
      if (bytes === undefined) contents.delete(`users ${accountId} ${chunk}`)
      else contents.set(`users ${accountId} ${chunk}`, Buffer.from(bytes).toString('hex'))
    }
    for (const { book, field, delta } of changes) {
      const key = `counter ${book} ${field}`
      counters.set(key, (counters.get(key) ?? 0) + delta)
    }
  }
  for (const [key, count] of counters) if (count !== 0) contents.set(key, String(count))
  return contents
}
