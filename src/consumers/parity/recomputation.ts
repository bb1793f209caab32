import { type DecodeContext, decodeRecord } from '../../log/decode-signals-topic.ts'
import type { LogRecord } from '../../log/log.ts'
import { recordKind } from '../../log/own-records.ts'
import type { Account } from '../../scoring/account.ts'
import { foldBatch } from '../../scoring/fold.ts'
import type { LogEntry } from '../../scoring/log-entry.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import { type AccountParity, compareAccount } from './account-parity.ts'
import type { SampledAccount } from './sample-accounts.ts'

/** A partition and some of its accounts before the records that are folded. */
export interface State {
  readonly memory: PartitionMemory
  /** With all their users. Accounts that are not here begin empty. */
  readonly accounts: ReadonlyMap<string, Account>
}

/** Folded at once: a few ms of work. */
const ENTRIES_PER_FOLD = 100

/**
 * Folds the records of one partition for some of its accounts. Compares each account when the records below
 * its stored offset are folded. Synchronous; it changes the state that it is given.
 */
export class Recomputation {
  readonly #context: DecodeContext
  readonly #memory: PartitionMemory
  readonly #accounts: Map<string, Account>
  /** Not compared yet, by ascending stored offset. */
  readonly #left: SampledAccount[]
  readonly #ids: Set<string>
  /** Decoded, not folded. */
  #entries: LogEntry[] = []
  readonly #compared: AccountParity[] = []

  constructor(context: DecodeContext, state: State, sampled: readonly SampledAccount[]) {
    this.#context = context
    this.#memory = state.memory
    this.#accounts = new Map(state.accounts)
    this.#left = [...sampled].sort((a, b) => a.storedOffset - b.storedOffset)
    this.#ids = new Set(sampled.map(({ accountId }) => accountId))
  }

  /**
   * The next record of the partition. @throws InvalidModelError if this version of Upswell cannot read a
   * models record
   */
  take(record: LogRecord): void {
    this.#compareUpTo(record.offset)
    if (!this.#concerns(record)) return
    const decoded = decodeRecord(record, this.#context)
    if ('rejection' in decoded) return
    this.#entries.push(decoded.entry)
    if (this.#entries.length === ENTRIES_PER_FOLD) this.#fold()
  }

  /** There are no more records. */
  finish(): readonly AccountParity[] {
    this.#compareUpTo(Number.POSITIVE_INFINITY)
    return this.#compared
  }

  /** The signals of other accounts change nothing of the partition's memory. */
  #concerns(record: LogRecord): boolean {
    return recordKind(record) !== undefined || (record.key !== null && this.#ids.has(record.key.toString()))
  }

  #compareUpTo(offset: number): void {
    while (this.#left.length > 0 && this.#left[0]!.storedOffset <= offset) {
      this.#fold()
      const sampled = this.#left.shift()!
      this.#compared.push(compareAccount(sampled, this.#accounts.get(sampled.accountId)))
      this.#accounts.delete(sampled.accountId)
      this.#ids.delete(sampled.accountId)
    }
  }

  #fold(): void {
    if (this.#entries.length === 0) return
    foldBatch(this.#entries, this.#memory, this.#accounts)
    this.#entries = []
    for (const id of this.#accounts.keys()) if (!this.#ids.has(id)) this.#accounts.delete(id)
  }
}
