import type { ModelLibrary } from '../../models/model-library.ts'
import { decodePartitionMemory } from '../../models/partition-memory-codec.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import type { AccountStore } from '../../store/store.ts'

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
  readonly #count: FreshValue<number | undefined>
  readonly #partitions = new Map<number, Partition>()
  /** The stored offset that was last read of each partition. */
  readonly #storedOffsets = new Map<number, number>()
  readonly #polls = new Map<number, Promise<number>>()

  constructor(store: AccountStore, library: ModelLibrary) {
    this.#store = store
    this.#library = library
    this.#count = new FreshValue(() => store.partitions(), MAX_AGE_MS)
  }

  /** How many partitions there are; undefined: nothing has been scored yet. */
  async count(): Promise<number | undefined> {
    return (await this.#count.get()) ?? (await this.#count.refresh())
  }

  /**
   * At least as new as the last stored offset that was read: a request that waited for a record sees its
   * effect.
   */
  async memory(partition: number): Promise<PartitionMemory> {
    const { storedOffset, memory } = await this.#partition(partition).whole.get()
    return storedOffset >= (this.#storedOffsets.get(partition) ?? 0)
      ? memory
      : this.refreshedMemory(partition)
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

/** A value that `get` reads again once it is older than `maxAgeMs`. Simultaneous callers share one read. */
class FreshValue<Value> {
  readonly #read: () => Promise<Value>
  readonly #maxAgeMs: number
  #last: { readonly value: Value; readonly readAt: number } | undefined
  #reading: Promise<Value> | undefined

  constructor(read: () => Promise<Value>, maxAgeMs: number) {
    this.#read = read
    this.#maxAgeMs = maxAgeMs
  }

  get(): Promise<Value> {
    if (this.#last !== undefined && performance.now() - this.#last.readAt <= this.#maxAgeMs)
      return Promise.resolve(this.#last.value)
    return this.refresh()
  }

  /** Reads it again, or joins a read that is under way. */
  refresh(): Promise<Value> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readNow(): Promise<Value> {
    // The value may be as old as the start of its read.
    const readAt = performance.now()
    const value = await this.#read()
    this.#last = { value, readAt }
    return value
  }
}
