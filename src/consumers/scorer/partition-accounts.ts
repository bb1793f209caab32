import type { Account } from '../../scoring/account.ts'
import type { FoldResult } from '../../scoring/fold.ts'
import type { LogEntry } from '../../scoring/log-entry.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import { AccountCache } from './account-cache.ts'
import { AccountLoader, type LoadedAccounts, type LoadResult } from './account-loader.ts'
import { newAccountMemory } from './account-memory.ts'
import { DirtyAccounts } from './flush/dirty-accounts.ts'
import { keepSaved, type PreparedFlush, prepareFlush } from './flush/prepare-flush.ts'
import type { WriteContext } from './flush/write-builder.ts'
import type { PartitionShare } from './partition-shares.ts'
import type { ScorerContext } from './scorer-context.ts'
import { StepSize } from './step-size.ts'

// How a partition divides its share: half for accounts that are as in the store (two generations), three
// eighths for those that are not, an eighth for the step that is being folded.
const GENERATION = 1 / 4
const DIRTY = 3 / 8
const STEP = 1 / 8
/** A step that needs this many times its part is made smaller before it is folded. */
const TOLERANCE = 2

/** With fewer records a step, memory is short. */
const FEW_RECORDS = 250

/** A name that an account has for the first time: its series, or its value. */
const BYTES_PER_NEW_NAME = 400
/** A signal's id, and its user in a chunk. */
const BYTES_PER_SIGNAL = 64
/** An account may keep the texts of a signal with properties, in memory twice as large as UTF-8. */
const BYTES_PER_PARSED_BYTE = 2

/** What a step brought into memory. */
export interface StepContent {
  readonly records: number
  /** As of `decodeRecords`. */
  readonly bytesParsed: number
  /** The bytes of what the step publishes, about. */
  readonly outputBytes: number
}

/**
 * The accounts of one partition in memory, within its share: the recently used ones, and the dirty ones,
 * which the store does not hold as they are now.
 */
export class PartitionAccounts {
  readonly #cache = new AccountCache()
  readonly #loader: AccountLoader
  readonly #memory: PartitionMemory
  readonly #share: PartitionShare
  readonly #stepSize: StepSize
  #dirty = new DirtyAccounts()

  constructor(
    { backend, meter }: Pick<ScorerContext, 'backend' | 'meter'>,
    partition: number,
    memory: PartitionMemory,
    share: PartitionShare,
  ) {
    this.#memory = memory
    this.#share = share
    this.#stepSize = new StepSize(this.#stepBytes)
    this.#loader = new AccountLoader(backend.store, partition, this.#cache, memory, meter)
  }

  /** What the next flush writes. */
  get dirty(): DirtyAccounts {
    return this.#dirty
  }

  /** How many accounts are in memory. */
  get size(): number {
    return this.#cache.size
  }

  /** Whether they must be flushed before more is folded. */
  get isFull(): boolean {
    return this.#dirty.memoryBytes >= DIRTY * this.#share.bytes
  }

  /** How many records the next step takes, of those that are there. */
  recordsOfStep(there: number): number {
    const { records } = this.#stepSize
    if (records < Math.min(there, FEW_RECORDS)) this.#share.isShort()
    return Math.min(there, records)
  }

  /**
   * The accounts of a step (`AccountLoader.load`); undefined: it needs too much memory, and the next one will
   * be smaller. A step of one record is never too large.
   * @throws UpswellError STORE_UNAVAILABLE
   */
  async load(entries: readonly LogEntry[], records: number): Promise<LoadedAccounts | undefined> {
    const mostBytes = records === 1 ? Number.POSITIVE_INFINITY : TOLERANCE * this.#stepBytes
    const result: LoadResult = await this.#loader.load(entries, this.#dirty.accounts, mostBytes)
    if (!('neededBytes' in result)) return result
    this.#stepSize.adapt(records, result.neededBytes, this.#stepBytes)
    return undefined
  }

  /** Remembers what a step changed. */
  remember(folded: FoldResult, { chunkBytes }: LoadedAccounts, content: StepContent): void {
    const before = this.#dirty.memoryBytes
    const ofNew = newAccountMemory(this.#memory.modelSets.at(-1)!.models.length)
    this.#dirty.add(folded, account => this.#cache.savedOf(account.id)?.memoryBytes ?? ofNew)
    this.#dirty.memoryBytes += chunkBytes + keptBytes(folded, content)
    const bytes = this.#dirty.memoryBytes - before + content.outputBytes
    // One tick is about many accounts, and says nothing about signals.
    if (hasSignals(folded)) this.#stepSize.adapt(content.records, bytes, this.#stepBytes)
    this.#reportHeld()
  }

  /** Another lineage published their scores until now. */
  announce(accounts: Iterable<Account>): void {
    for (const account of accounts) this.#dirty.announced.add(account)
  }

  prepareFlush(context: WriteContext): Promise<PreparedFlush> {
    return prepareFlush(this.#dirty, this.#cache, context)
  }

  /** The store holds what was prepared. */
  flushed(prepared: PreparedFlush): void {
    this.#dirty = new DirtyAccounts()
    keepSaved(this.#cache, prepared)
    this.trim()
  }

  /** Keeps no more than the share allows. Call it only when nothing is dirty. */
  trim(): void {
    if (this.#share.isCrowded) this.#cache.clear()
    else this.#cache.trim(GENERATION * this.#share.bytes)
    this.#reportHeld()
  }

  /** A dirty account that is in the store counts twice: it may have grown. */
  #reportHeld(): void {
    this.#share.holds(this.#cache.memoryBytes + this.#dirty.memoryBytes)
  }

  get #stepBytes(): number {
    return STEP * this.#share.bytes
  }
}

function hasSignals({ outcomes }: FoldResult): boolean {
  return Object.values(outcomes).some(count => count > 0)
}

/** What the accounts keep of a step's signals, about. */
function keptBytes({ outcomes, begun }: FoldResult, { bytesParsed }: StepContent): number {
  const signals = outcomes.applied + outcomes.late
  const names = begun.reduce((sum, { count }) => sum + count, 0)
  return BYTES_PER_SIGNAL * signals + BYTES_PER_NEW_NAME * names + BYTES_PER_PARSED_BYTE * bytesParsed
}
