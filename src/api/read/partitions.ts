import { FreshValue } from '../../lib/fresh-value.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { decodePartitionMemory } from '../../models/partition-memory-codec.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import type { AccountStore } from '../../store/store.ts'
import type { Wholeness } from './wholeness.ts'

/** How old an answer's models may be. */
const MAX_AGE_MS = 1000
/** How often a waiting request looks for its record. */
const POLL_MS = 20

interface WholePartition {
  readonly storedOffset: number
  readonly memory: PartitionMemory
}

interface Partition {
  readonly whole: FreshValue<WholePartition>
  /** Read alone, since a waiting request needs no more: the memory holds the models' full text. */
  readonly storedOffset: FreshValue<number>
}

/**
 * The partitions' memories and stored offsets, cached for 1 s, so that most requests read only accounts. An
 * old memory never gives a wrong answer: an account names the models that it was scored with, and cannot be
 * decoded without them.
 */
export class Partitions {
  readonly #store: AccountStore
  readonly #library: ModelLibrary
  readonly #wholeness: Wholeness
  readonly #count: FreshValue<number | undefined>
  /** When their number was last known, ms of `performance.now()`. */
  #countedAt = Number.NEGATIVE_INFINITY
  readonly #partitions = new Map<number, Partition>()
  /** The stored offset that was last read of each partition. */
  readonly #storedOffsets = new Map<number, number>()
  readonly #polls = new Map<number, Promise<number>>()

  constructor(store: AccountStore, library: ModelLibrary, wholeness: Wholeness) {
    this.#store = store
    this.#library = library
    this.#wholeness = wholeness
    this.#count = new FreshValue(() => store.partitions(), MAX_AGE_MS)
  }

  /**
   * How many partitions there are; undefined: nothing has been scored yet.
   * @throws Problem STORE_FILLING: the store was emptied
   */
  async count(): Promise<number | undefined> {
    const count = (await this.#count.get()) ?? (await this.#count.refresh())
    if (count === undefined) await this.#wholeness.requireNothingScored(this.#countedAt)
    else this.#countedAt = performance.now()
    return count
  }

  /**
   * Runs `read`, which may read all partitions. What it returns or refuses comes from whole partitions.
   * @throws Problem STORE_FILLING
   */
  async whileWhole<Answer>(read: () => Promise<Answer>): Promise<Answer> {
    const count = await this.count()
    return count === undefined ? await read() : await this.#wholeness.during(count, read)
  }

  /** What is missing of the store; empty: nothing. */
  async lacks(): Promise<readonly string[]> {
    const count = await this.count()
    return count === undefined ? [] : await this.#wholeness.lacks(count)
  }

  /**
   * From a whole partition, and at least as new as the last stored offset that was read: a request that
   * waited for a record sees its effect.
   */
  async memory(partition: number): Promise<PartitionMemory> {
    const { storedOffset, memory } = await this.#partition(partition).whole.get()
    const least = Math.max(this.#storedOffsets.get(partition) ?? 0, this.#wholeness.wholeFrom(partition))
    return storedOffset >= least ? memory : this.refreshedMemory(partition)
  }

  /** Reads the memory again. */
  async refreshedMemory(partition: number): Promise<PartitionMemory> {
    return (await this.#partition(partition).whole.refresh()).memory
  }

  async memories(): Promise<PartitionMemory[]> {
    const count = (await this.count()) ?? 0
    return await Promise.all(Array.from({ length: count }, (_, partition) => this.memory(partition)))
  }

  /** Reads the stored offset now. */
  async storedOffset(partition: number): Promise<number> {
    const storedOffset = await this.#partition(partition).storedOffset.refresh()
    this.#storedOffsets.set(partition, storedOffset)
    return storedOffset
  }

  /** Reads the stored offset one poll later. All requests that wait on the partition share one read. */
  nextStoredOffset(partition: number): Promise<number> {
    const polling = this.#polls.get(partition)
    if (polling !== undefined) return polling
    const poll = sleep(POLL_MS)
      .then(() => this.storedOffset(partition))
      .finally(() => this.#polls.delete(partition))
    this.#polls.set(partition, poll)
    return poll
  }

  #partition(partition: number): Partition {
    const known = this.#partitions.get(partition)
    if (known !== undefined) return known
    const read = partitionReader(this.#store, this.#library, partition)
    const made = {
      whole: new FreshValue(read, MAX_AGE_MS),
      storedOffset: new FreshValue(() => this.#store.readStoredOffset(partition), MAX_AGE_MS),
    }
    this.#partitions.set(partition, made)
    return made
  }
}

function partitionReader(
  store: AccountStore,
  library: ModelLibrary,
  partition: number,
): () => Promise<WholePartition> {
  let last: { readonly state: Uint8Array | undefined; readonly memory: PartitionMemory } | undefined
  return async () => {
    const { storedOffset, state } = await store.readPartition(partition)
    // The state holds the models' full text, and changes only with the models: decode it once.
    if (last === undefined || !isSame(last.state, state))
      last = { state, memory: decodePartitionMemory(state, library) }
    return { storedOffset, memory: last.memory }
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0)
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
