import type { ModelLibrary } from '../../models/model-library.ts'
import { decodePartitionMemory } from '../../models/partition-memory.ts'
import type { PartitionMemory } from '../../scoring/fold.ts'
import type { AccountStore } from '../../store/store.ts'

const MAX_AGE_MS = 1000
const POLL_MS = 20

interface WholePartition {
  readonly storedOffset: number
  readonly memory: PartitionMemory
}

interface Partition {
  readonly whole: FreshValue<WholePartition>
  /** Read alone, since most who wait for it need no more: the memory holds the models' full text. */
  readonly storedOffset: FreshValue<number>
}

/**
 * What the store knows of its partitions as wholes. It is kept for a second, so that most requests read nothing but the accounts
 * they are about. Nothing wrong comes of an old memory: an account says which models it stands under, and if the memory does not
 * hold those, it does not decode.
 */
export class Partitions {
  readonly #store: AccountStore
  readonly #library: ModelLibrary
  readonly #count: FreshValue<number | undefined>
  readonly #partitions = new Map<number, Partition>()
  /** By partition: the watermark that was read last. */
  readonly #storedOffsets = new Map<number, number>()
  readonly #polls = new Map<number, Promise<number>>()

  constructor(store: AccountStore, library: ModelLibrary) {
    this.#store = store
    this.#library = library
    this.#count = new FreshValue(() => store.partitions(), MAX_AGE_MS)
  }

  /** Undefined: nothing has been scored yet. */
  async count(): Promise<number | undefined> {
    return (await this.#count.get()) ?? (await this.#count.refresh())
  }

  /** Not older than the watermark that was read last: whoever waited for a record sees what it did. */
  async memory(partition: number): Promise<PartitionMemory> {
    const { storedOffset, memory } = await this.#partition(partition).whole.get()
    return storedOffset >= (this.#storedOffsets.get(partition) ?? 0)
      ? memory
      : this.refreshedMemory(partition)
  }

  async refreshedMemory(partition: number): Promise<PartitionMemory> {
    return (await this.#partition(partition).whole.refresh()).memory
  }

  /** The memories of all partitions. */
  async memories(): Promise<PartitionMemory[]> {
    const count = (await this.count()) ?? 0
    return await Promise.all(Array.from({ length: count }, (_, partition) => this.memory(partition)))
  }

  async storedOffset(partition: number): Promise<number> {
    const storedOffset = await this.#partition(partition).storedOffset.refresh()
    this.#storedOffsets.set(partition, storedOffset)
    return storedOffset
  }

  /** The watermark a moment later. However many wait for it, a partition is read once a poll. */
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
    // The models' full text stands in the state; it changes with the models alone.
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

/** A value that is read again when it is asked for and older than `maxAgeMs`. Those who ask at the same time share one read. */
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

  /** Reads it anew, or joins a read that is under way. */
  refresh(): Promise<Value> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readNow(): Promise<Value> {
    // The value may be as old as the beginning of its read.
    const readAt = performance.now()
    const value = await this.#read()
    this.#last = { value, readAt }
    return value
  }
}
